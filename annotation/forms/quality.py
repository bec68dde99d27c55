"""What a lead enters of known answers, and why a person is paused."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.actions.gold import MOST_TOLERANCE, OVERALL
from annotation.choices import Outcome
from annotation.forms.sections import SectionedForm
from annotation.labels import choices
from annotation.models.judgments import Judgment


class GoldForm(SectionedForm):
    """One known answer to an item."""

    labels: ClassVar[Mapping[str, Any]] = {
        "item": _("Item"),
        "dimension": _("Dimension"),
        "response": _("Response"),
        "score": _("Score"),
        "tolerance": _("Tolerance"),
        "outcome": _("Outcome"),
        "feedback": _("Feedback"),
    }

    item = forms.CharField(max_length=16, help_text=_("Its public id."))
    dimension = forms.CharField(
        max_length=64, required=False, help_text=_("Its key; empty: the overall preference.")
    )
    response = forms.CharField(
        max_length=64,
        required=False,
        help_text=_("1 or 2 for the last response of a side, or a response's id; none for a tie."),
    )
    score = forms.IntegerField(required=False, help_text=_("Of a rating, or"))
    tolerance = forms.IntegerField(
        initial=0, min_value=0, max_value=MOST_TOLERANCE, help_text=_("Points beside it that hit.")
    )
    outcome = forms.ChoiceField(
        choices=[("", "–"), *choices(Outcome)], required=False, help_text=_("of a preference.")
    )
    feedback = forms.CharField(
        required=False, widget=forms.Textarea, help_text=_("What people in training read.")
    )


class GoldFromJudgmentForm(SectionedForm):
    """On which dimensions what a judgment says becomes known."""

    labels: ClassVar[Mapping[str, Any]] = {
        "dimensions": _("Dimensions"),
        "tolerance": _("Tolerance"),
    }

    dimensions = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)
    tolerance = forms.IntegerField(
        initial=0,
        min_value=0,
        max_value=MOST_TOLERANCE,
        help_text=_("Points beside each score that hit."),
    )

    def __init__(self, *args: Any, judgment: Judgment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rated = judgment.ratings.filter(score__isnull=False).values_list(
            "dimension__key", flat=True
        )
        said = judgment.preferences.filter(dimension__isnull=False)
        keys = {*rated, *said.values_list("dimension__key", flat=True)}
        named = [(key, key) for key in sorted(keys)]
        if judgment.preferences.overall().exists():
            named.append((OVERALL, str(_("overall preference"))))
        self.fields["dimensions"].choices = named  # type: ignore[attr-defined]


class PauseForm(SectionedForm):
    """Why, as the person reads it."""

    labels: ClassVar[Mapping[str, Any]] = {
        "reason": _("Reason"),
    }

    reason = forms.CharField(max_length=300, widget=forms.Textarea)
    everywhere = forms.BooleanField(required=False, label=_("In all batches that are not closed"))
