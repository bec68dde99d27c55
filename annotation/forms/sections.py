"""Forms whose fields stand under headings."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django import forms
from django.forms.boundfield import BoundField


class SectionedForm(forms.Form):
    """A form with `headings`: (heading, names of fields). A page draws `sections`.

    :cvar labels: name of a field -> its label, of fields that have none of their own.
    """

    labels: ClassVar[Mapping[str, Any]] = {}
    headings: ClassVar[tuple[tuple[Any, tuple[str, ...]], ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = field.label or self.labels.get(name)

    def sections(self) -> Iterator[tuple[Any, list[BoundField]]]:
        """Yield (heading, bound fields) in order; without headings all under none."""
        if not self.headings:
            yield "", [self[name] for name in self.fields]
        for heading, names in self.headings:
            yield heading, [self[name] for name in names]
