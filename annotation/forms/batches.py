"""What a lead enters to make a batch, to change its overlap and to let people in."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.choices import (
    REASON_PRESETS,
    BatchKind,
    BatchPurpose,
    BatchSettings,
    DimensionPreference,
    ItemOrder,
    LocalScope,
    OnDifference,
    OverallScale,
    OwnFigures,
    PairChoice,
    ReasonRule,
)
from annotation.forms.sections import SectionedForm
from annotation.labels import choices
from annotation.models.batches import Batch
from annotation.models.content import Dialogue
from annotation.models.guidelines import Guideline
from annotation.models.imports import Import
from annotation.models.projects import Member, Project
from annotation.models.rubric import Rubric
from annotation.reports.batches import RUBRIC_PRESET, BatchPlan, reasons_of
from annotation.reports.gold import with_known_answers
from annotation.reports.items import DialogueChoice

DEFAULTS = BatchSettings()

KINDS = {
    BatchKind.TURN_PAIR: gettext_lazy("Turn pairs: two responses of one turn"),
    BatchKind.CONVERSATION_PAIR: gettext_lazy(
        "Conversation pairs: two whole paths of one dialogue"
    ),
    BatchKind.CONVERSATION: gettext_lazy("Conversations: one whole path"),
}
OVERLAPS = {
    "number": gettext_lazy("a number"),
    "mixed": gettext_lazy("mixed: more on a share of the items"),
    "everyone": gettext_lazy("everyone"),
}
DIFFERENCES = {
    OnDifference.LEAVE: gettext_lazy("leave them"),
    OnDifference.THIRD_SEAT: gettext_lazy("a third seat: one more person judges"),
    OnDifference.ADJUDICATE: gettext_lazy("adjudicate: a reviewer decides"),
}
IMAGES = {
    "": gettext_lazy("with or without images"),
    "some": gettext_lazy("with images"),
    "none": gettext_lazy("without images"),
}


class BatchForm(SectionedForm):
    """A plan for a batch. `plan()` gives it; what is wrong with it as a whole the action says."""

    labels: ClassVar[Mapping[str, Any]] = {
        "slug": gettext_lazy("Slug"),
        "title": gettext_lazy("Title"),
        "kind": gettext_lazy("Kind"),
        "purpose": gettext_lazy("Purpose"),
        "rubric": gettext_lazy("Rubric"),
        "imports": gettext_lazy("Imports"),
        "sources": gettext_lazy("Sources"),
        "tasks": gettext_lazy("Tasks"),
        "has_images": gettext_lazy("Has images"),
        "sample": gettext_lazy("Sample"),
        "pairs": gettext_lazy("Pairs"),
        "pairs_per_tree": gettext_lazy("Pairs per tree"),
        "unequal_length": gettext_lazy("Unequal length"),
        "include_incomplete": gettext_lazy("Include incomplete"),
        "order": gettext_lazy("Order"),
        "seed": gettext_lazy("Seed"),
        "members": gettext_lazy("Members"),
        "overlap_mode": gettext_lazy("Overlap mode"),
        "overlap": gettext_lazy("Overlap"),
        "overlap_high": gettext_lazy("Overlap high"),
        "overlap_high_share": gettext_lazy("Overlap high share"),
        "lease_minutes": gettext_lazy("Lease minutes"),
        "guideline": gettext_lazy("Guideline"),
        "local_scope": gettext_lazy("Local scope"),
        "global_ratings": gettext_lazy("Global ratings"),
        "reason_preset": gettext_lazy("Reason preset"),
        "reason_rules": gettext_lazy("Reason rules"),
        "reason_minimum": gettext_lazy("Reason minimum"),
        "rationale_minimum": gettext_lazy("Rationale minimum"),
        "dimension_preference": gettext_lazy("Dimension preference"),
        "overall_scale": gettext_lazy("Overall scale"),
        "fork_preference": gettext_lazy("Fork preference"),
        "own_figures": gettext_lazy("Own figures"),
        "undo_minutes": gettext_lazy("Undo minutes"),
        "guideline_fixed": gettext_lazy("Guideline fixed"),
        "hold_minutes": gettext_lazy("Hold minutes"),
        "holds_per_day": gettext_lazy("Holds per day"),
        "review_share": gettext_lazy("Review share"),
        "review_blind_share": gettext_lazy("Review blind share"),
        "repeats": gettext_lazy("Repeats"),
        "repeat_gap": gettext_lazy("Repeat gap"),
        "gold": gettext_lazy("Gold"),
        "gold_from": gettext_lazy("Gold from"),
        "pass_mark": gettext_lazy("Pass mark"),
        "requires": gettext_lazy("Requires"),
        "population": gettext_lazy("Who the annotators are"),
        "browser_translation": gettext_lazy("Browser translation"),
    }

    headings: ClassVar[tuple[tuple[Any, tuple[str, ...]], ...]] = (
        (gettext_lazy("The batch"), ("slug", "title", "kind", "purpose", "rubric")),
        (
            gettext_lazy("Dialogues"),
            (
                "imports",
                "sources",
                "tasks",
                "turns_least",
                "turns_most",
                "has_images",
                "sample",
                "pairs",
                "pairs_per_tree",
                "unequal_length",
                "include_incomplete",
                "order",
                "seed",
            ),
        ),
        (
            gettext_lazy("People"),
            (
                "members",
                "overlap_mode",
                "overlap",
                "overlap_high",
                "overlap_high_share",
                "lease_minutes",
                "hold_minutes",
                "holds_per_day",
            ),
        ),
        (
            gettext_lazy("Quality"),
            (
                "on_difference",
                "difference_points",
                "repeats",
                "repeat_gap",
                "gold",
                "gold_from",
                "pass_mark",
                "requires",
                "population",
            ),
        ),
        (
            gettext_lazy("Guideline"),
            ("guideline", "guideline_en", "guideline_zh", "guideline_fixed"),
        ),
        (
            gettext_lazy("Questions"),
            (
                "local_scope",
                "global_ratings",
                "reason_preset",
                "reason_rules",
                "reason_minimum",
                "rationale_minimum",
                "dimension_preference",
                "overall_scale",
                "fork_preference",
                "own_figures",
                "undo_minutes",
                "review_share",
                "review_blind_share",
                "browser_translation",
            ),
        ),
    )

    slug = forms.SlugField(max_length=100, help_text=gettext_lazy("Its name in URLs and files."))
    title = forms.CharField(max_length=200, help_text=gettext_lazy("What annotators see."))
    kind = forms.ChoiceField(choices=list(KINDS.items()))
    purpose = forms.ChoiceField(choices=choices(BatchPurpose), initial=BatchPurpose.MAIN)
    rubric = forms.ModelChoiceField(Rubric.objects.none(), empty_label=None)

    imports = forms.ModelMultipleChoiceField(
        Import.objects.none(), required=False, help_text=gettext_lazy("None chosen: all.")
    )
    sources = forms.MultipleChoiceField(required=False)
    tasks = forms.MultipleChoiceField(required=False)
    turns_least = forms.IntegerField(
        required=False,
        min_value=1,
        label=gettext_lazy("Turns, at least"),
        help_text=gettext_lazy("Of the longest path."),
    )
    turns_most = forms.IntegerField(
        required=False, min_value=1, label=gettext_lazy("Turns, at most")
    )
    has_images = forms.ChoiceField(choices=list(IMAGES.items()), required=False)
    sample = forms.IntegerField(
        required=False,
        min_value=1,
        help_text=gettext_lazy("Of the dialogues that fit, so many, drawn from the seed."),
    )
    pairs = forms.ChoiceField(
        choices=[("", gettext_lazy("ring above three paths")), *choices(PairChoice)],
        required=False,
        help_text=gettext_lazy("Which conversation pairs of a tree become items."),
    )
    pairs_per_tree = forms.IntegerField(
        initial=DEFAULTS.pairs_per_tree, min_value=1, help_text=gettext_lazy("For a sample.")
    )
    unequal_length = forms.BooleanField(
        required=False, help_text=gettext_lazy("Also pairs of unequal length.")
    )
    include_incomplete = forms.BooleanField(
        required=False, help_text=gettext_lazy("Also items with missing or broken pictures.")
    )
    order = forms.ChoiceField(choices=choices(ItemOrder), initial=ItemOrder.BY_DIALOGUE)
    seed = forms.IntegerField(
        required=False, min_value=0, help_text=gettext_lazy("Empty: drawn from the slug.")
    )

    members = forms.ModelMultipleChoiceField(Member.objects.none(), required=False)
    overlap_mode = forms.ChoiceField(choices=list(OVERLAPS.items()), initial="number")
    overlap = forms.IntegerField(initial=DEFAULTS.overlap, min_value=1)
    overlap_high = forms.IntegerField(
        required=False, min_value=2, help_text=gettext_lazy("Mixed: the higher number ...")
    )
    overlap_high_share = forms.FloatField(
        required=False,
        min_value=0,
        max_value=1,
        help_text=gettext_lazy("... and the share of the items that has it, 0 to 1."),
    )
    lease_minutes = forms.IntegerField(
        initial=60, min_value=5, help_text=gettext_lazy("How long a seat is held between savings.")
    )

    hold_minutes = forms.IntegerField(
        initial=DEFAULTS.hold_minutes,
        min_value=1,
        help_text=gettext_lazy("How long it is held for somebody who takes a break ..."),
    )
    holds_per_day = forms.IntegerField(
        initial=DEFAULTS.holds_per_day,
        min_value=0,
        help_text=gettext_lazy("... and how often a day one person can ask for that."),
    )
    on_difference = forms.ChoiceField(
        choices=list(DIFFERENCES.items()),
        initial=DEFAULTS.on_difference,
        label=gettext_lazy("When votes differ"),
    )
    difference_points = forms.IntegerField(
        initial=DEFAULTS.difference_points,
        min_value=0,
        label=gettext_lazy("Scores differ from"),
        help_text=gettext_lazy("So many points apart; 0: only overall preferences are compared."),
    )
    repeats = forms.FloatField(
        initial=DEFAULTS.repeats,
        min_value=0,
        help_text=gettext_lazy(
            "Items a person meets twice, sides swapped: below 1 a share, from 1 on that many."
        ),
    )
    repeat_gap = forms.IntegerField(
        initial=DEFAULTS.repeat_gap,
        min_value=1,
        help_text=gettext_lazy("At least so many of their own items between the two."),
    )
    gold = forms.FloatField(
        initial=DEFAULTS.gold,
        min_value=0,
        help_text=gettext_lazy("Items with known answers mixed in for everyone, counted alike."),
    )
    gold_from = forms.ModelMultipleChoiceField(
        Batch.objects.none(),
        required=False,
        help_text=gettext_lazy("Batches whose known answers may be used; none chosen: all."),
    )
    pass_mark = forms.FloatField(
        initial=DEFAULTS.pass_mark,
        min_value=0,
        max_value=1,
        help_text=gettext_lazy("Of a qualification: the share of known answers that passes."),
    )
    requires = forms.ModelChoiceField(
        Batch.objects.none(),
        required=False,
        to_field_name="slug",
        help_text=gettext_lazy("The qualification a person must have passed to begin."),
    )
    population = forms.CharField(
        required=False,
        max_length=500,
        help_text=gettext_lazy(
            "Their languages, expertise and how they were found: exports say it beside agreement."
        ),
    )

    guideline = forms.ModelChoiceField(
        Guideline.objects.none(), required=False, help_text=gettext_lazy("An existing one, or")
    )
    guideline_en = forms.CharField(
        required=False,
        widget=forms.Textarea,
        label=gettext_lazy("Text, English"),
        help_text=gettext_lazy("Markdown. It becomes the next version."),
    )
    guideline_zh = forms.CharField(
        required=False, widget=forms.Textarea, label=gettext_lazy("Text, Simplified Chinese")
    )

    local_scope = forms.ChoiceField(choices=choices(LocalScope), initial=DEFAULTS.local_scope)
    global_ratings = forms.BooleanField(required=False, initial=True)
    reason_preset = forms.ChoiceField(
        choices=[
            (RUBRIC_PRESET, gettext_lazy("as the rubric says")),
            *((name, name) for name in REASON_PRESETS),
            ("none", gettext_lazy("none")),
        ]
    )
    reason_rules = forms.CharField(
        required=False,
        widget=forms.Textarea,
        help_text=gettext_lazy(
            "Changes to that, one a line: dimension = always, never, at-or-below:1, differ, "
            "share:0.2, or several joined by +."
        ),
    )
    reason_minimum = forms.IntegerField(initial=DEFAULTS.reason_minimum, min_value=0)
    rationale_minimum = forms.IntegerField(
        initial=DEFAULTS.rationale_minimum,
        min_value=0,
        help_text=gettext_lazy("Signs of the preference's rationale; 0 asks for none."),
    )
    dimension_preference = forms.ChoiceField(
        choices=choices(DimensionPreference), initial=DEFAULTS.dimension_preference
    )
    overall_scale = forms.ChoiceField(choices=choices(OverallScale), initial=DEFAULTS.overall_scale)
    fork_preference = forms.BooleanField(required=False)
    own_figures = forms.ChoiceField(
        choices=choices(OwnFigures),
        initial=DEFAULTS.own_figures,
        help_text=gettext_lazy(
            "When annotators may see how they stand to the others, from three people on."
        ),
    )
    undo_minutes = forms.IntegerField(initial=DEFAULTS.undo_minutes, min_value=0)
    review_share = forms.FloatField(
        initial=DEFAULTS.review_share,
        min_value=0,
        max_value=1,
        help_text=gettext_lazy("Share of the items whose judgments are reviewed, 0 to 1."),
    )
    review_blind_share = forms.FloatField(
        initial=DEFAULTS.review_blind_share,
        min_value=0,
        max_value=1,
        help_text=gettext_lazy(
            "Share of those that the reviewer judges alone first, 0 to 1: it gives the agreement "
            "of reviewers with annotators."
        ),
    )
    browser_translation = forms.BooleanField(required=False)
    guideline_fixed = forms.BooleanField(
        required=False,
        help_text=gettext_lazy("The guideline stays as it is while the batch is open."),
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._narrow("rubric", project.rubrics.select_related("project").order_by("-published_at"))
        self._narrow("imports", project.imports.order_by("-created_at"))
        self._narrow("members", project.members.active().exclude(user=None).order_by("pseudonym"))
        self._narrow("guideline", project.guidelines.order_by("slug"))
        self._narrow("gold_from", with_known_answers(project))
        tests = project.batches.filter(purpose=BatchPurpose.QUALIFICATION)
        self._narrow("requires", tests.order_by("-created_at"))
        dialogues = Dialogue.objects.filter(project=project)
        for name, column in (("sources", "source"), ("tasks", "task")):
            values = dialogues.exclude(**{column: ""}).values_list(column, flat=True)
            cast("forms.MultipleChoiceField", self.fields[name]).choices = [
                (one, one) for one in values.distinct().order_by(column)
            ]

    def clean_reason_rules(self) -> dict[str, ReasonRule]:
        rules = {}
        for line in self.cleaned_data["reason_rules"].splitlines():
            if not line.strip():
                continue
            key, equals, rule = line.partition("=")
            if not equals:
                raise ValidationError(_("Write dimension = rule, one a line."))
            try:
                rules[key.strip()] = ReasonRule.parse(rule.strip())
            except ValueError as unread:
                raise ValidationError(str(unread)) from unread
        return rules

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("overlap_mode") == "mixed":
            for name in ("overlap_high", "overlap_high_share"):
                if not data.get(name) and name not in self.errors:
                    self.add_error(name, _("Mixed overlap needs it."))
        return data

    def plan(self) -> BatchPlan:
        """Return the plan of a valid form."""
        data = self.cleaned_data
        texts = {"en": data["guideline_en"], "zh-hans": data["guideline_zh"]}
        return BatchPlan(
            slug=data["slug"],
            title=data["title"],
            kind=BatchKind(data["kind"]),
            purpose=BatchPurpose(data["purpose"]),
            rubric=data["rubric"],
            choice=DialogueChoice(
                imports=tuple(one.public_id for one in data["imports"]),
                sources=tuple(data["sources"]),
                tasks=tuple(data["tasks"]),
                turns_least=data["turns_least"],
                turns_most=data["turns_most"],
                has_images={"": None, "some": True, "none": False}[data["has_images"]],
                sample=data["sample"],
            ),
            settings=self._settings(),
            members=tuple(data["members"]),
            guideline=data["guideline"],
            guideline_texts={language: text for language, text in texts.items() if text.strip()},
            order=ItemOrder(data["order"]),
            lease_minutes=data["lease_minutes"],
            seed=data["seed"],
        )

    def _settings(self) -> BatchSettings:
        data = self.cleaned_data
        reasons = {**reasons_of(data["reason_preset"], data["rubric"]), **data["reason_rules"]}
        mixed = data["overlap_mode"] == "mixed"
        return BatchSettings(
            local_scope=LocalScope(data["local_scope"]),
            global_ratings=data["global_ratings"],
            reasons={key: rule for key, rule in reasons.items() if rule != ReasonRule()},
            reason_minimum=data["reason_minimum"],
            rationale_minimum=data["rationale_minimum"],
            dimension_preference=DimensionPreference(data["dimension_preference"]),
            overall_scale=OverallScale(data["overall_scale"]),
            fork_preference=data["fork_preference"],
            pairs=PairChoice(data["pairs"]) if data["pairs"] else None,
            pairs_per_tree=data["pairs_per_tree"],
            equal_length_only=not data["unequal_length"],
            include_incomplete=data["include_incomplete"],
            overlap=data["overlap"],
            overlap_high=data["overlap_high"] if mixed else 0,
            overlap_high_share=data["overlap_high_share"] if mixed else 0.0,
            everyone=data["overlap_mode"] == "everyone",
            on_difference=OnDifference(data["on_difference"]),
            difference_points=data["difference_points"],
            repeats=data["repeats"],
            repeat_gap=data["repeat_gap"],
            gold=data["gold"],
            gold_from=tuple(one.slug for one in data["gold_from"]),
            pass_mark=data["pass_mark"],
            requires=data["requires"].slug if data["requires"] else "",
            population=data["population"],
            own_figures=OwnFigures(data["own_figures"]),
            undo_minutes=data["undo_minutes"],
            review_share=data["review_share"],
            review_blind_share=data["review_blind_share"],
            hold_minutes=data["hold_minutes"],
            holds_per_day=data["holds_per_day"],
            browser_translation=data["browser_translation"],
            guideline_fixed=data["guideline_fixed"],
        )

    def _narrow(self, name: str, rows: Any) -> None:
        cast("forms.ModelChoiceField[Any]", self.fields[name]).queryset = rows


class OverlapForm(SectionedForm):
    """How many independent judgments each item needs."""

    labels: ClassVar[Mapping[str, Any]] = {
        "overlap": gettext_lazy("Overlap"),
    }

    overlap = forms.IntegerField(min_value=1)


class BatchMembersForm(SectionedForm):
    """Who else works in the batch."""

    labels: ClassVar[Mapping[str, Any]] = {
        "members": gettext_lazy("Members"),
    }

    members = forms.ModelMultipleChoiceField(Member.objects.none())

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = batch.project.members.active().exclude(participations__batch=batch)
        members = cast("forms.ModelMultipleChoiceField[Member]", self.fields["members"])
        members.queryset = others.order_by("pseudonym")
