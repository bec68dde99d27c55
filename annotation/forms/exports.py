"""What is asked of an export on its page: the options of `manage.py export_pairs`."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.formats.options import CHOICES, ExportOptions
from annotation.models.batches import Batch
from annotation.models.projects import Project
from annotation.models.rubric import Dimension
from annotation.rendering.text import UNSTORABLE, without_unstorable
from annotation.reports.categories import category_names, known_keys
from annotation.reports.words import in_language

LABELS = {
    "canonical": _("Canonical: every vote, score and text of a pair"),
    "ratings": _("Ratings: one row each, CSV and Parquet"),
    "swift": _("ms-swift: DPO and reward models, pictures on both sides"),
    "trl": _("TRL: DPO and reward models, pictures in prompts only"),
    "preferences": _("Preferences as given"),
    "scores": _("Scores: the side with the higher mean"),
    "majority": _("The majority, one row a pair"),
    "raw": _("Each vote, one row a person"),
    "drop": _("Leave them out"),
    "keep": _("Keep them"),
    "none": _("None"),
    "strength": _("The strength of the preference"),
    "gap": _("The gap between the scores"),
    "shown": _("As readers were shown it"),
    "copy": _("Copied into the archive"),
    "refuse": _("Refuse the export"),
    "final": _("Final: what stands now"),
    "independent": _("Independent: what agreement is computed from"),
}
TEXT_LABELS = {"raw": _("Byte for byte as in the file")}
IMAGE_LABELS = {"none": _("Only named")}


def _choices(name: str, **other: Any) -> list[tuple[str, Any]]:
    labels = {**LABELS, **other}
    return [(value, labels[value]) for value in CHOICES[name] if value in labels]


class BatchesField(forms.ModelMultipleChoiceField[Batch]):
    """Batches, by title and slug."""

    def clean(self, value: Any) -> Any:
        """Take a name that no slug can have as one of the others that are not there."""
        names = value if isinstance(value, list | tuple) else []
        for name in names:
            if UNSTORABLE.search(str(name)):
                raise forms.ValidationError(
                    self.error_messages["invalid_choice"],
                    code="invalid_choice",
                    params={"value": without_unstorable(str(name))},
                )
        return super().clean(value)

    def label_from_instance(self, obj: Batch) -> str:
        """Return how a batch is named on the page."""
        return f"{obj.title} ({obj.slug})"


class ExportForm(forms.Form):
    """Batches and options. The options that contradict each other are named by their fields."""

    batches = BatchesField(
        Batch.objects.none(),
        label=_("Batches"),
        to_field_name="slug",
        widget=forms.CheckboxSelectMultiple,
    )
    format = forms.ChoiceField(
        label=_("Format"), choices=_choices("format"), initial="canonical", widget=forms.RadioSelect
    )
    dimension = forms.ChoiceField(label=_("Preference on"), initial="overall")
    source = forms.ChoiceField(
        label=_("A vote is"), choices=_choices("source"), initial="preferences"
    )
    min_gap = forms.FloatField(
        label=_("Least gap between scores"),
        initial=1,
        min_value=0,
        max_value=11,
        help_text=_("From scores only: smaller gaps are a tie."),
    )
    aggregate = forms.ChoiceField(
        label=_("A row is"), choices=_choices("aggregate"), initial="majority"
    )
    ties = forms.ChoiceField(
        label=_("Ties and both bad"),
        required=False,
        choices=[("", _("As the format can")), *_choices("ties")],
    )
    margin = forms.ChoiceField(label=_("Margin"), choices=_choices("margin"), initial="none")
    split = forms.CharField(
        label=_("Split"),
        required=False,
        max_length=20,
        help_text=_("Train/validation/test, for example 90/5/5. Empty: one file."),
    )
    seed = forms.IntegerField(
        label=_("Seed"), initial=0, min_value=0, help_text=_("Of splits and positions.")
    )
    text = forms.ChoiceField(
        label=_("Text"), choices=_choices("text", **TEXT_LABELS), initial="shown"
    )
    images = forms.ChoiceField(
        label=_("Pictures"), choices=_choices("images", **IMAGE_LABELS), initial="copy"
    )
    last_response_only = forms.BooleanField(
        label=_("Compare only the last response of each side"), required=False
    )
    response_images = forms.ChoiceField(
        label=_("Pictures of responses, which TRL cannot hold"),
        choices=_choices("response_images", drop=_("Drop and count them")),
        initial="refuse",
    )
    set = forms.ChoiceField(label=_("Ratings of the set"), choices=_choices("set"), initial="final")
    without_marks = forms.MultipleChoiceField(
        label=_("Leave out dialogues marked with"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What is left out is counted by its mark."),
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        """Offer the project's batches that were ever open, and its dimensions."""
        super().__init__(*args, **kwargs)
        batches = self.fields["batches"]
        assert isinstance(batches, forms.ModelMultipleChoiceField)  # noqa: S101  # for the types
        batches.queryset = project.batches.exclude(opened_at=None).order_by("-created_at", "slug")
        dimensions = Dimension.objects.filter(rubric__project=project).order_by("key", "rubric")
        names = {key: in_language(name) for key, name in dimensions.values_list("key", "name")}
        dimension = self.fields["dimension"]
        assert isinstance(dimension, forms.ChoiceField)  # noqa: S101  # for the types
        dimension.choices = [
            ("overall", _("Overall")),
            ("fork", _("The two answers at the fork")),
            ("all", _("All of them")),
            *((key, name or key) for key, name in names.items()),
        ]

        marks = self.fields["without_marks"]
        assert isinstance(marks, forms.MultipleChoiceField)  # noqa: S101  # for the types
        names = category_names(project, known_keys(project))
        marks.choices = [("all", _("Any mark")), *names.items()]

    def options(self) -> dict[str, Any]:
        """Return the options as `annotation.actions.exports.read_options` takes them."""
        known = ExportOptions().as_json()
        told = {name: value for name, value in self.cleaned_data.items() if name in known}
        return told | {"without_marks": ",".join(told["without_marks"])}
