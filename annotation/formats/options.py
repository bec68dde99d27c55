"""What can be asked of an export, checked once for the command, the page and the API."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from annotation.formats.aggregate import OVERALL, Policy
from annotation.formats.pairs import PairMark
from annotation.formats.splits import BadSplit, parse_shares

ALL = "all"
NOW = -1
CHOICES: Mapping[str, tuple[str, ...]] = {
    "format": ("canonical", "ratings", "swift", "trl"),
    "source": ("preferences", "scores"),
    "aggregate": ("majority", "raw"),
    "ties": ("drop", "keep"),
    "margin": ("none", "strength", "gap"),
    "text": ("shown", "raw"),
    "images": ("copy", "link", "none"),
    "response_images": ("refuse", "drop"),
    "set": ("final", "independent"),
}
BINARY = ("swift", "trl")
NO_GAP_SAID = 1.0
"""The least gap where nobody named one. Votes that are no scores have no other."""


class BadOptions(ValueError):
    """Options that contradict each other or are none; `fields` says which and why."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        """Join the reasons into one message."""
        super().__init__(" ".join(fields.values()))
        self.fields = dict(fields)


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Everything that decides the bytes of an export, beside the snapshot.

    :ivar dimension: a dimension's key, `overall`, `fork` or `all`.
    :ivar source: whether votes are preferences as given or come from scores.
    :ivar min_gap: with scores: means closer than this are a tie.
    :ivar aggregate: one row per decision of the majority, or one per vote.
    :ivar ties: whether canonical records decided as a tie or both bad are kept; empty for the
        format's own way, which is keep for canonical. Binary targets never hold one.
    :ivar margin: what the margin column says.
    :ivar split: shares as "90/5/5", empty for one file.
    :ivar seed: decides splits and positions.
    :ivar text: what readers were shown, or byte for byte what the file said.
    :ivar images: copy the originals into the export, link them, or only name them.
    :ivar last_response_only: compare only the last response of each side.
    :ivar response_images: for TRL: whether pictures of responses may be lost.
    :ivar set: the judgments a ratings file is made of.
    :ivar without_marks: content marks whose dialogues are left out, joined by commas, or `all`.
    :ivar marks_at: the number of the project's newest content mark that counts; -1: now, which
        the manifest replaces by the number.
    """

    format: str = "canonical"
    dimension: str = OVERALL
    source: str = "preferences"
    min_gap: float = NO_GAP_SAID
    aggregate: str = "majority"
    ties: str = ""
    margin: str = "none"
    split: str = ""
    seed: int = 0
    text: str = "shown"
    images: str = "copy"
    last_response_only: bool = False
    response_images: str = "refuse"
    set: str = "final"
    without_marks: str = ""
    marks_at: int = NOW

    def __post_init__(self) -> None:
        """Refuse what cannot be done, naming every field at once."""
        object.__setattr__(self, "min_gap", float(self.min_gap))
        if not self.ties:
            object.__setattr__(self, "ties", "keep" if self.format == "canonical" else "drop")
        wrong = {
            name: f"{name}: {getattr(self, name)!r} is none of {', '.join(known)}."
            for name, known in CHOICES.items()
            if getattr(self, name) not in known
        }
        if self.ties == "keep" and self.format in BINARY:
            wrong["ties"] = (
                f"ties: {self.format} holds a chosen and a rejected side, so a tie cannot be kept."
            )
        if self.set == "independent" and self.format != "ratings":
            wrong["set"] = "set: pairs are made of the final set; independent is for ratings."
        if gap := self._wrong_gap():
            wrong["min_gap"] = f"min_gap: {gap}."
        wrong |= self._wrong_numbers()
        object.__setattr__(self, "without_marks", ",".join(self.unwanted_marks))
        if self.split and self.format == "ratings":
            wrong["split"] = "split: ratings are one file; split pairs."
        elif self.split:
            try:
                parse_shares(self.split)
            except BadSplit as reason:
                wrong["split"] = f"split: {reason}."
        if wrong:
            raise BadOptions(wrong)

    def _wrong_numbers(self) -> dict[str, str]:
        wrong = {}
        if not 0 <= self.seed < 2**63:
            wrong["seed"] = "seed: a whole number from 0."
        if not NOW <= self.marks_at < 2**63:
            wrong["marks_at"] = "marks_at: a whole number from 0, or -1 for now."
        return wrong

    def _wrong_gap(self) -> str:
        if not 0 <= self.min_gap <= 11:
            return "a gap between scores lies between 0 and 11"
        if self.min_gap != NO_GAP_SAID and self.source == "preferences":
            return "preferences as given have no gap; take votes from scores, or leave it at 1"
        return ""

    @property
    def unwanted_marks(self) -> tuple[str, ...]:
        """The content marks whose dialogues are left out, sorted; `all` alone for any."""
        told = {one.strip() for one in self.without_marks.split(",")} - {""}
        return (ALL,) if ALL in told else tuple(sorted(told))

    def mark_refused(self, marks: Iterable[PairMark]) -> str:
        """Return the first of a dialogue's marks for which it is left out, "" where it is not."""
        unwanted = self.unwanted_marks
        refused = {one.category for one in marks if unwanted == (ALL,) or one.category in unwanted}
        return min(refused, default="")

    def _mark_rules(self) -> list[str]:
        carried = (
            f"Content marks are as of number {self.marks_at} of the project's marks and name their "
            "origin."
        )
        if self.unwanted_marks == (ALL,):
            return [carried, "Dialogues with any content mark are left out."]
        if self.unwanted_marks:
            keys = ", ".join(self.unwanted_marks)
            return [carried, f"Dialogues with a content mark of {keys} are left out."]
        return [carried]

    @property
    def policy(self) -> Policy:
        """Return how votes are read and joined."""
        return Policy(
            dimensions=() if self.dimension == ALL else (self.dimension,),
            source=self.source,  # type: ignore[arg-type]
            min_gap=self.min_gap,
            method=self.aggregate,  # type: ignore[arg-type]
            ties=self.ties,  # type: ignore[arg-type]
            margin=self.margin,  # type: ignore[arg-type]
        )

    def as_json(self) -> dict[str, Any]:
        """Return plain values; `from_json` gives the same options back."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Read options; a missing name has its default. Raise `BadOptions` for anything else."""
        kinds = {field.name: type(field.default) for field in fields(cls)}
        wrong = {name: f"{name}: no such option." for name in body if name not in kinds}
        for name, value in body.items():
            expected = (int, float) if kinds.get(name) in {int, float} else (kinds.get(name, str),)
            if name in kinds and (
                not isinstance(value, expected)
                or (isinstance(value, bool) and kinds[name] is not bool)
                or (kinds[name] is int and not isinstance(value, int))
            ):
                wrong[name] = f"{name}: {value!r} is not a {kinds[name].__name__}."
        if wrong:
            raise BadOptions(wrong)
        return cls(**body)

    def policies(self) -> list[str]:
        """Return the rules that made the rows, in words, for the manifest and the card."""
        if self.format == "ratings":
            return [
                "One row per rating of the set; judgments taken out by a void are excluded.",
                "score is empty where a rating enters no ordinal statistic; left_out says why.",
                "CSV text cells that a spreadsheet would run have one apostrophe in front.",
                *self._mark_rules(),
            ]
        vote = (
            "A vote is a preference as it was given."
            if self.source == "preferences"
            else "A vote is the sign of the gap between a person's mean scores of the two sides; "
            f"gaps below {self.min_gap:g} are a tie."
        )
        joined = (
            "An adjudication decides; else a reviewer's own judgment; else more than half of the "
            "votes. No such half is no_majority and gives no row."
            if self.aggregate == "majority"
            else "Each vote is a row of its own."
        )
        return [
            "Pairs are of the final set; gold items, repeats, surplus and voided work are excluded.",
            vote,
            joined,
            "A tie or both_bad never becomes a preference.",
            "A dialogue, and dialogues that share a picture, stand in one split.",
            "Positions are drawn from the seed.",
            *self._mark_rules(),
        ]
