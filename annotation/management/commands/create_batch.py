"""`manage.py create_batch`: cut dialogues into a batch, or see first what it would cost."""

import json
import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.actions.batches import create_batch
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
    Role,
)
from annotation.errors import AnnotationError
from annotation.models.guidelines import Guideline
from annotation.models.projects import Member, Project
from annotation.models.rubric import Rubric
from annotation.reports.batches import (
    RUBRIC_PRESET,
    BatchPlan,
    BatchPreview,
    preview_batch,
    reasons_of,
)
from annotation.reports.items import DialogueChoice
from annotation.reports.words import counted, rounded


class Command(BaseCommand):
    help = "Make a batch of the dialogues chosen, as a draft. --preview says what it would be."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the batch's name in URLs and files")
        parser.add_argument("--title", help="what annotators see; the slug where not given")
        parser.add_argument("--project", default=Project.DEFAULT_SLUG)
        parser.add_argument("--by", metavar="PSEUDONYM", help="the lead; needed if there are many")
        parser.add_argument("--kind", required=True, choices=[one.value for one in BatchKind])
        parser.add_argument(
            "--purpose",
            default=BatchPurpose.MAIN.value,
            choices=[one.value for one in BatchPurpose],
        )
        parser.add_argument(
            "--rubric", metavar="SLUG[:VERSION]", help="default: the newest there is"
        )
        parser.add_argument("--preview", "--dry-run", action="store_true", help="write nothing")
        parser.add_argument("--open", action="store_true", help="open it at once")
        parser.add_argument("--json", action="store_true", help="print JSON")
        self._add_dialogues(parser)
        self._add_people(parser)
        self._add_quality(parser)
        self._add_questions(parser)

    def _add_dialogues(self, parser: ArgumentParser) -> None:
        group = parser.add_argument_group("dialogues", "repeat an option for several")
        group.add_argument("--import", action="append", default=[], dest="imports", metavar="ID")
        group.add_argument("--source", action="append", default=[], dest="sources")
        group.add_argument("--task", action="append", default=[], dest="tasks")
        group.add_argument("--turns", metavar="N[-M]", help="turns of the longest path")
        group.add_argument("--images", choices=["some", "none"], help="with or without images")
        group.add_argument("--sample", type=int, metavar="N", help="N of those, by the seed")
        group.add_argument("--seed", type=int, help="default: drawn from the slug")
        group.add_argument("--pairs", metavar="all|ring|sample:N", help="default: ring")
        group.add_argument("--unequal-length", action="store_true", help="also such pairs")
        group.add_argument(
            "--include-incomplete",
            action="store_true",
            help="also items with missing or broken pictures",
        )
        group.add_argument(
            "--order", default=ItemOrder.BY_DIALOGUE.value, choices=[one.value for one in ItemOrder]
        )

    def _add_people(self, parser: ArgumentParser) -> None:
        group = parser.add_argument_group("people")
        group.add_argument(
            "--member", action="append", default=[], dest="members", metavar="PSEUDONYM"
        )
        group.add_argument(
            "--all-annotators", action="store_true", help="every annotator who can sign in"
        )
        group.add_argument(
            "--overlap",
            default="2",
            metavar="N|N+M:SHARE|everyone",
            help="e.g. 2, or 1+3:0.2 for 1 and on a fifth of the items 3",
        )
        group.add_argument("--lease", type=int, default=60, metavar="MINUTES")
        group.add_argument("--guideline", metavar="SLUG", help="an existing guideline")
        group.add_argument(
            "--guideline-file",
            action="append",
            default=[],
            metavar="LANGUAGE=PATH",
            help="Markdown of a new version, e.g. en=guide.md",
        )

    def _add_quality(self, parser: ArgumentParser) -> None:
        defaults = BatchSettings()
        group = parser.add_argument_group("quality")
        group.add_argument(
            "--on-difference",
            default=defaults.on_difference.value,
            choices=[one.value for one in OnDifference],
            help="what follows when an item's votes differ",
        )
        group.add_argument(
            "--difference-points",
            type=int,
            default=defaults.difference_points,
            metavar="N",
            help="scores so far apart differ; 0: only overall preferences are compared",
        )
        group.add_argument(
            "--repeats",
            type=float,
            default=defaults.repeats,
            metavar="SHARE|N",
            help="items a person meets twice, sides swapped",
        )
        group.add_argument(
            "--repeat-gap",
            type=int,
            default=defaults.repeat_gap,
            metavar="N",
            help="at least so many own items between the two",
        )
        group.add_argument(
            "--gold",
            type=float,
            default=defaults.gold,
            metavar="SHARE|N",
            help="items with known answers mixed in for everyone",
        )
        group.add_argument(
            "--gold-from",
            action="append",
            default=[],
            metavar="BATCH",
            help="take gold from this batch; default: from all that have known answers",
        )
        group.add_argument(
            "--pass-mark",
            type=float,
            default=defaults.pass_mark,
            metavar="SHARE",
            help="of a qualification: share of known answers that passes",
        )
        group.add_argument(
            "--requires",
            default=defaults.requires,
            metavar="BATCH",
            help="the qualification that must be passed first",
        )
        group.add_argument(
            "--population",
            default=defaults.population,
            metavar="TEXT",
            help="who the annotators are: exports say it beside agreement",
        )

    def _add_questions(self, parser: ArgumentParser) -> None:
        defaults = BatchSettings()
        group = parser.add_argument_group("questions")
        group.add_argument(
            "--local",
            default=defaults.local_scope.value,
            choices=[one.value for one in LocalScope],
            help="turns whose responses are rated",
        )
        group.add_argument(
            "--no-global", action="store_true", help="do not rate whole conversations"
        )
        group.add_argument(
            "--reasons",
            default=RUBRIC_PRESET,
            choices=[RUBRIC_PRESET, *REASON_PRESETS, "none"],
            help="reason rules to start from",
        )
        group.add_argument(
            "--reason",
            action="append",
            default=[],
            metavar="DIMENSION=RULE",
            help="always, never, at-or-below:N, differ, share:F, joined by +",
        )
        group.add_argument(
            "--reason-minimum", type=int, default=defaults.reason_minimum, metavar="SIGNS"
        )
        group.add_argument(
            "--rationale-minimum",
            type=int,
            default=defaults.rationale_minimum,
            metavar="SIGNS",
            help="least length of the preference's rationale; 0 asks for none",
        )
        group.add_argument(
            "--dimension-preference",
            default=defaults.dimension_preference.value,
            choices=[one.value for one in DimensionPreference],
        )
        group.add_argument(
            "--overall-scale",
            default=defaults.overall_scale.value,
            choices=[one.value for one in OverallScale],
        )
        group.add_argument(
            "--fork-preference", action="store_true", help="also the preference at the fork"
        )
        group.add_argument(
            "--own-figures",
            choices=[one.value for one in OwnFigures],
            default=defaults.own_figures.value,
            help="when annotators may see how they stand to the others (from three people on)",
        )
        group.add_argument("--undo-minutes", type=int, default=defaults.undo_minutes)
        group.add_argument("--hold-minutes", type=int, default=defaults.hold_minutes)
        group.add_argument("--holds-per-day", type=int, default=defaults.holds_per_day)
        group.add_argument(
            "--review-share",
            type=float,
            default=defaults.review_share,
            metavar="F",
            help="share of the items whose judgments are reviewed, 0 to 1",
        )
        group.add_argument(
            "--review-blind-share",
            type=float,
            default=defaults.review_blind_share,
            metavar="F",
            help="share of those that the reviewer judges alone first, 0 to 1",
        )
        group.add_argument(
            "--guideline-fixed",
            action="store_true",
            help="the guideline stays as it is while the batch is open",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']}.")
        try:
            plan = _plan(project, options)
            if options["preview"]:
                preview = preview_batch(plan, opening=options["open"])
                self._print(preview, as_json=options["json"])
                if preview.problems:
                    raise CommandError(" ".join(preview.problems))
                return
            lead = lead_of(project, options["by"])
            preview = preview_batch(plan)
            batch = create_batch(plan, by=lead, now=timezone.now(), opened=options["open"])
        except (AnnotationError, ValueError) as refused:
            raise CommandError(str(refused)) from refused
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {**preview.as_json(), "state": batch.state, "public_id": batch.public_id}
                )
            )
        else:
            self._print(preview, as_json=False)
            self.stdout.write(f"Made {batch.slug}, which is {batch.state}.")

    def _print(self, preview: BatchPreview, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(preview.as_json(), ensure_ascii=False))
            return
        write = self.stdout.write
        write(f"{preview.title} ({preview.slug}): {preview.kind}, {preview.purpose}")
        write(
            f"  dialogues  {preview.dialogues}, of which {preview.dialogues_without_item} give no item"
        )
        write(f"  items      {preview.items} of {preview.possible} possible")
        for reason, count in preview.left_out.items():
            write(f"             {count} left out: {reason.replace('_', ' ')}")
        each = ", ".join(
            f"{count} at each of {counted(items, 'item')}"
            for count, items in preview.seats_per_item.items()
        )
        write(f"  seats      {preview.seats} ({each}), {counted(preview.members, 'member')}")
        for name, spread in preview.per_item.items():
            write(
                f"  {name:<10} {rounded(spread.median)} an item (median), "
                f"{rounded(spread.least)} to {rounded(spread.most)}"
            )
        carried = f", or {rounded(preview.hours_carried)} where ratings are carried"
        write(
            f"  hours      {rounded(preview.hours)}"
            + (carried if preview.hours_carried != preview.hours else "")
        )


def lead_of(project: Project, pseudonym: str | None) -> Member:
    """Return the lead who is named, or the only one there is.

    :raises CommandError: where that is nobody, saying what to do.
    """
    leads = list(project.members.active().filter(role=Role.LEAD).order_by("pseudonym"))
    if pseudonym is not None:
        leads = [lead for lead in leads if lead.pseudonym == pseudonym]
        if not leads:
            raise CommandError(f"There is no lead {pseudonym} in {project}.")
    if not leads:
        raise CommandError(f"{project} has no lead: make one in the admin, under Members.")
    if len(leads) > 1:
        names = ", ".join(lead.pseudonym for lead in leads)
        raise CommandError(f"{project} has several leads: say which with --by ({names}).")
    return leads[0]


def _plan(project: Project, options: dict[str, Any]) -> BatchPlan:
    rubric = _rubric(project, options["rubric"])
    return BatchPlan(
        slug=options["slug"],
        title=options["title"] or options["slug"],
        kind=BatchKind(options["kind"]),
        purpose=BatchPurpose(options["purpose"]),
        rubric=rubric,
        choice=_choice(options),
        settings=_settings(rubric, options),
        members=_members(project, options),
        guideline=_guideline(project, options["guideline"]),
        guideline_texts=_guideline_texts(options["guideline_file"]),
        order=ItemOrder(options["order"]),
        lease_minutes=options["lease"],
        seed=options["seed"],
    )


def _rubric(project: Project, named: str | None) -> Rubric:
    rubrics = project.rubrics.select_related("project").order_by("published_at", "version")
    if named:
        slug, _, version = named.partition(":")
        rubrics = rubrics.filter(slug=slug)
        if version:
            rubrics = rubrics.filter(version=_number(version, "rubric version"))
    rubric = rubrics.last()
    if rubric is None:
        raise CommandError(f"There is no rubric {named or ''}".rstrip() + ": load one first.")
    return rubric


def _choice(options: dict[str, Any]) -> DialogueChoice:
    least = most = None
    if options["turns"]:
        told = re.fullmatch(r"([0-9]+)(?:-([0-9]+))?", options["turns"])
        if told is None:
            raise CommandError(f"--turns {options['turns']}: write N or N-M, for example 2-5.")
        least, most = int(told[1]), int(told[2] or told[1])
    return DialogueChoice(
        imports=tuple(options["imports"]),
        sources=tuple(options["sources"]),
        tasks=tuple(options["tasks"]),
        turns_least=least,
        turns_most=most,
        has_images={"some": True, "none": False, None: None}[options["images"]],
        sample=options["sample"],
    )


def _settings(rubric: Rubric, options: dict[str, Any]) -> BatchSettings:
    reasons = reasons_of(options["reasons"], rubric)
    for given in options["reason"]:
        key, equals, rule = given.partition("=")
        if not equals:
            raise CommandError(f"--reason {given}: write DIMENSION=RULE.")
        reasons[key] = ReasonRule.parse(rule)
    pairs, _, per_tree = (options["pairs"] or "").partition(":")
    if pairs and pairs not in [one.value for one in PairChoice]:
        raise CommandError(f"--pairs {options['pairs']}: write all, ring or sample:N.")
    overlap = _overlap(options["overlap"])
    return BatchSettings(
        local_scope=LocalScope(options["local"]),
        global_ratings=not options["no_global"],
        reasons={key: rule for key, rule in reasons.items() if rule != ReasonRule()},
        reason_minimum=options["reason_minimum"],
        rationale_minimum=options["rationale_minimum"],
        dimension_preference=DimensionPreference(options["dimension_preference"]),
        overall_scale=OverallScale(options["overall_scale"]),
        fork_preference=options["fork_preference"],
        pairs=PairChoice(pairs) if pairs else None,
        pairs_per_tree=_number(per_tree, "pairs") if per_tree else BatchSettings().pairs_per_tree,
        equal_length_only=not options["unequal_length"],
        include_incomplete=options["include_incomplete"],
        own_figures=OwnFigures(options["own_figures"]),
        undo_minutes=options["undo_minutes"],
        review_share=options["review_share"],
        review_blind_share=options["review_blind_share"],
        hold_minutes=options["hold_minutes"],
        holds_per_day=options["holds_per_day"],
        guideline_fixed=options["guideline_fixed"],
        on_difference=OnDifference(options["on_difference"]),
        difference_points=options["difference_points"],
        repeats=options["repeats"],
        repeat_gap=options["repeat_gap"],
        gold=options["gold"],
        gold_from=tuple(options["gold_from"]),
        pass_mark=options["pass_mark"],
        requires=options["requires"],
        population=options["population"].strip(),
        **overlap,
    )


def _overlap(text: str) -> dict[str, Any]:
    if text == "everyone":
        return {"everyone": True}
    low, plus, rest = text.partition("+")
    overlap: dict[str, Any] = {"overlap": _number(low, "overlap")}
    if plus:
        high, _, share = rest.partition(":")
        try:
            overlap |= {"overlap_high": int(high), "overlap_high_share": float(share)}
        except ValueError as unread:
            raise CommandError(f"--overlap {text}: write N, N+M:SHARE or everyone.") from unread
    return overlap


def _members(project: Project, options: dict[str, Any]) -> tuple[Member, ...]:
    active = project.members.active()
    if options["all_annotators"]:
        annotators = active.filter(role=Role.ANNOTATOR).exclude(user=None)
        return tuple(annotators.order_by("pseudonym"))
    found = {member.pseudonym: member for member in active.filter(pseudonym__in=options["members"])}
    if unknown := [name for name in options["members"] if name not in found]:
        raise CommandError(f"Not members of {project}: {', '.join(unknown)}.")
    return tuple(found[name] for name in options["members"])


def _guideline(project: Project, slug: str | None) -> Guideline | None:
    if slug is None:
        return None
    guideline = project.guidelines.filter(slug=slug).first()
    if guideline is None:
        raise CommandError(f"There is no guideline {slug}.")
    return guideline


def _guideline_texts(given: list[str]) -> dict[str, str]:
    texts = {}
    for one in given:
        language, equals, path = one.partition("=")
        if not equals:
            raise CommandError(f"--guideline-file {one}: write LANGUAGE=PATH.")
        try:
            texts[language] = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as unread:
            raise CommandError(f"{path} could not be read: {unread}") from unread
    return texts


def _number(text: str, what: str) -> int:
    try:
        return int(text)
    except ValueError as unread:
        raise CommandError(f"{text!r} is no number of {what}.") from unread
