"""How days and moments are written: the order of their parts is a matter of language."""

from datetime import date, datetime

from django import template
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import pgettext

register = template.Library()


def _written(value: date | None, form: str) -> str:
    """Write a day, or a moment in the current time zone, by a form of Django's `date` filter."""
    if not value:
        return ""
    return date_format(localtime(value) if isinstance(value, datetime) else value, form)


@register.filter
def day(value: date | None) -> str:
    """Write a day without its year: 5 Mar."""
    return _written(value, pgettext("day, as Django's date filter writes it", "j M"))


@register.filter
def day_of_year(value: date | None) -> str:
    """Write a day with its year: 5 Mar 2026."""
    return _written(value, pgettext("day, as Django's date filter writes it", "j M Y"))


@register.filter
def weekday(value: date | None) -> str:
    """Write a day with the day of the week: Thursday 5 March."""
    return _written(value, pgettext("day, as Django's date filter writes it", "l j F"))


@register.filter
def clock(value: date | None) -> str:
    """Write a time of day: 14:07."""
    return _written(value, "H:i")


@register.filter
def moment(value: date | None) -> str:
    """Write a day and a time of day: 5 Mar 14:07."""
    return _written(value, pgettext("day, as Django's date filter writes it", "j M H:i"))
