"""The pages a person is offered at the top of each page."""

from dataclasses import dataclass

from django import template
from django.template.context import Context
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotation.permissions import can_lead, can_review, member_of

register = template.Library()

FOR_ALL = (("annotation:desk", _("Desk")), ("annotation:my-work", _("My work")))
FOR_REVIEWERS = (("annotation:reviews", _("Reviews")), ("annotation:questions", _("Questions")))
FOR_LEADS = (("annotation:batches", _("Batches")), ("annotation:exports", _("Exports")))


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the navigation; `here` where it leads to the page it stands on."""

    url: str
    name: str | Promise
    here: bool


@register.simple_tag(takes_context=True)
def navigation(context: Context) -> list[Entry]:
    """Return the pages for the signed-in person's role. One query."""
    request = context["request"]
    if not request.user.is_authenticated:
        return []
    member = member_of(request.user)
    pages = [
        *FOR_ALL,
        *(FOR_REVIEWERS if member and can_review(member) else ()),
        *(FOR_LEADS if member and can_lead(member) else ()),
    ]
    entries = []
    for route, name in pages:
        try:
            url = reverse(route)
        except NoReverseMatch:
            continue
        here = request.path == url if url == "/" else request.path.startswith(url)
        entries.append(Entry(url=url, name=name, here=here))
    if request.user.is_staff:
        entries.append(Entry(url=reverse("admin:index"), name=_("Admin"), here=False))
    return entries
