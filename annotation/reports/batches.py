"""What a batch would be: the plan a lead writes, what is wrong with it, and what it would cost."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from statistics import fmean, median
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation import sampling
from annotation.choices import (
    REASON_PRESETS,
    BatchKind,
    BatchPurpose,
    BatchSettings,
    DimensionPreference,
    ItemOrder,
    Level,
    LocalScope,
    OnDifference,
    PairChoice,
    ReasonRule,
)
from annotation.labels import left_out
from annotation.models.batches import Batch
from annotation.models.guidelines import Guideline
from annotation.models.projects import Member
from annotation.models.rubric import Rubric
from annotation.reports.gold import TESTS, gold_pool
from annotation.reports.items import (
    DialogueChoice,
    FoundItem,
    FoundItems,
    Needs,
    find_items,
    minutes_of,
    needs_of,
    seats_needed,
)

LEASE_MINUTES = range(5, 24 * 60 + 1)
MOST_OVERLAP = 50
MOST_SIGNS = 1000
RUBRIC_PRESET = "rubric"
"""The name, beside those of `REASON_PRESETS`, for the rules written in the rubric itself."""


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """Everything a lead decides about a batch before it exists.

    :ivar guideline: an existing guideline, or None.
    :ivar guideline_texts: language -> Markdown of the first version of a guideline of its own;
        with `guideline`, of that guideline's next version.
    :ivar seed: what every draw of the batch starts from; None: drawn from the slug.
    """

    slug: str
    title: str
    kind: BatchKind
    rubric: Rubric
    purpose: BatchPurpose = BatchPurpose.MAIN
    choice: DialogueChoice = field(default_factory=DialogueChoice)
    settings: BatchSettings = field(default_factory=BatchSettings)
    members: tuple[Member, ...] = ()
    guideline: Guideline | None = None
    guideline_texts: Mapping[str, str] = field(default_factory=dict)
    order: ItemOrder = ItemOrder.BY_DIALOGUE
    lease_minutes: int = 60
    seed: int | None = None

    @property
    def drawn_seed(self) -> int:
        """The seed that is stored: from 0 to 2**63 - 1."""
        if self.seed is not None:
            return self.seed
        return sampling.draw("seed of a batch", self.slug) >> 1


@dataclass(frozen=True, slots=True)
class Spread:
    """How one count is spread over items."""

    least: float
    median: float
    mean: float
    most: float
    total: float


@dataclass(frozen=True, slots=True)
class BatchPreview:
    """What the batch would be. Nothing is written to find out.

    :ivar problems: why it would be refused; empty where it can be made.
    :ivar left_out: reason -> number of possible items that are left out;
        `items + sum(left_out.values()) == possible`.
    :ivar dialogues_without_item: chosen dialogues that give no item.
    :ivar per_item: turns, words, images, decisions, texts, minutes -> spread over the items, for
        a person who has rated none of it before.
    :ivar seats_per_item: number of seats -> number of items that have so many.
    :ivar hours: of all seats together, were nothing carried over.
    :ivar hours_carried: the same, where each dialogue's items go to the same people and what a
        person has rated is carried to their later items: the least it can be.
    :ivar settings: as they would be stored.
    """

    slug: str
    title: str
    kind: BatchKind
    purpose: BatchPurpose
    dialogues: int
    dialogues_without_item: int
    possible: int
    items: int
    left_out: Mapping[str, int]
    seats: int
    seats_per_item: Mapping[int, int]
    members: int
    per_item: Mapping[str, Spread]
    hours: float
    hours_carried: float
    settings: Mapping[str, Any]
    problems: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return plain values, as `create_batch --preview --json` prints them."""
        return asdict(self)


def reasons_of(preset: str, rubric: Rubric) -> dict[str, ReasonRule]:
    """Return the reason rules of a preset for this rubric's dimensions. One query.

    :param preset: `rubric` (what the rubric itself says), `none`, or a name of `REASON_PRESETS`,
        of which the rules for dimensions the rubric does not have are left out.
    :raises ValueError: for another name, saying which there are.
    """
    own = dict(rubric.dimensions.order_by("position").values_list("key", "reason"))
    if preset == RUBRIC_PRESET:
        rules: Mapping[str, str] = own
    elif preset == "none":
        rules = {}
    elif preset in REASON_PRESETS:
        rules = {key: rule for key, rule in REASON_PRESETS[preset].items() if key in own}
    else:
        known = ", ".join([RUBRIC_PRESET, *REASON_PRESETS, "none"])
        raise ValueError(
            _("there are no reason rules named %(name)s; there are: %(known)s")
            % {"name": repr(preset), "known": known}
        )
    parsed = {key: ReasonRule.parse(rule) for key, rule in rules.items()}
    return {key: rule for key, rule in parsed.items() if rule != ReasonRule()}


def settings_for(kind: BatchKind, settings: BatchSettings) -> BatchSettings:
    """Return the settings with what the kind cannot ask switched off, so that they say the truth."""
    if kind == BatchKind.TURN_PAIR:
        return replace(
            settings,
            local_scope=LocalScope.FORK_TURN,
            global_ratings=False,
            fork_preference=False,
            pairs=None,
        )
    if kind == BatchKind.CONVERSATION:
        return replace(
            settings,
            rationale_minimum=0,
            local_scope=LocalScope.EVERY_TURN,
            global_ratings=True,
            dimension_preference=DimensionPreference.NONE,
            fork_preference=False,
            pairs=None,
        )
    return replace(settings, pairs=settings.pairs or PairChoice.RING)


def problems_of(plan: BatchPlan, *, opening: bool = False) -> list[str]:
    """Return why the plan cannot become a batch, each with what to do. At most three queries.

    :param opening: whether it is to open at once. A draft may have too few members, who come
        later.
    """
    settings = settings_for(plan.kind, plan.settings)
    levels = Counter(plan.rubric.dimensions.values_list("level", flat=True))
    return [
        *_identity_problems(plan),
        *_question_problems(plan.kind, settings, levels),
        *_reason_problems(plan.rubric, settings),
        *_overlap_problems(settings, members=len(set(plan.members)), opening=opening),
        *_check_problems(plan, settings),
        *_choice_problems(plan.choice, settings),
        *_review_problems(settings),
    ]


def _review_problems(settings: BatchSettings) -> list[str]:
    shares = (settings.review_share, settings.review_blind_share)
    return [] if all(0 <= one <= 1 for one in shares) else [_("A review share is between 0 and 1.")]


def preview_batch(plan: BatchPlan, *, opening: bool = False) -> BatchPreview:
    """Return what the plan would make: items, seats, what is left out, and the work it is.

    :param opening: whether it is to open at once. Where members are named, too few of them to open
        it are a problem in any case.
    """
    settings = settings_for(plan.kind, plan.settings)
    problems = problems_of(plan, opening=opening or bool(plan.members))
    seed = plan.drawn_seed
    found = found_items(plan)
    if not found.items and not _choice_problems(plan.choice, settings):
        problems.append(no_items(found))
    if opening and found.items:
        problems += _opening_problems(plan, settings, found.items)
    tasks = {item.key: item.task for item in found.items}
    members = len(set(plan.members))
    seats = seats_needed(tasks, settings, members=members, seed=seed)
    needs = needs_of(plan.rubric, settings, pairs=plan.kind != BatchKind.CONVERSATION)
    minutes = sum(item.load.minutes * seats[item.key] for item in found.items)
    spared = _spared_minutes(found.items, seats, needs)
    return BatchPreview(
        slug=plan.slug,
        title=plan.title,
        kind=plan.kind,
        purpose=plan.purpose,
        dialogues=found.dialogues,
        dialogues_without_item=found.without_item,
        possible=found.possible,
        items=len(found.items),
        left_out=found.left_out,
        seats=sum(seats.values()),
        seats_per_item=dict(sorted(Counter(seats.values()).items())),
        members=members,
        per_item=_spreads(found.items),
        hours=round(minutes / 60, 1),
        hours_carried=round((minutes - spared) / 60, 1),
        settings=settings.as_json(),
        problems=tuple(problems),
    )


def found_items(plan: BatchPlan) -> FoundItems:
    """Return the items the plan's dialogues give, in the order of the batch."""
    return find_items(
        plan.rubric.project,
        plan.choice,
        kind=plan.kind,
        settings=settings_for(plan.kind, plan.settings),
        rubric=plan.rubric,
        order=plan.order,
        seed=plan.drawn_seed,
    )


# --- Work ----------------------------------------------------------------------------------


def _spreads(items: Iterable[FoundItem]) -> dict[str, Spread]:
    loads = [asdict(item.load) for item in items]
    if not loads:
        return {}
    spreads = {}
    for name in loads[0]:
        values = [load[name] for load in loads]
        spreads[name] = Spread(
            least=min(values),
            median=round(median(values), 2),
            mean=round(fmean(values), 2),
            most=max(values),
            total=round(sum(values), 2),
        )
    return spreads


def _spared_minutes(items: Iterable[FoundItem], seats: Mapping[str, int], needs: Needs) -> float:
    """Return the minutes spared where people rate each unit of a dialogue once.

    With as many people on each dialogue as its items have seats at most, each of them meets
    every unit; whatever the seats ask beyond that is carried.
    """
    asked: defaultdict[int, list[FoundItem]] = defaultdict(list)
    for item in items:
        asked[item.dialogue].append(item)
    decisions = texts = 0.0
    for group in asked.values():
        people = max(seats[item.key] for item in group)
        local = _repeated([(item.local_units, seats[item.key]) for item in group], people)
        whole = _repeated([(item.global_units, seats[item.key]) for item in group], people)
        decisions += local * needs.local_dimensions + whole * needs.global_dimensions
        texts += local * needs.local_texts + whole * needs.global_texts
    return minutes_of(words=0, images=0, decisions=decisions, texts=texts)


def _repeated(units: list[tuple[frozenset[int], int]], people: int) -> int:
    """Return how often a unit is asked of somebody who has rated it: beyond once a person."""
    times: Counter[int] = Counter()
    for some, seats in units:
        for unit in some:
            times[unit] += seats
    return sum(max(0, count - people) for count in times.values())


# --- What is wrong with a plan -------------------------------------------------------------


def _identity_problems(plan: BatchPlan) -> list[str]:
    problems = []
    project = plan.rubric.project
    if not plan.slug or not all(
        sign.isascii() and (sign.isalnum() or sign in "-_") for sign in plan.slug
    ):
        problems.append(
            _("The slug needs letters a to z, digits, - and _ only: it stands in URLs.")
        )
    elif Batch.objects.filter(project=project, slug=plan.slug).exists():
        problems.append(
            _("There is a batch %(batch)s already: choose another slug.") % {"batch": plan.slug}
        )
    if not plan.title.strip():
        problems.append(_("The batch needs a title: annotators see it."))
    if plan.lease_minutes not in LEASE_MINUTES:
        problems.append(_("The lease must last between 5 minutes and 24 hours."))
    if plan.settings.hold_minutes not in LEASE_MINUTES or plan.settings.holds_per_day < 0:
        problems.append(_("A hold must last between 5 minutes and 24 hours."))
    if plan.seed is not None and not 0 <= plan.seed < 2**63:
        problems.append(_("The seed must be between 0 and 2**63 - 1."))
    if strangers := [one.pseudonym for one in plan.members if one.project_id != project.pk]:
        problems.append(
            _("Not members of this project: %(names)s.") % {"names": ", ".join(strangers)}
        )
    if gone := [one.pseudonym for one in plan.members if one.ended_at is not None]:
        problems.append(
            _("No longer members of this project: %(names)s.") % {"names": ", ".join(gone)}
        )
    if plan.guideline is not None and plan.guideline.project_id != project.pk:
        problems.append(_("The guideline is another project's."))
    return problems


def _question_problems(
    kind: BatchKind, settings: BatchSettings, levels: Mapping[str, int]
) -> list[str]:
    problems = []
    locals_, globals_ = levels.get(Level.LOCAL, 0), levels.get(Level.GLOBAL, 0)
    rates_turns = locals_ and settings.local_scope != LocalScope.NONE
    rates_whole = globals_ and settings.global_ratings
    if kind == BatchKind.TURN_PAIR and not locals_:
        problems.append(_("Turn pairs need a rubric with local dimensions: choose another rubric."))
    if kind == BatchKind.CONVERSATION and not (rates_turns or rates_whole):
        problems.append(_("The rubric has no dimension, so nothing would be asked."))
    from_scores = settings.dimension_preference in {
        DimensionPreference.PROPOSED,
        DimensionPreference.ASKED_WHERE_EQUAL,
    }
    if kind == BatchKind.CONVERSATION_PAIR and from_scores and not rates_whole:
        problems.append(
            _(
                "Preferences per dimension cannot come from scores where whole conversations are "
                "not rated: switch global ratings on, or ask the preference or none."
            )
        )
    return problems


def _reason_problems(rubric: Rubric, settings: BatchSettings) -> list[str]:
    problems = []
    points: defaultdict[str, list[int]] = defaultdict(list)
    for key, score in rubric.dimensions.values_list("key", "points__score"):
        points[key].append(score)
    for key, rule in sorted(settings.reasons.items()):
        if key not in points:
            problems.append(
                _("A reason is asked for %(key)s, which rubric %(rubric)s does not have.")
                % {"key": key, "rubric": rubric}
            )
        elif rule.at_or_below is not None and rule.at_or_below not in points[key]:
            problems.append(
                _(
                    "A reason is asked for %(key)s at or below %(score)s, which is none of its scores."
                )
                % {"key": key, "score": rule.at_or_below}
            )
        if not 0 <= rule.share <= 1:
            problems.append(
                _("The share of reasons for %(key)s must be between 0 and 1.") % {"key": key}
            )
    for what, least in (
        (_("a reason"), settings.reason_minimum),
        (_("the rationale"), settings.rationale_minimum),
    ):
        if not 0 <= least <= MOST_SIGNS:
            problems.append(
                _("The least length of %(what)s must be between 0 and %(most)s signs.")
                % {"what": what, "most": MOST_SIGNS}
            )
    return problems


def _overlap_problems(settings: BatchSettings, *, members: int, opening: bool) -> list[str]:
    problems = []
    if settings.everyone and not members:
        problems.append(_("Overlap 'everyone' needs the members named: there would be no seat."))
    if not 1 <= settings.overlap <= MOST_OVERLAP:
        problems.append(overlap_out_of_range())
    mixed = bool(settings.overlap_high), bool(settings.overlap_high_share)
    if any(mixed):
        if not all(mixed):
            problems.append(
                _("Mixed overlap needs both the higher number and its share of the items.")
            )
        elif not settings.overlap < settings.overlap_high <= MOST_OVERLAP:
            problems.append(
                _("The higher overlap must be above %(overlap)s and at most %(most)s.")
                % {"overlap": settings.overlap, "most": MOST_OVERLAP}
            )
        if not 0 <= settings.overlap_high_share <= 1:
            problems.append(
                _("The share of items with the higher overlap must be between 0 and 1.")
            )
        if settings.everyone:
            problems.append(_("Overlap is either mixed or everyone, not both."))
    spare = settings.on_difference == OnDifference.THIRD_SEAT
    most = max(settings.overlap, settings.overlap_high) + spare
    if opening and members < most and not settings.everyone and not problems:
        problems.append(too_few_members(members, most))
    return problems


def _check_problems(plan: BatchPlan, settings: BatchSettings) -> list[str]:
    """What is wrong with gold, repeats, tests and what follows a difference. Two queries at most."""
    problems = []
    if settings.repeats < 0 or settings.gold < 0:
        problems.append(_("Repeats and gold must be shares or numbers of items, not below zero."))
    if settings.repeat_gap < 1:
        problems.append(_("A repeat comes at least one item later: the gap must be 1 or more."))
    if not 0 <= settings.pass_mark <= 1:
        problems.append(_("The pass mark must be between 0 and 1."))
    if settings.difference_points < 0:
        problems.append(_("The points from which two scores differ must be 0 or more."))
    others = dict(
        plan.rubric.project.batches.filter(
            slug__in=[*settings.gold_from, settings.requires]
        ).values_list("slug", "purpose")
    )
    if unknown := [slug for slug in settings.gold_from if slug not in others]:
        problems.append(
            _("Gold cannot come from %(batches)s: there is no such batch.")
            % {"batches": ", ".join(unknown)}
        )
    if settings.requires and others.get(settings.requires) != BatchPurpose.QUALIFICATION:
        problems.append(
            _("%(batch)s is no qualification batch, so nobody could pass it.")
            % {"batch": settings.requires}
        )
    return [*problems, *_purpose_problems(plan.purpose, settings)]


def _purpose_problems(purpose: BatchPurpose, settings: BatchSettings) -> list[str]:
    follows = settings.on_difference != OnDifference.LEAVE
    several = settings.overlap > 1 or settings.overlap_high or settings.everyone
    if purpose not in TESTS:
        if follows and not several:
            return [_("Votes can differ only where an item has two: raise the overlap.")]
        return []
    problems = []
    if not settings.everyone:
        problems.append(
            _("A training or qualification is for everyone: choose the overlap 'everyone'.")
        )
    if settings.repeats or settings.gold or follows:
        problems.append(
            _(
                "Repeats, mixed-in gold and what follows a difference are for batches that are "
                "measured: a training or qualification has its own known answers."
            )
        )
    return problems


def _opening_problems(
    plan: BatchPlan, settings: BatchSettings, items: Sequence[FoundItem]
) -> list[str]:
    """What opening would refuse of repeats, gold and tests. One query at most."""
    if plan.purpose in TESTS:
        return [nothing_known(plan.slug)]
    problems, count = [], len(items)
    if sampling.count_of(settings.repeats, count) and count <= settings.repeat_gap:
        problems.append(gap_too_wide(settings.repeat_gap, count))
    if wanted := sampling.count_of(settings.gold, count):
        own = {(item.response_1, item.response_2) for item in items}
        pool = gold_pool(plan.rubric, plan.kind, own=own, sources=settings.gold_from)
        if len(pool) < wanted:
            problems.append(too_little_gold(wanted, len(pool)))
    return problems


def nothing_known(batch: str) -> str:
    """Say that a test without known answers cannot open, and what to do."""
    return _(
        "Nothing in %(batch)s has a known answer, so nothing could be scored: enter "
        "answers first, in the admin or with manage.py set_gold."
    ) % {"batch": batch}


def gap_too_wide(gap: int, items: int) -> str:
    """Say that no repeat fits into the batch, and what to do."""
    return _(
        "Repeats come at least %(gap)s items later, and the batch has %(items)s: lower the "
        "gap, or ask for no repeats."
    ) % {"gap": gap, "items": items}


def too_little_gold(wanted: int, found: int) -> str:
    """Say that there are too few known answers to mix in, and what to do."""
    return _(
        "The batch asks for %(wanted)s gold items and there are %(found)s it can take: "
        "items of other batches of its kind, with known answers on its dimensions, that "
        "are not among its own. Enter more answers, or ask for fewer."
    ) % {"wanted": wanted, "found": found}


def too_few_members(members: int, seats: int) -> str:
    """Say that the members cannot fill an item's seats, and what to do."""
    return ngettext(
        "%(count)s member cannot fill %(seats)s seats of an item, since nobody judges an item "
        "twice: add members or lower the overlap.",
        "%(count)s members cannot fill %(seats)s seats of an item, since nobody judges an item "
        "twice: add members or lower the overlap.",
        members,
    ) % {"count": members, "seats": seats}


def overlap_out_of_range() -> str:
    """Say between which numbers the overlap must be."""
    return _("The overlap must be between 1 and %(most)s.") % {"most": MOST_OVERLAP}


def _choice_problems(choice: DialogueChoice, settings: BatchSettings) -> list[str]:
    problems = []
    if choice.sample is not None and choice.sample < 1:
        problems.append(_("A sample of dialogues must be 1 or more."))
    if settings.pairs_per_tree < 1:
        problems.append(_("A sample of pairs per tree must be 1 or more."))
    least, most = choice.turns_least, choice.turns_most
    if any(turns is not None and turns < 1 for turns in (least, most)):
        problems.append(_("The turns of a dialogue are counted from 1."))
    elif least is not None and most is not None and least > most:
        problems.append(
            _("No dialogue has at least %(least)s and at most %(most)s turns.")
            % {"least": least, "most": most}
        )
    return problems


def no_items(found: FoundItems) -> str:
    """Say why a plan without items has none, and what to do."""
    if not found.dialogues:
        return _("No dialogue fits the choice: choose fewer conditions, or import dialogues first.")
    reasons = ", ".join(f"{count} {left_out(reason)}" for reason, count in found.left_out.items())
    if reasons:
        told = _("The %(count)s dialogues chosen give no item; left out: %(reasons)s.")
    else:
        told = _("The %(count)s dialogues chosen give no item: none has two sides to compare.")
    return told % {"count": found.dialogues, "reasons": reasons}
