"""Writing the folder of an export: everything in a folder nobody reads yet, then its name at once."""

import hashlib
import os
import secrets
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext as _

from annotation.errors import AnnotationError, Invalid
from annotation.formats.card import card
from annotation.formats.manifest import (
    INDEX,
    NAME,
    PARTIAL,
    Balance,
    FileEntry,
    IndexEntry,
    file_digest,
    manifest,
    manifest_bytes,
)
from annotation.formats.options import ExportOptions
from annotation.formats.pairs import Pair, canonical_line
from annotation.formats.project import projected
from annotation.formats.splits import NAMES, Shares, joined, parse_shares, placed
from annotation.formats.write_ratings import RatingsParquet, header_line, rating_line
from annotation.models.content import Image
from annotation.models.projects import Project
from annotation.reports.exports import (
    RatingsIndex,
    described,
    unknown_dimension,
    unknown_marks,
    with_marks,
)
from annotation.reports.pairs import Snapshot, as_trees, is_pair_batch, pair_pages, trees_of
from annotation.reports.ratings import rating_pages
from annotation.reports.reliability import reliability_of
from annotation.reports.sentences import in_words

MADE_BY = "intermt-annotate/export/1"
"""The layout of the files, not the version of the program: the bytes outlive an upgrade."""

README = "README.md"
RELIABILITY = "reliability.json"

Progress = Callable[[int], None]


class CannotHold(AnnotationError):
    """The target cannot hold what was judged, and nobody said that it may be lost."""

    status = 422


class FolderTaken(AnnotationError):
    """Something is in the folder already."""


class OriginalMissing(AnnotationError):
    """A picture of the export is not in the store, or is not what it was."""


def nothing_told(_done: int) -> None:
    """Tell nobody how far it is."""


def write_folder(
    target: Path,
    *,
    project: Project,
    snapshots: Sequence[Snapshot],
    options: ExportOptions,
    progress: Progress = nothing_told,
) -> dict[str, Any]:
    """Write an export of the snapshots to the folder `target`; return its manifest.

    The folder gets its name when all is in it and on disk, the manifest last; a run that breaks
    leaves nothing under that name. `progress` hears how many judgments are done.

    :raises FolderTaken: if `target` exists and is not an empty folder.
    :raises Invalid: for a content mark that is none of the project's.
    :raises NotFound: for a number of content marks that is not reached yet.
    :raises CannotHold: if the format cannot hold the data; the message says what to do.
    :raises OriginalMissing: if a picture is not in the store.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FolderTaken(
            _("%(folder)s is not empty. Name a new folder; an export is never mixed.")
            % {"folder": target}
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    if wrong := unknown_marks(project, options):
        raise Invalid(wrong, fields={"without_marks": wrong})
    snapshots, options = with_marks(project, snapshots, options)
    partial = target.with_name(f".{target.name}{PARTIAL}-{secrets.token_hex(4)}")
    partial.mkdir()
    try:
        with ExitStack() as stack:
            told = _Folder(partial, project, list(snapshots), options, progress, stack).write()
        partial.replace(target)
        _sync_folder(target.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return told


class _Folder:
    """One export while it is written."""

    def __init__(
        self,
        folder: Path,
        project: Project,
        snapshots: list[Snapshot],
        options: ExportOptions,
        progress: Progress,
        stack: ExitStack,
    ) -> None:
        self.stack = stack
        self.folder = folder
        self.project = project
        self.snapshots = sorted(snapshots, key=lambda snapshot: snapshot.batch.slug)
        self.options = options
        self.progress = progress
        self.judgments = Balance()
        self.decisions = Balance()
        self.lost: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.images: set[str] = set()
        self.files: list[FileEntry] = []
        self.splits: dict[str, Any] | None = None
        self.done = 0

    def write(self) -> dict[str, Any]:
        if self.options.format == "ratings":
            self._write_ratings()
        else:
            self._write_pairs()
        self._write_images()
        reliability = reliability_of(self.snapshots)
        self._write_text(RELIABILITY, manifest_bytes(reliability).decode())
        self._write_text(README, card(self._manifest(), reliability))
        told = self._manifest()
        with synced(self.folder / NAME) as file:
            file.write(manifest_bytes(told))
        _sync_folder(self.folder)
        return told

    def _manifest(self) -> dict[str, Any]:
        return manifest(
            format=self.options.format,
            snapshots=[described(snapshot) for snapshot in self.snapshots],
            options=self.options.as_json(),
            judgments=self.judgments,
            decisions=None if self.options.format == "ratings" else self.decisions,
            files=self.files,
            policies=self.options.policies(),
            lost=self.lost,
            splits=self.splits,
            made_by=MADE_BY,
            set_name=self.options.set,
        )

    def _write_pairs(self) -> None:
        for snapshot in self.snapshots:
            if not is_pair_batch(snapshot.batch):
                raise CannotHold(
                    _(
                        "The items of %(batch)s have one side, so there are no pairs in it. "
                        "Export its ratings."
                    )
                    % {"batch": snapshot.batch.slug}
                )
        wrong = unknown_dimension([one.batch for one in self.snapshots], self.options)
        if wrong:
            raise Invalid(wrong, fields={"dimension": wrong})
        split_of = self._place()
        names = list(NAMES) if split_of is not None else ["pairs"]
        shares = parse_shares(self.options.split).parts if split_of is not None else (1,)
        used = [name for name, share in zip(names, shares, strict=True) if share]
        outputs = {name: self._lines(f"{name}.jsonl") for name in used}
        index = self._lines(INDEX)
        for pair in self._pairs():
            split = split_of[pair.dialogue] if split_of is not None else None
            self._write_pair(pair, split, outputs[split or "pairs"], index)
        for name, output in outputs.items():
            self._close(name, output)
        self.files.append(index.close())
        if self.refusals:
            counted = "; ".join(
                _("%(count)s rows: %(advice)s") % {"count": n, "advice": in_words(advice)}
                for advice, n in self.refusals.items()
            )
            raise CannotHold(_("Nothing was written. %(counted)s.") % {"counted": counted})

    def _close(self, name: str, output: "_Lines") -> None:
        """Keep the file; an empty one of a split goes, because no trainer opens it."""
        if self.splits is None:
            self.files.append(output.close())
            return
        entry = output.close(split=name)
        self.splits["rows"][name] = output.rows
        if output.rows:
            self.files.append(entry)
        else:
            (self.folder / output.name).unlink()

    def _pairs(self) -> Iterator[Pair]:
        for snapshot in self.snapshots:
            for page in pair_pages(
                snapshot, text=self.options.text, refused=self.options.mark_refused
            ):
                for reason, number in page.excluded.items():
                    self.judgments.leave_out(reason, number)
                yield from page.pairs
                self._tell(page.judgment_count)

    def _write_pair(self, pair: Pair, split: str | None, output: "_Lines", index: "_Lines") -> None:
        done = projected(pair, options=self.options, split=split)
        for row in done.rows:
            output.write(canonical_line(row))
        index.write(done.index.line())
        self.decisions.keep(done.written)
        for reason, number in done.left_out.items():
            self.decisions.leave_out(reason, number)
        if done.rows:
            self.judgments.keep(len(pair.judgments))
        else:
            self.judgments.leave_out("pair_without_row", len(pair.judgments))
        self.lost.update(done.lost)
        self.refusals.update(done.refusals)
        self.images.update(done.images)

    def _place(self) -> dict[str, str] | None:
        if not self.options.split:
            return None
        shares: Shares = parse_shares(self.options.split)
        trees = as_trees(trees_of(snapshot) for snapshot in self.snapshots)
        places = placed(trees, shares=shares, seed=self.options.seed)
        groups = Counter(joined(trees).values())
        self.splits = {
            "shares": str(shares),
            "seed": self.options.seed,
            "dialogues": {name: sum(s == name for s in places.values()) for name in NAMES},
            "rows": dict.fromkeys(NAMES, 0),
            "groups": len(groups),
            "largest_group": max(groups.values(), default=0),
        }
        return places

    def _write_ratings(self) -> None:
        lines = self._lines("ratings.csv")
        lines.write(header_line(), counts=False)
        index = RatingsIndex()
        path = self.folder / "ratings.parquet"
        with synced(path) as file:
            parquet = RatingsParquet(file)
            for snapshot in self.snapshots:
                for page in rating_pages(
                    snapshot,
                    set_name=self.options.set,
                    beside=self.snapshots,
                    refused=self.options.mark_refused,
                ):
                    for reason, number in page.excluded.items():
                        self.judgments.leave_out(reason, number)
                    self.judgments.keep(page.judgment_count - page.excluded.total())
                    for row in page.rows:
                        line = rating_line(row)
                        lines.write(line)
                        parquet.add(row)
                        index.add(row, line)
                    self._tell(page.judgment_count)
            parquet.close()
        csv = lines.close()
        self.files += [csv, FileEntry(path.name, *file_digest(path), rows=csv.rows)]
        self._write_index(index.entries())

    def _write_index(self, entries: Sequence[IndexEntry]) -> None:
        index = self._lines(INDEX)
        for entry in entries:
            index.write(entry.line())
        self.files.append(index.close())

    def _write_images(self) -> None:
        if self.options.images == "none" or not self.images:
            return
        by_hash = {Path(path).stem: path for path in self.images}
        stored = Image.objects.filter(project=self.project).order_by("sha256")
        for sha256 in sorted(by_hash):
            image = stored.filter(sha256=sha256).first()
            if image is None:
                raise OriginalMissing(
                    _("The picture %(sha256)s is not in the store.") % {"sha256": sha256}
                )
            path = self.folder / by_hash[sha256]
            path.parent.mkdir(parents=True, exist_ok=True)
            if self.options.images == "link":
                _link(image, path)
            else:
                _copy(image, path)
            size, digest = file_digest(path)
            if digest != sha256:
                raise OriginalMissing(
                    _(
                        "The picture %(sha256)s is not what it was: its bytes hash to %(digest)s. "
                        "Import it again, or take it out with a void."
                    )
                    % {"sha256": sha256, "digest": digest}
                )
            self.files.append(FileEntry(by_hash[sha256], size, digest))
            self._tell(0)

    def _lines(self, name: str) -> "_Lines":
        return _Lines(self.stack.enter_context((self.folder / name).open("wb")), name)

    def _write_text(self, name: str, text: str) -> None:
        content = text.encode("utf-8")
        with synced(self.folder / name) as file:
            file.write(content)
        self.files.append(FileEntry(name, len(content), hashlib.sha256(content).hexdigest()))

    def _tell(self, judgments: int) -> None:
        self.done += judgments
        self.progress(self.done)


class _Lines:
    """A file of lines that knows its hash and its number of rows."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.file = file
        self.name = name
        self.digest = hashlib.sha256()
        self.size = 0
        self.rows = 0

    def write(self, line: bytes, *, counts: bool = True) -> None:
        self.file.write(line)
        self.digest.update(line)
        self.size += len(line)
        self.rows += counts

    def close(self, *, split: str | None = None) -> FileEntry:
        _sync_file(self.file)
        self.file.close()
        digest = self.digest.hexdigest()
        return FileEntry(self.name, self.size, digest, rows=self.rows, split=split)


@contextmanager
def synced(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file; when done it is on disk."""
    with path.open("wb") as file:
        yield file
        _sync_file(file)


def _gone(image: Image) -> OriginalMissing:
    return OriginalMissing(
        _("The file of the picture %(sha256)s is gone.") % {"sha256": image.sha256}
    )


def _copy(image: Image, path: Path) -> None:
    try:
        with image.original.open("rb") as source, synced(path) as file:
            shutil.copyfileobj(source, file, 1 << 20)
    except FileNotFoundError as reason:
        raise _gone(image) from reason


def _link(image: Image, path: Path) -> None:
    try:
        os.link(image.original.path, path)
    except NotImplementedError as reason:
        raise OriginalMissing(
            _("The pictures are in an object store, which has no links. Have them copied.")
        ) from reason
    except FileNotFoundError as reason:
        raise _gone(image) from reason
    except OSError as reason:
        raise OriginalMissing(
            _("The store and the export cannot share files (%(problem)s). Have them copied.")
            % {"problem": reason.strerror}
        ) from reason


def _sync_file(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
