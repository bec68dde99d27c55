"""Decoding untrusted pictures within bounds: what comes out is plain pixels.

JPEG, PNG and WebP only, chosen by their bytes and not their names; size is read from the header
before a pixel is decoded. Run as a program (``python -m annotation.formats.pixels``) it decodes
one picture after the other with little memory and time to spend, so that a bomb or a flaw in a
decoder ends that process and not the importer's.

The conversation with that program: 8 bytes of length and the picture go in; 8 bytes of length and
a JSON header come out, then the display copy and the thumbnail, of the lengths the header says.
"""

import hashlib
import io
import json
import struct
import sys
import warnings
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import IO

from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 25_000_000
MOST_SIDE = 8192
THUMBNAIL = 320
"""Longest side of a thumbnail, in pixels."""

FORMATS = ("JPEG", "PNG", "WEBP")
MIMES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_MOST_PROFILE = 256 * 1024
_MEMORY = 768 * 1024 * 1024
_SECONDS = 10
_LENGTH = struct.Struct(">Q")


class Unreadable(Exception):
    """The bytes are no picture that can be shown; the message says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture.

    :ivar pixel_sha256: over width, height and the upright RGBA pixels: equal for files that look
        the same.
    :ivar display: a PNG of the upright pixels, without any metadata but the colour profile.
    :ivar thumbnail: a PNG of at most `THUMBNAIL` pixels a side.
    """

    mime: str
    width: int
    height: int
    pixel_sha256: str
    display: bytes
    thumbnail: bytes


def decode(data: bytes) -> Picture:
    """Return the picture of a file's bytes.

    :raises Unreadable: it is too large, of another format, of several frames, or broken.
    """
    if not data:
        raise Unreadable("the file is empty")
    if len(data) > MOST_BYTES:
        raise Unreadable(f"the file is larger than {MOST_BYTES:,} bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _refuse_by_header(image)
                return _decoded(image)
    except Unreadable:
        raise
    except UnidentifiedImageError:
        raise Unreadable("it is no JPEG, PNG or WebP") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unreadable(f"it has more than {MOST_PIXELS:,} pixels") from None
    except MemoryError:
        raise Unreadable("decoding it takes too much memory") from None
    except Exception as error:  # decoders of broken files raise anything
        raise Unreadable(f"it cannot be decoded: {str(error)[:120]}") from None


def _refuse_by_header(image: Image.Image) -> None:
    width, height = image.size
    if width > MOST_SIDE or height > MOST_SIDE:
        raise Unreadable(f"it is {width} x {height} pixels; a side may have {MOST_SIDE}")
    if width * height > MOST_PIXELS:
        raise Unreadable(f"it has {width * height:,} pixels; at most {MOST_PIXELS:,} are read")
    if image.format != "MPO" and getattr(image, "n_frames", 1) != 1:
        raise Unreadable("it has more than one frame")


def _decoded(image: Image.Image) -> Picture:
    mime = MIMES[str(image.format)]
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or len(profile) > _MOST_PROFILE or image.mode == "CMYK":
        profile = None
    upright = _plain(ImageOps.exif_transpose(image))
    pixels = upright.convert("RGBA")
    digest = hashlib.sha256(b"%d x %d\n" % pixels.size + pixels.tobytes()).hexdigest()
    if upright.mode == "RGBA" and pixels.getchannel("A").getextrema() == (255, 255):
        upright = upright.convert("RGB")
    small = upright.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return Picture(
        mime=mime,
        width=upright.width,
        height=upright.height,
        pixel_sha256=digest,
        display=_png(upright, profile),
        thumbnail=_png(small, profile),
    )


def _plain(image: Image.Image) -> Image.Image:
    """Return grey, colour or colour with transparency, eight bits each."""
    if image.mode.startswith(("I", "F")):  # 16 bits a pixel
        return image.convert("I").point(lambda value: value / 257).convert("L")
    if image.mode in ("LA", "PA") or "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode in ("RGB", "RGBA", "L"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _png(image: Image.Image, profile: bytes | None) -> bytes:
    """Return a PNG that carries nothing of the file but pixels and colour profile."""
    out = io.BytesIO()
    bare = Image.new(image.mode, image.size)
    bare.paste(image)
    bare.save(out, "PNG", compress_level=4, icc_profile=profile, pnginfo=PngImagePlugin.PngInfo())
    return out.getvalue()


def write_block(out: IO[bytes], data: bytes) -> None:
    """Write a length and as many bytes."""
    out.write(_LENGTH.pack(len(data)))
    out.write(data)
    out.flush()


def read_block(file: IO[bytes]) -> bytes | None:
    """Read a length and as many bytes; None where the other side has gone."""
    header = file.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(header)
    data = file.read(length)
    return data if len(data) == length else None


def serve(source: IO[bytes], out: IO[bytes]) -> None:
    """Decode each picture that comes, until the other side closes."""
    while (data := read_block(source)) is not None:
        _limit_time()
        display = thumbnail = b""
        try:
            picture = decode(data)
        except Unreadable as error:
            header = {"error": str(error)}
        else:
            display, thumbnail = picture.display, picture.thumbnail
            header = {
                name: value
                for name, value in asdict(picture).items()
                if not isinstance(value, bytes)
            }
        write_block(out, json.dumps(header).encode())
        write_block(out, display)
        write_block(out, thumbnail)


def _limit_time() -> None:
    """Give the next picture `_SECONDS` of processor time."""
    with suppress(ImportError, ValueError, OSError):  # not every system has limits
        import resource  # noqa: PLC0415

        usage = resource.getrusage(resource.RUSAGE_SELF)
        spent = int(usage.ru_utime + usage.ru_stime)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (spent + _SECONDS + 1, hard))


def _limit_memory() -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


if __name__ == "__main__":
    _limit_memory()
    serve(sys.stdin.buffer, sys.stdout.buffer)
