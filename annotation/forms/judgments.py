"""The judging form: its flat field names to the body of answers, and back.

    score.RESPONSE.DIMENSION          "2", "-1", "na", or "rule:3" for the value the rubric offers
    yours.RESPONSE.DIMENSION          what the page had filled in as the person's own earlier answer
    reason.RESPONSE.DIMENSION         text
    tag.RESPONSE.DIMENSION            one or more tags
    preference.KEY                    "RESPONSE:1", "RESPONSE:2" (much), "tie", "both_bad"
    origin|bulk|contradiction.KEY     how the preference came about
    rationale, critique.RESPONSE, refinement.RESPONSE, image.SLOT
    evidence                          JSON of times and pictures looked at

Responses are named by their ids and never by a letter, so that no side can be swapped on the
way. What is legal is decided by the action alone. Characters that no database here can hold are
left out on the way in: a refusal would make the page send the same draft again for ever.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.http import QueryDict  # noqa: TID251  # the type of what a form was sent

from annotation.choices import Origin, Outcome
from annotation.models.judgments import Judgment
from annotation.rendering.text import guess_script, without_unstorable
from annotation.reports.judging_parts import BY_RULE, NOT_APPLICABLE

Body = dict[str, Any]
Fields = dict[str, str | list[str]]

MOST_EVIDENCE = 20_000
LONGEST_NUMBER = 9


def body_of(data: QueryDict) -> Body:
    """Return the body of answers that a posted form says; empty fields are left out."""
    body: Body = _storable(_read(data))
    return body


def _read(data: QueryDict) -> Body:
    ratings: dict[str, dict[str, Any]] = {}
    preferences: dict[str, dict[str, Any]] = {}
    remarks: dict[str, dict[str, str]] = {}
    for name in sorted(data):
        kind, _, target = name.partition(".")
        value = _text(data, name)
        match kind:
            case "score" | "reason" | "tag" if value:
                response, _, dimension = target.partition(".")
                ratings.setdefault(response, {}).setdefault(dimension, {})
            case "preference" if value:
                preferences[target] = _preference(value, target, data)
            case "rationale" | "critique" | "refinement" | "image" if value.strip():
                remarks[f"{kind}:{target}" if target else kind] = {
                    "text": value,
                    "language": guess_script(value).language,
                }
    for response, dimensions in ratings.items():
        for dimension in dimensions:
            dimensions[dimension] = _rating(f"{response}.{dimension}", data)
    return {
        "ratings": ratings,
        "preferences": preferences,
        "remarks": remarks,
        "evidence": _evidence(data.get("evidence", "")),
    }


def fields_of(body: Mapping[str, Any]) -> Fields:
    """Return a body's values by field name, as the page is filled in."""
    fields: Fields = {}
    for response, dimensions in _items(body.get("ratings")):
        for dimension, value in _items(dimensions):
            fields.update(_rating_fields(f"{response}.{dimension}", value))
    for key, value in _items(body.get("preferences")):
        outcome = value.get("outcome")
        said = f"{value.get('preferred')}:{value.get('strength') or 1}"
        fields[f"preference.{key}"] = said if outcome == Outcome.PREFERS else str(outcome)
        for field, name in (("origin", "origin"), ("contradiction", "contradiction")):
            if value.get(name):
                fields[f"{field}.{key}"] = str(value[name])
        if value.get("in_bulk"):
            fields[f"bulk.{key}"] = "1"
    for name, value in _items(body.get("remarks")):
        fields[name.replace(":", ".", 1)] = str(value.get("text", ""))
    fields["evidence"] = json.dumps(body.get("evidence") or {}, sort_keys=True)
    return fields


def body_of_judgment(judgment: Judgment) -> Body:
    """Return a stored judgment as a body, to be corrected. Three queries."""
    ratings: dict[str, dict[str, Any]] = {}
    for rating in judgment.ratings.select_related("response", "dimension").order_by("pk"):
        ratings.setdefault(rating.response.public_id, {})[rating.dimension.key] = {
            "score": rating.score,
            "na": rating.not_applicable,
            "origin": rating.origin,
            "reason": rating.reason,
            "tags": rating.tags,
        }
    preferences = {
        (f"dimension:{one.dimension.key}" if one.dimension else one.scope): {
            "outcome": one.outcome,
            "preferred": one.preferred.public_id if one.preferred else None,
            "strength": one.strength,
            "origin": one.origin,
            "in_bulk": one.in_bulk,
            "contradiction": one.contradiction,
        }
        for one in judgment.preferences.select_related("dimension", "preferred").order_by("pk")
    }
    remarks = {}
    for remark in judgment.remarks.select_related("response").order_by("pk"):
        target = remark.slot_id or (remark.response.public_id if remark.response else "")
        name = f"{remark.kind}:{target}" if target else remark.kind
        remarks[name] = {"text": remark.text, "language": remark.language}
    return {
        "ratings": ratings,
        "preferences": preferences,
        "remarks": remarks,
        "evidence": {
            "active_ms": judgment.active_ms,
            "images_seen": judgment.images_seen,
            "images_opened": judgment.images_opened,
        },
    }


def _text(data: QueryDict, name: str) -> str:
    """Return a field's text with the line ends the person typed: forms are sent with CRLF."""
    return str(data.get(name, "")).replace("\r\n", "\n")


def _rating(field: str, data: QueryDict) -> dict[str, Any]:
    value = data.get(f"score.{field}", "")
    score = value.removeprefix(f"{BY_RULE}:")
    rating: dict[str, Any] = {}
    if value == NOT_APPLICABLE:
        rating["na"] = True
    elif score.removeprefix("-").isdecimal() and len(score) <= LONGEST_NUMBER:
        rating["score"] = int(score)
    elif score:
        # Not a number: passed on as it came, for the action to refuse by name.
        rating["score"] = score
    if value and value != score:
        rating["origin"] = Origin.BY_RULE.value
    elif value and value == data.get(f"yours.{field}"):
        rating["origin"] = Origin.CARRIED.value
    if reason := _text(data, f"reason.{field}"):
        rating["reason"] = reason
        rating["reason_language"] = guess_script(reason).language
    if tags := data.getlist(f"tag.{field}"):
        rating["tags"] = tags
    return rating


def _preference(value: str, key: str, data: QueryDict) -> dict[str, Any]:
    said: dict[str, Any] = {"outcome": value}
    preferred, _, strength = value.rpartition(":")
    if preferred and strength.isdecimal() and len(strength) <= LONGEST_NUMBER:
        said = {
            "outcome": Outcome.PREFERS.value,
            "preferred": preferred,
            "strength": int(strength),
        }
    if data.get(f"origin.{key}") == Origin.PROPOSED:
        said["origin"] = Origin.PROPOSED.value
    if data.get(f"bulk.{key}"):
        said["in_bulk"] = True
    if contradiction := data.get(f"contradiction.{key}"):
        said["contradiction"] = contradiction
    return said


def _rating_fields(field: str, value: Mapping[str, Any]) -> Iterator[tuple[str, str | list[str]]]:
    if value.get("na"):
        yield f"score.{field}", NOT_APPLICABLE
    elif value.get("score") is not None:
        by_rule = f"{BY_RULE}:" if value.get("origin") == Origin.BY_RULE else ""
        yield f"score.{field}", f"{by_rule}{value['score']}"
    yield f"reason.{field}", str(value.get("reason", ""))
    yield f"tag.{field}", list(value.get("tags") or [])


def _evidence(text: str) -> dict[str, Any]:
    if not text or len(text) > MOST_EVIDENCE:
        return {}
    try:
        evidence = json.loads(text)
    except ValueError:
        return {}
    known = ("first_input_at", "last_input_at", "active_ms", "images_seen", "images_opened")
    return (
        {name: evidence[name] for name in known if evidence.get(name)}
        if isinstance(evidence, dict)
        else {}
    )


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return without_unstorable(value)
    if isinstance(value, dict):
        return {_storable(name): _storable(one) for name, one in value.items()}
    return [_storable(one) for one in value] if isinstance(value, list) else value


def _items(value: object) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
