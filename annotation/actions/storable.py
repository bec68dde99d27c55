"""Refusing what no database here can hold, before it becomes an error of the database."""

from typing import Any

from django.utils.translation import gettext as _

from annotation.errors import Invalid
from annotation.rendering.text import UNSTORABLE


def refuse_unstorable(value: Any, *, place: str = "") -> None:
    """Refuse U+0000 and halves of surrogate pairs in a text, or anywhere in a JSON value.

    :raises Invalid: naming the first place, such as `remarks.rationale.text`.
    """
    if isinstance(value, str) and UNSTORABLE.search(value):
        said = _("holds a character that cannot be stored: U+0000 or half of a surrogate pair")
        named = place or _("A name")
        raise Invalid(
            _("%(place)s %(problem)s.") % {"place": named, "problem": said}, fields={place: said}
        )
    if isinstance(value, dict):
        for name, one in value.items():
            refuse_unstorable(name, place=place)
            refuse_unstorable(one, place=f"{place}.{name}".removeprefix("."))
    elif isinstance(value, list):
        for one in value:
            refuse_unstorable(one, place=place)
