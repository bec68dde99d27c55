"""What a lead enters to take work out of figures and exports, or to put it back."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.choices import VoidTarget
from annotation.forms.sections import SectionedForm

KINDS = {
    VoidTarget.JUDGMENT: _("One judgment, by its public id"),
    VoidTarget.MEMBER: _("A person's work, by pseudonym"),
    VoidTarget.ITEM: _("An item, by its public id"),
    VoidTarget.DIALOGUE: _("A dialogue, by its public id"),
    VoidTarget.IMAGE: _("A picture, by the SHA-256 of its file"),
}


class ReasonForm(SectionedForm):
    """Why; the sentence is kept as evidence."""

    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea, help_text=_("It is kept."))


class VoidForm(SectionedForm):
    """What to take out, and why."""

    kind = forms.ChoiceField(label=_("Take out"), choices=list(KINDS.items()))
    name = forms.CharField(label=_("Name"), max_length=100)
    since = forms.DateTimeField(
        label=_("Since"),
        required=False,
        help_text=_("Only for a person's work: from this time on. Empty: all of it."),
    )
    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea, help_text=_("It is kept."))

    def clean(self) -> dict[str, Any]:
        """Take a time only with a person."""
        cleaned = super().clean() or {}
        if cleaned.get("since") and cleaned.get("kind") != VoidTarget.MEMBER:
            self.add_error("since", _("Only a person's work is taken out since a time."))
        return cleaned
