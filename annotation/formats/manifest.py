"""The manifest of an export, written last: what is in the folder, from what, and what is not.

Its sums balance, and `verified` counts them again from the files:

* judgments: submitted = exported + excluded, by reason. `submitted` counts every judgment of the
  batches up to the snapshot's number, revisions, withdrawals and surplus included.
* decisions (pair formats): made = written + excluded, by reason. One decision is one pair on one
  dimension, or with `raw` one person's word on it.

It holds no clock time and no name of a machine, so the whole folder is the same for ever.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow.parquet as pq

from annotation.formats.checks import canonical_problems, leaking, swift_problems, trl_problems
from annotation.formats.pairs import canonical_json

SCHEMA = "intermt-annotate/manifest/1"
NAME = "manifest.json"
INDEX = "index.jsonl"
PARTIAL = ".partial"  # in the name of a folder that is still being written

_CHUNK = 1 << 20
_ROW_CHECKS: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "canonical": canonical_problems,
    "swift": swift_problems,
    "trl": trl_problems,
}


class NoManifest(ValueError):
    """A folder that is no finished export."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of the export; `rows` is None for a picture or a text."""

    path: str
    bytes: int
    sha256: str
    rows: int | None = None
    split: str | None = None


@dataclass(slots=True)
class Balance:
    """A sum that must come out: `total` = `kept` + everything in `excluded`."""

    total: int = 0
    kept: int = 0
    excluded: Counter[str] = field(default_factory=Counter)

    def keep(self, number: int = 1) -> None:
        """Count what is in the files."""
        self.total += number
        self.kept += number

    def leave_out(self, reason: str, number: int = 1) -> None:
        """Count what is not, and why."""
        self.total += number
        self.excluded[reason] += number

    def told(self, total: str, kept: str) -> dict[str, Any]:
        """Return the sum as plain values under the two names."""
        excluded = {key: n for key, n in sorted(self.excluded.items()) if n}
        return {total: self.total, kept: self.kept, "excluded": excluded}


def manifest(
    *,
    format: str,
    snapshots: Iterable[Mapping[str, Any]],
    options: Mapping[str, Any],
    judgments: Balance,
    decisions: Balance | None,
    files: Iterable[FileEntry],
    policies: Iterable[str],
    lost: Mapping[str, int],
    splits: Mapping[str, Any] | None,
    made_by: str,
    set_name: str = "final",
) -> dict[str, Any]:
    """Return the manifest as plain values, sums told and files sorted by path."""
    return {
        "schema": SCHEMA,
        "made_by": made_by,
        "format": format,
        "set": set_name,
        "snapshots": sorted((dict(told) for told in snapshots), key=lambda told: told["batch"]),
        "options": dict(options),
        "policies": list(policies),
        "judgments": judgments.told("submitted", "exported"),
        "decisions": decisions.told("made", "written") if decisions else None,
        "lost": {key: n for key, n in sorted(lost.items()) if n},
        "splits": dict(splits) if splits is not None else None,
        "files": [asdict(entry) for entry in sorted(files, key=lambda entry: entry.path)],
    }


def manifest_bytes(told: Mapping[str, Any]) -> bytes:
    """Return the manifest for the eye and for the hash: sorted keys, two blanks, LF."""
    return (json.dumps(told, ensure_ascii=False, sort_keys=True, indent=2) + "\n").encode("utf-8")


def file_digest(path: Path) -> tuple[int, str]:
    """Return size and SHA-256 of a file, read in pieces."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def read_manifest(directory: Path) -> dict[str, Any]:
    """Read the manifest of a finished export; raise `NoManifest` where there is none."""
    path = directory / NAME
    try:
        told = json.loads(path.read_bytes())
    except FileNotFoundError as reason:
        raise NoManifest(f"{directory} has no {NAME}: not an export, or one that broke") from reason
    except ValueError as reason:
        raise NoManifest(f"{path} is not JSON: {reason}") from reason
    if not isinstance(told, dict) or told.get("schema") != SCHEMA:
        raise NoManifest(f"{path} is not of the schema {SCHEMA}")
    return told


def verified(directory: Path) -> list[str]:
    """Check a finished export against its manifest; return every problem in words, none if sound.

    Sizes, checksums, row counts, balanced sums, files too many; each row of a training file by the
    checks of its format; no dialogue in two splits. Raise `NoManifest` where there is none.
    """
    told = read_manifest(directory)
    problems = [*_unbalanced(told)]
    placement: list[tuple[str, str]] = []
    for entry in told["files"]:
        path = _inside(directory, entry["path"])
        if path is None:
            problems.append(f"{entry['path']} is not inside the export")
        elif not path.is_file():
            problems.append(f"{entry['path']} is missing")
        else:
            problems += _file_problems(path, entry, told["format"], placement)
    problems += [f"dialogue {root} stands in two splits" for root in leaking(placement)]
    problems += _strangers(directory, told)
    return problems


def _unbalanced(told: Mapping[str, Any]) -> list[str]:
    problems = []
    for name, total, kept in (
        ("judgments", "submitted", "exported"),
        ("decisions", "made", "written"),
    ):
        sums = told[name]
        if sums and sums[total] != sums[kept] + sum(sums["excluded"].values()):
            problems.append(f"{name}: {total} is not {kept} plus excluded")
    rows = sum(entry["rows"] for entry in told["files"] if _is_training_file(entry, told["format"]))
    if told["decisions"] and told["format"] != "canonical" and rows != told["decisions"]["written"]:
        problems.append(f"decisions: {told['decisions']['written']} written, {rows} rows in files")
    return problems


def _file_problems(
    path: Path, entry: Mapping[str, Any], format: str, placement: list[tuple[str, str]]
) -> list[str]:
    size, digest = file_digest(path)
    if (size, digest) != (entry["bytes"], entry["sha256"]):
        return [f"{entry['path']} was altered: {size} bytes, SHA-256 {digest}"]
    if entry["rows"] is None:
        return []
    if path.suffix == ".parquet":
        rows = pq.ParquetFile(path).metadata.num_rows
        return [] if rows == entry["rows"] else [f"{entry['path']} has {rows} rows"]
    if path.suffix != ".jsonl":
        return []
    problems = []
    rows = 0
    check = _ROW_CHECKS.get(format) if _is_training_file(entry, format) else None
    with path.open("rb") as file:
        for rows, line in enumerate(file, start=1):
            if check is None:
                continue
            row = json.loads(line)
            problems += [f"{entry['path']} line {rows}: {problem}" for problem in check(row)]
            if entry["split"]:
                placement.append((row["dialogue"], entry["split"]))
    if rows != entry["rows"]:
        problems.append(f"{entry['path']} has {rows} rows, {entry['rows']} in the manifest")
    return problems


def _is_training_file(entry: Mapping[str, Any], format: str) -> bool:
    return format in _ROW_CHECKS and entry["path"].endswith(".jsonl") and entry["path"] != INDEX


def _strangers(directory: Path, told: Mapping[str, Any]) -> list[str]:
    known = {entry["path"] for entry in told["files"]} | {NAME}
    found = (path for path in sorted(directory.rglob("*")) if path.is_file())
    names = (path.relative_to(directory).as_posix() for path in found)
    return [f"{name} is not in the manifest" for name in names if name not in known]


def _inside(directory: Path, name: str) -> Path | None:
    parts = PurePosixPath(name)
    if parts.is_absolute() or ".." in parts.parts:
        return None
    return directory / parts


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """What an export said of one pair, kept so that `errata` can say what has changed since."""

    pair: str
    batch: str
    dialogue: str
    digest: str  # of the evidence
    judgments: tuple[int, ...]
    decisions: Mapping[str, str]  # dimension to the preferred side or the state

    def line(self) -> bytes:
        """Return the entry as one canonical line."""
        return (canonical_json(asdict(self)) + "\n").encode("utf-8")


def read_index(directory: Path) -> dict[str, IndexEntry]:
    """Read the index of an export, by pair."""
    entries = {}
    with (directory / INDEX).open(encoding="utf-8") as file:
        for line in file:
            told = json.loads(line)
            told["judgments"] = tuple(told["judgments"])
            entries[told["pair"]] = IndexEntry(**told)
    return entries


@dataclass(frozen=True, slots=True)
class Erratum:
    """One pair that reads otherwise now than in an export."""

    pair: str
    batch: str
    what: str  # changed, gone, come
    before: Mapping[str, str]
    now: Mapping[str, str]


def errata(before: Mapping[str, IndexEntry], now: Mapping[str, IndexEntry]) -> list[Erratum]:
    """Return what has changed, gone or come between two indexes, sorted by pair."""
    found = []
    for pair in sorted(before.keys() | now.keys()):
        old, new = before.get(pair), now.get(pair)
        if old is None and new is not None:
            found.append(Erratum(pair, new.batch, "come", {}, new.decisions))
        elif new is None and old is not None:
            found.append(Erratum(pair, old.batch, "gone", old.decisions, {}))
        elif old and new and (old.digest, old.decisions) != (new.digest, new.decisions):
            found.append(Erratum(pair, new.batch, "changed", old.decisions, new.decisions))
    return found
