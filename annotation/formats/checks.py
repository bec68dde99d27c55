"""What a row of a training file must satisfy, checked before it is written and again on disk.

Each check returns the problem in words, or None. The list is that of the exporter's checks in our
notes on training formats: placeholders equal pictures per field, roles alternate and begin with
the user, the two sides differ, no tie in a binary target, no picture that the target cannot hold,
no `[""]`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# Tags that ms-swift replaces by media wherever they stand in a text.
SWIFT_TAG = "<image>"
_SWIFT_MEDIA = re.compile(r"<(?:image|video|audio)>")


class Unfit(Exception):
    """A row that a target cannot hold.

    `reason` is the key under which the manifest counts it. Where `refuses` is true the whole
    export is refused instead, because leaving the row out would lose data that nobody said may be
    lost; `advice` then says which option would say so.
    """

    def __init__(self, reason: str, *, advice: str = "") -> None:
        """Remember the reason; with advice the export is refused."""
        super().__init__(reason)
        self.reason = reason
        self.advice = advice

    @property
    def refuses(self) -> bool:
        """Say whether the whole export has to be refused."""
        return bool(self.advice)


def has_literal_tag(text: str) -> bool:
    """Say whether the text itself contains what ms-swift would take for a picture, video or sound."""
    return _SWIFT_MEDIA.search(text) is not None


def roles_problem(roles: Sequence[str]) -> str | None:
    """Check that the user begins, that roles alternate, and that an answer ends the messages."""
    expected = ["user", "assistant"] * (len(roles) // 2)
    if not roles or list(roles) != expected:
        return (
            f"roles are {', '.join(roles) or 'none'}: user and assistant must alternate, user first"
        )
    return None


def images_problem(field: str, placeholders: int, images: Sequence[Any]) -> str | None:
    """Check that a field has as many placeholders as pictures, and that no name is empty."""
    if any(image in ("", None) for image in images):
        return f"{field} names an empty picture"
    if placeholders != len(images):
        return f"{field} has {placeholders} placeholders for {len(images)} pictures"
    return None


def swift_problems(row: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with one row of an ms-swift file."""
    problems = []
    for messages, images in (("messages", "images"), ("rejected_messages", "rejected_images")):
        told = row[messages]
        placeholders = sum(message["content"].count(SWIFT_TAG) for message in told)
        problems.append(images_problem(images, placeholders, row[images]))
        problems.append(roles_problem([message["role"] for message in told]))
    if _texts(row["messages"]) == _texts(row["rejected_messages"]) and (
        row["images"] == row["rejected_images"]
    ):
        problems.append("chosen and rejected are the same")
    return [problem for problem in problems if problem]


def trl_problems(row: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with one row of a TRL file."""
    sides = [row["chosen"], row["rejected"]]
    problems = [
        images_problem("images", _image_parts(row["prompt"]), row["images"]),
        roles_problem([m["role"] for m in row["prompt"]] + [m["role"] for m in row["chosen"]]),
        roles_problem([m["role"] for m in row["prompt"]] + [m["role"] for m in row["rejected"]]),
    ]
    if any(_image_parts(side) for side in sides):
        problems.append("a side holds a picture, which TRL cannot read")
    if any(len(side) != 1 for side in sides):
        problems.append("a side is more than one message")
    if sides[0] == sides[1]:
        problems.append("chosen and rejected are the same")
    return [problem for problem in problems if problem]


def canonical_problems(record: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with one canonical record, given as plain JSON values."""
    problems = []
    listed = {image["image"] for image in record["images"]}
    for side, messages in sorted(record["sides"].items()):
        told = [*record["prompt"], *messages]
        problems.append(roles_problem([message["role"] for message in told]))
        parts = [part for message in told for part in message["content"] if part["type"] == "image"]
        for part in parts:
            if part["state"] == "stored" and part["image"] not in listed:
                problems.append(f"{side} shows {part['image']}, which images does not list")
            if part["state"] != "stored" and part["image"] is not None:
                problems.append(f"{side} names a picture in a slot that is {part['state']}")
    problems += [
        f"{decision['dimension']}: {decision['outcome']} and preferred side disagree"
        for decision in record["aggregates"]
        if (decision["outcome"] == "prefers") != (decision["preferred"] is not None)
    ]
    return [problem for problem in problems if problem]


def leaking(placement: Iterable[tuple[str, str]]) -> list[str]:
    """Return the roots that stand in two splits, from (root, split) pairs."""
    seen: dict[str, str] = {}
    return sorted({root for root, split in placement if seen.setdefault(root, split) != split})


def _texts(messages: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in messages]


def _image_parts(messages: Sequence[Mapping[str, Any]]) -> int:
    return sum(part["type"] == "image" for message in messages for part in message["content"])
