"""The quality of a batch's work at a number: known answers, repeats, and signs, by person."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from annotation.models.batches import Batch
from annotation.models.projects import Member
from annotation.reports.gold import GoldRow, gold_report
from annotation.reports.repeats import RepeatRow, repeat_report
from annotation.reports.signals import Signal, signals_of


@dataclass(frozen=True, slots=True)
class PersonQuality:
    """What one person's work shows; None where there is nothing of the kind.

    :ivar member: public id.
    """

    member: str
    pseudonym: str
    signals: tuple[Signal, ...]
    gold: GoldRow | None
    repeats: RepeatRow | None


@dataclass(frozen=True, slots=True)
class BatchQuality:
    """Everybody of whom there is anything to tell, by pseudonym."""

    batch: str
    number: int
    people: tuple[PersonQuality, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; `signals_in` reads the signs back."""
        return {
            "batch": self.batch,
            "number": self.number,
            "people": [
                {
                    "member": one.member,
                    "pseudonym": one.pseudonym,
                    "signals": [signal.as_dict() for signal in one.signals],
                    "gold": _plain(one.gold),
                    "repeats": _plain(one.repeats),
                }
                for one in self.people
            ],
        }


def batch_quality(batch: Batch, *, number: int | None = None) -> BatchQuality:
    """Return the quality of the batch's work at `number`, or at its newest.

    Some forty queries; reads every independent vote, so that large batches leave it to a worker.
    """
    if number is None:
        number = Batch.objects.values_list("last_number", flat=True).get(pk=batch.pk)
    signals = signals_of(batch, number)
    gold = {row.member: row for row in gold_report(batch, number=number)}
    repeats = {row.member: row for row in repeat_report(batch, number=number)}
    members = Member.objects.in_bulk({*signals, *gold, *repeats})
    people = [
        PersonQuality(
            member=member.public_id,
            pseudonym=member.pseudonym,
            signals=signals.get(pk, ()),
            gold=gold.get(pk),
            repeats=repeats.get(pk),
        )
        for pk, member in members.items()
    ]
    return BatchQuality(
        batch.slug, number, tuple(sorted(people, key=lambda one: (not one.signals, one.pseudonym)))
    )


def signals_in(body: Mapping[str, Any]) -> dict[str, tuple[Signal, ...]]:
    """Return member's public id -> signs, from what `BatchQuality.as_dict` gave."""
    return {
        one["member"]: tuple(Signal.from_dict(signal) for signal in one["signals"])
        for one in body["people"]
    }


def _plain(row: GoldRow | RepeatRow | None) -> dict[str, Any] | None:
    """Return the row without the member's key, which stands beside it as a public id."""
    if row is None:
        return None
    body = asdict(row)
    del body["member"], body["pseudonym"]
    return body
