"""What a lead enters of categories of content, and of whom people can talk to."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.formats.categories import (
    MOST_A_DAY,
    MOST_WORD,
    MOST_WORDS,
    CategoryGiven,
    tidy_words,
)
from annotation.forms.sections import SectionedForm
from annotation.models.categories import LONGEST_KEY, Category

LANGUAGES = {"en": "en", "zh-hans": "zh"}


class Wide(forms.TextInput):
    """A line as long as what is written in it."""

    def __init__(self) -> None:
        super().__init__({"class": "vLargeTextField"})


class CategoryForm(SectionedForm):
    """One category; its key is fixed once it is made, because marks name it."""

    key = forms.CharField(
        label=_("Key"),
        max_length=LONGEST_KEY,
        help_text=_("As marks in files name it. No comma."),
    )
    name_en = forms.CharField(label=_("Name, English"), max_length=100)
    name_zh = forms.CharField(label=_("Name, Simplified Chinese"), max_length=100, required=False)
    description_en = forms.CharField(
        label=_("Description, English"), max_length=500, required=False, widget=Wide
    )
    description_zh = forms.CharField(
        label=_("Description, Simplified Chinese"), max_length=500, required=False, widget=Wide
    )
    daily_limit = forms.IntegerField(
        label=_("Most items a day"),
        min_value=0,
        max_value=MOST_A_DAY,
        required=False,
        help_text=_("For each person. Empty: no limit."),
    )
    words = forms.CharField(
        label=_("Words"),
        required=False,
        widget=forms.Textarea,
        help_text=_(
            "One a line. A dialogue with one of them is marked: at import, and when all are "
            "marked again. Whole words, in any case; in Chinese and the like wherever they stand."
        ),
    )

    def __init__(self, *args: Any, known: Category | None = None, **kwargs: Any) -> None:
        """Begin with what is known of the category."""
        super().__init__(*args, **{"initial": _entered(known) if known else {}, **kwargs})
        self.fields["key"].disabled = known is not None

    def clean_words(self) -> tuple[str, ...]:
        """Return the words, one a line, tidied."""
        words = tidy_words(self.cleaned_data["words"].splitlines())
        if len(words) > MOST_WORDS or any(len(word) > MOST_WORD for word in words):
            raise forms.ValidationError(
                _("At most %(most)d words, each of at most %(long)d characters."),
                params={"most": MOST_WORDS, "long": MOST_WORD},
            )
        return words

    def given(self) -> CategoryGiven:
        """Return the category as it was entered."""
        told = self.cleaned_data
        return CategoryGiven(
            key=told["key"],
            name=_texts("name", told),
            description=_texts("description", told),
            daily_limit=told["daily_limit"],
            words=told["words"],
        )


class SupportForm(SectionedForm):
    """Whom people can talk to, in Markdown; a language left empty has none."""

    support_en = forms.CharField(
        label=_("Text, English (Markdown)"), widget=forms.Textarea, required=False
    )
    support_zh = forms.CharField(
        label=_("Text, Simplified Chinese (Markdown)"), widget=forms.Textarea, required=False
    )

    def texts(self) -> dict[str, str]:
        """Return language -> text."""
        return _texts("support", self.cleaned_data)


def support_entered(support: Mapping[str, str]) -> dict[str, str]:
    """Return what the form begins with."""
    return {f"support_{part}": support.get(name, "") for name, part in LANGUAGES.items()}


def _texts(field: str, told: Mapping[str, Any]) -> dict[str, str]:
    texts = {name: told[f"{field}_{part}"].strip() for name, part in LANGUAGES.items()}
    return {name: text for name, text in texts.items() if text}


def _entered(known: Category) -> dict[str, Any]:
    texts = {
        f"{field}_{part}": getattr(known, field).get(name, "")
        for field in ("name", "description")
        for name, part in LANGUAGES.items()
    }
    return {
        "key": known.key,
        "daily_limit": known.daily_limit,
        "words": "\n".join(known.words),
        **texts,
    }
