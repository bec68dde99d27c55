"""What a lead enters to publish a guideline's next version."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django import forms
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy

from annotation.formats.guidelines import write_guideline
from annotation.forms.sections import SectionedForm
from annotation.models.guidelines import Guideline

LANGUAGES = {"en": "text_en", "zh-hans": "text_zh"}


class GuidelineForm(SectionedForm):
    """The next version; a language left empty is carried over as it is."""

    labels: ClassVar[Mapping[str, Any]] = {
        "slug": gettext_lazy("Slug"),
    }

    headings: ClassVar[tuple[tuple[Any, tuple[str, ...]], ...]] = (
        ("", ("slug", "sentence", "text_en", "text_zh", "without_notes")),
    )

    slug = forms.SlugField(
        max_length=100, help_text=gettext_lazy("One that exists gets its next version.")
    )
    sentence = forms.CharField(
        max_length=300,
        required=False,
        label=gettext_lazy("What changed"),
        help_text=gettext_lazy("One sentence for those who have read the version before."),
    )
    text_en = forms.CharField(
        required=False,
        widget=forms.Textarea,
        label=gettext_lazy("Text, English (Markdown)"),
        help_text=gettext_lazy(
            "A heading that is a dimension's key, as in “# visual_perceptual_quality”, begins what "
            "is said of that dimension."
        ),
    )
    text_zh = forms.CharField(
        required=False,
        widget=forms.Textarea,
        label=gettext_lazy("Text, Simplified Chinese (Markdown)"),
        help_text=gettext_lazy(
            "A language you leave as it is keeps its text; its readers are shown what changed in "
            "the other."
        ),
    )
    without_notes = forms.TypedMultipleChoiceField(
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("Notes to leave out"),
        help_text=gettext_lazy("Those whose word is in the text by now."),
    )

    def __init__(self, *args: Any, before: Guideline | None = None, **kwargs: Any) -> None:
        """Begin with the newest texts of `before`; its notes may be left out. One query."""
        newest = list(before.versions.order_by("-number", "pk")) if before else []
        self._before = {
            version.language: write_guideline(version.text, version.by_dimension)
            for version in newest
            if version.number == newest[0].number
        }
        texts = {name: self._before.get(language, "") for language, name in LANGUAGES.items()}
        initial = {"slug": before.slug, **texts} if before else {}
        super().__init__(*args, **{"initial": initial, **kwargs})
        notes = newest[0].notes if newest else []
        field = cast("forms.TypedMultipleChoiceField", self.fields["without_notes"])
        field.choices = [
            (place, f"{note['dimension']} {Truncator(note['text']).chars(80)}".strip())
            for place, note in enumerate(notes)
        ]

    def documents(self) -> dict[str, str]:
        """Return language -> text of the languages that were written anew."""
        given = {language: self.cleaned_data[name] for language, name in LANGUAGES.items()}
        return {
            language: text
            for language, text in given.items()
            if text.strip() and text.split() != self._before.get(language, "").split()
        }
