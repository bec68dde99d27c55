"""What a lead enters to publish a guideline's next version."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy

from annotation.forms.sections import SectionedForm
from annotation.models.guidelines import Guideline

LANGUAGES = {"en": "text_en", "zh-hans": "text_zh"}


class GuidelineForm(SectionedForm):
    """The next version; a language left as it is keeps its text."""

    headings: ClassVar[tuple[tuple[Any, tuple[str, ...]], ...]] = (
        ("", ("slug", "sentence", "text_en", "text_zh")),
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
        required=False, widget=forms.Textarea, label=gettext_lazy("Text, English (Markdown)")
    )
    text_zh = forms.CharField(
        required=False,
        widget=forms.Textarea,
        label=gettext_lazy("Text, Simplified Chinese (Markdown)"),
    )

    def texts(self) -> dict[str, str]:
        """Return language -> text of the languages that were written."""
        given = {language: self.cleaned_data[name] for language, name in LANGUAGES.items()}
        return {language: text for language, text in given.items() if text.strip()}

    @classmethod
    def initial_for(cls, guideline: Guideline) -> dict[str, str]:
        """Return the newest version's texts, to be changed. One query."""
        initial = {"slug": guideline.slug}
        for version in guideline.versions.order_by("number"):
            if version.language in LANGUAGES:
                initial[LANGUAGES[version.language]] = version.text
        return initial
