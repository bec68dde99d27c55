"""Pictures of imported files: finding them by name, decoding them in a child, storing them once."""

import contextlib
import hashlib
import json
import select
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Self

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from annotation.formats.pixels import (
    MOST_BYTES,
    Picture,
    Unreadable,
    read_block,
    write_block,
)
from annotation.models.content import Image
from annotation.models.projects import Project

PATIENCE = 30.0
"""Seconds to wait for one picture, whatever the child is doing."""

EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


def find_picture(name: str, folders: Sequence[Path]) -> Path | None:
    """Return the file that the longest suffix of `name` names below one of `folders`, or None.

    ``/cluster/run/images/7.png`` is looked for as ``cluster/run/images/7.png``,
    ``run/images/7.png``, ``images/7.png`` and ``7.png``, each in every folder. Never outside
    them: parts before a ``..`` do not count, and a link that leads out is not followed.
    """
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    while ".." in parts:
        parts = parts[parts.index("..") + 1 :]
    if not parts or any("\0" in part or len(part) > 255 for part in parts):
        return None
    for start in range(len(parts)):
        for folder in folders:
            if found := _below(folder, PurePosixPath(*parts[start:])):
                return found
    return None


def _below(folder: Path, relative: PurePosixPath) -> Path | None:
    if relative.is_absolute() or (relative.parts and ":" in relative.parts[0]):
        return None
    with contextlib.suppress(OSError, ValueError):
        named = folder.joinpath(relative)
        if not named.is_file():  # the usual end, and cheaper than resolving it
            return None
        found = named.resolve(strict=True)
        if found.is_file() and found.is_relative_to(folder.resolve()):
            return found
    return None


class Decoder:
    """A child process that decodes pictures within limits of memory and time.

    It is started at the first picture and again after one that ended it. Use as a context.
    """

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child, if there is one."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        child.wait()

    def decode(self, data: bytes) -> Picture:
        """Return the decoded picture.

        :raises Unreadable: it cannot be decoded, or not within the limits.
        """
        if len(data) > MOST_BYTES:
            raise Unreadable(f"the file is larger than {MOST_BYTES:,} bytes")
        source, out = self._pipes()
        try:
            write_block(source, data)
            header = self._answer(out)
            display, thumbnail = read_block(out), read_block(out)
        except (OSError, TimeoutError):
            header = display = thumbnail = None
        if header is None or display is None or thumbnail is None:
            self.close()
            raise Unreadable("decoding it takes too much memory or time")
        values = json.loads(header)
        if "error" in values:
            raise Unreadable(values["error"])
        return Picture(**values, display=display, thumbnail=thumbnail)

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._child = subprocess.Popen(
                [sys.executable, "-m", "annotation.formats.pixels"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=Path(__file__).resolve().parents[2],
                env={"OMP_NUM_THREADS": "1", "LANG": "C.UTF-8"},
                start_new_session=True,
            )
        child = self._child
        if child.stdin is None or child.stdout is None:
            raise OSError("the decoder has no pipes")
        return child.stdin, child.stdout

    def _answer(self, out: IO[bytes]) -> bytes | None:
        ready, _, _ = select.select([out], [], [], PATIENCE)
        if not ready:
            raise TimeoutError
        return read_block(out)


@dataclass(slots=True)
class Found:
    """What became of one name.

    :ivar image: the stored picture; in a dry run one that was not saved.
    :ivar problem: why there is no picture though a file was found.
    """

    image: Image | None = None
    problem: str = ""


@dataclass(slots=True)
class Pictures:
    """Looks names up and stores what they name, each file once.

    :ivar folders: where names are looked up.
    :ivar dry: decode and store nothing in files.
    :ivar alive: called before each file, for whoever must say that work goes on.
    """

    project: Project
    folders: tuple[Path, ...]
    decoder: Decoder
    dry: bool = False
    alive: Callable[[], None] = lambda: None

    def find(self, names: Iterable[str]) -> dict[str, Found]:
        """Return what each name gives; a name that is absent from the answer names no file."""
        found: dict[str, Found] = {}
        for name in names:
            if name and name not in found and (path := find_picture(name, self.folders)):
                found[name] = self._read(path)
        return found

    def _read(self, path: Path) -> Found:
        self.alive()
        try:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
            return Found(image=self._stored(data))
        except Unreadable as error:
            return Found(problem=str(error)[:300])
        except OSError as error:
            return Found(problem=f"the file cannot be read: {error.strerror or error}"[:300])

    def _stored(self, data: bytes) -> Image:
        """Return the picture of these bytes; it is decoded and stored where it is new."""
        digest = hashlib.sha256(data).hexdigest()
        known = Image.objects.filter(project=self.project, sha256=digest).first()
        if known is not None:
            return known
        return store_image(self.project, data, self.decoder.decode(data), dry=self.dry)


def store_image(project: Project, data: bytes, picture: Picture, *, dry: bool = False) -> Image:
    """Store a decoded picture: its files first, its row last.

    Files are named by content, so a name that exists holds these very bytes.

    :param dry: make the row and no file.
    """
    digest = hashlib.sha256(data).hexdigest()
    names = {
        "original": f"originals/{digest[:2]}/{digest}.{EXTENSIONS[picture.mime]}",
        "display": f"display/{digest[:2]}/{digest}.png",
        "thumbnail": f"thumbnails/{digest[:2]}/{digest}.png",
    }
    contents = {"original": data, "display": picture.display, "thumbnail": picture.thumbnail}
    if not dry:
        for part, name in names.items():
            _save(name, contents[part])
    image, _ = Image.objects.get_or_create(
        project=project,
        sha256=digest,
        defaults={
            **names,
            "pixel_sha256": picture.pixel_sha256,
            "mime": picture.mime,
            "byte_size": len(data),
            "width": picture.width,
            "height": picture.height,
        },
    )
    return image


def _save(name: str, content: bytes) -> None:
    """Write a file whose name says its content, unless it is there, whole, already."""
    if default_storage.exists(name):
        if default_storage.size(name) == len(content):
            return
        default_storage.delete(name)  # cut off by a crash
    default_storage.save(name, ContentFile(content))
