"""What an item asks, on the pages that show it: the macros of `templates/jinja/judging.html`."""

from typing import Any, cast

from django import template
from django.template import Context, Engine, engines
from django.template.backends.jinja2 import Jinja2
from django.template.defaultfilters import date
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext
from jinja2 import Environment, StrictUndefined

from annotation.reports.judging_parts import PreferenceShown, Row, TurnShown

register = template.Library()

SHOWN = ("page", "assignment", "batch", "translate_ok", "read_only", "can_skip", "returned")
"""What the macros read of the page that calls them."""


def environment(**options: Any) -> Environment:
    """Return how Django's Jinja2 engine reads its templates. A name nobody gave is an error."""
    made = Environment(
        loader=options["loader"],
        auto_reload=options["auto_reload"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"_": gettext, "url": lambda name, *words: reverse(name, args=words)}
    made.filters["clock"] = lambda at: date(localtime(at), "H:i")
    return made


@register.simple_tag(takes_context=True)
def turn(context: Context, shown: TurnShown, row_template: str = "") -> Any:
    """Show a turn with what is asked about it, or with its rows as another template has them."""
    rows = None
    if row_template:
        html = Engine.get_default().get_template(row_template)
        with context.push():
            rows = format_html_join(
                "", "{}", ([html.render(context)] for context["row"] in shown.rows)
            )
    return _macros(context).turn_of(shown, rows)


@register.simple_tag(takes_context=True)
def row(context: Context, shown: Row) -> Any:
    """Show a dimension of the whole conversation."""
    return _macros(context).row_of(shown, wide=True)


@register.simple_tag(takes_context=True)
def preference(context: Context, shown: PreferenceShown) -> Any:
    """Show the preference over all."""
    return _macros(context).preference_of(shown, large=True)


def _macros(context: Context) -> Any:
    """Return the macros as this page calls them, made once for it."""
    kept = context.render_context
    if (macros := kept.get(__name__)) is None:
        names = {name: context.get(name) for name in SHOWN}
        names["LANGUAGE_CODE"] = get_language()
        engine = cast(Jinja2, engines["jinja2"])
        macros = kept[__name__] = engine.env.get_template("judging.html").make_module(names)
    return macros
