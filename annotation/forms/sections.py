"""Forms whose fields stand under headings."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django import forms
from django.forms.boundfield import BoundField


class SectionedForm(forms.Form):
    """A form with `headings`: (heading, names of fields). A page draws `sections`."""

    headings: ClassVar[tuple[tuple[Any, tuple[str, ...]], ...]] = ()

    def sections(self) -> Iterator[tuple[Any, list[BoundField]]]:
        """Yield (heading, bound fields) in order; without headings all under none."""
        if not self.headings:
            yield "", [self[name] for name in self.fields]
        for heading, names in self.headings:
            yield heading, [self[name] for name in names]
