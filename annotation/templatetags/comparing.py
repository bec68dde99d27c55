"""Looking things up by name, where several judgments stand side by side."""

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def at(found: Mapping[str, Any] | None, name: str) -> Any:
    """Return what stands under the name, or None."""
    return found.get(name) if found else None


@register.filter
def either(found: Mapping[str, Any], name: str) -> str:
    """Return the text under the name, or nothing."""
    value = found.get(name, "")
    return value if isinstance(value, str) else ""
