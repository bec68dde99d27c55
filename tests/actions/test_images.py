"""Pictures: found by name and never outside, decoded within bounds, stored once."""

import hashlib
import io
import json
import os
import struct
import zlib
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from PIL import Image as Pixels

from annotation.actions.images import Decoder, Pictures, find_picture, store_image
from annotation.formats import pixels
from annotation.formats.pixels import THUMBNAIL, Unreadable, decode
from annotation.models import Image
from tests.factories import make_project


def drawn(size=(9, 5)):
    """Return a picture of which every pixel is another colour."""
    picture = Pixels.new("RGB", size)
    for x in range(size[0]):
        for y in range(size[1]):
            picture.putpixel((x, y), (x * 20, y * 40, (x * y) % 256))
    return picture


def saved(picture, form="PNG", **more):
    out = io.BytesIO()
    picture.save(out, form, **more)
    return out.getvalue()


# Finding


@pytest.fixture
def folder(tmp_path):
    for name in ("images/7.png", "run/images/7.png", "8.png", "images/sub/9.png"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "secret.png").write_bytes(b"secret")
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("images/7.png", "images/7.png"),
        ("/cluster/run/images/7.png", "run/images/7.png"),
        ("/cluster/images/7.png", "images/7.png"),
        ("https://example.org/x/8.png", "8.png"),
        ("C:\\data\\images\\7.png", "images/7.png"),
        ("images//sub/./9.png", "images/sub/9.png"),
        ("../../images/7.png", "images/7.png"),
        ("images/../8.png", "8.png"),
        ("7.png", None),
        ("images", None),
        ("images/none.png", None),
        ("../secret.png", None),
        ("/etc/passwd", None),
        ("..", None),
        ("", None),
        ("a\0b.png", None),
        ("x" * 300 + ".png", None),
    ],
)
def test_a_name_is_looked_up_by_its_longest_suffix(folder, name, found):
    result = find_picture(name, [folder])

    assert result == (None if found is None else (folder / found).resolve())


def test_a_link_that_leads_out_is_not_followed(folder):
    (folder / "out.png").symlink_to(folder.parent / "secret.png")
    (folder / "outside").symlink_to(folder.parent)
    (folder / "in.png").symlink_to(folder / "8.png")

    assert find_picture("out.png", [folder]) is None
    assert find_picture("outside/secret.png", [folder]) is None
    assert find_picture("in.png", [folder]) == (folder / "8.png").resolve()


def test_a_longer_suffix_in_a_later_folder_wins(folder, tmp_path):
    other = tmp_path / "other"
    (other / "run").mkdir(parents=True)
    (other / "run" / "8.png").write_bytes(b"y")

    assert find_picture("run/8.png", [folder, other]) == (other / "run/8.png").resolve()
    assert find_picture("8.png", [folder, other]) == (folder / "8.png").resolve()


def test_what_is_no_regular_file_is_not_found(folder):
    os.mkfifo(folder / "pipe.png")

    assert find_picture("pipe.png", [folder]) is None


@pytest.mark.shared_data
def test_every_picture_of_the_site_folders_is_found(shared_data):
    found = 0
    for path in sorted((shared_data / "intermt" / "site_examples").glob("*/*.json")):
        for row in json.loads(path.read_text()):
            names = row["imageR"] if isinstance(row["imageR"], list) else [row["imageR"]]
            for name in [row["imageP"], *names]:
                if name != "#":
                    assert find_picture(name, [path.parent]).parent.parent == path.parent
                    found += 1

    assert found == 29


# Decoding


@pytest.mark.parametrize(
    ("form", "mime", "more"),
    [
        ("PNG", "image/png", {}),
        ("WEBP", "image/webp", {"lossless": True}),
        ("JPEG", "image/jpeg", {"quality": 95}),
    ],
)
def test_the_three_formats_are_decoded_without_loss(form, mime, more):
    data = saved(drawn(), form, **more)
    decoded = Pixels.open(io.BytesIO(data)).convert("RGB")

    picture = decode(data)

    shown = Pixels.open(io.BytesIO(picture.display))
    assert (picture.mime, picture.width, picture.height) == (mime, 9, 5)
    assert (shown.format, shown.mode) == ("PNG", "RGB")
    assert shown.tobytes() == decoded.tobytes()


def test_equal_pixels_have_one_hash_whatever_the_file():
    png, webp = decode(saved(drawn())), decode(saved(drawn(), "WEBP", lossless=True))

    assert png.pixel_sha256 == webp.pixel_sha256
    assert png.pixel_sha256 != decode(saved(drawn((5, 9)))).pixel_sha256


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright_and_no_metadata_is_left(form, orientation):
    exif = Pixels.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "Taken at home"
    turn = {
        1: None,
        2: Pixels.Transpose.FLIP_LEFT_RIGHT,
        3: Pixels.Transpose.ROTATE_180,
        4: Pixels.Transpose.FLIP_TOP_BOTTOM,
        5: Pixels.Transpose.TRANSPOSE,
        6: Pixels.Transpose.ROTATE_90,
        7: Pixels.Transpose.TRANSVERSE,
        8: Pixels.Transpose.ROTATE_270,
    }[orientation]
    upright = Pixels.new("RGB", (32, 16), "blue")
    upright.paste("red", (0, 0, 16, 8))
    stored = upright if turn is None else upright.transpose(turn)
    more = {"lossless": True} if form == "WEBP" else {"quality": 100} if form == "JPEG" else {}

    picture = decode(saved(stored, form, exif=exif, **more))

    shown = Pixels.open(io.BytesIO(picture.display))
    assert shown.size == (32, 16)
    corner, opposite = shown.getpixel((4, 3)), shown.getpixel((28, 12))
    assert corner[0] > 200 > 60 > corner[2]
    assert opposite[2] > 200 > 60 > opposite[0]
    assert b"Taken at home" not in picture.display + picture.thumbnail
    assert not shown.getexif()


def test_a_thumbnail_is_small_and_keeps_the_shape():
    picture = decode(saved(drawn((900, 300))))

    small = Pixels.open(io.BytesIO(picture.thumbnail))
    assert small.size == (THUMBNAIL, round(THUMBNAIL / 3))


@pytest.mark.parametrize(
    ("mode", "shown"),
    [("L", "L"), ("1", "L"), ("P", "RGB"), ("RGBA", "RGBA"), ("LA", "RGBA"), ("I;16", "L")],
)
def test_every_kind_of_pixels_becomes_eight_bits(mode, shown):
    data = saved(Pixels.new(mode, (4, 4), 1 if mode in ("1", "P", "L") else None))

    assert Pixels.open(io.BytesIO(decode(data).display)).mode == shown


def test_cmyk_is_shown_in_colours_of_a_screen():
    data = saved(Pixels.new("CMYK", (4, 4), (255, 0, 0, 0)), "JPEG")

    assert Pixels.open(io.BytesIO(decode(data).display)).mode == "RGB"


def bomb(width, height):
    """Return a PNG that says it has this size and holds almost nothing."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def frames(form):
    return saved(
        Pixels.new("RGB", (4, 4), "red"),
        form,
        save_all=True,
        append_images=[Pixels.new("RGB", (4, 4), "blue")],
    )


UNREADABLE = {
    "empty": (b"", "the file is empty"),
    "text": (b"hello", "it is no JPEG, PNG or WebP"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "it is no JPEG, PNG or WebP"),
    "gif": (saved(Pixels.new("RGB", (4, 4)), "GIF"), "it is no JPEG, PNG or WebP"),
    "tiff": (saved(Pixels.new("RGB", (4, 4)), "TIFF"), "it is no JPEG, PNG or WebP"),
    "wide": (bomb(8193, 1), "it is 8193 x 1 pixels; a side may have 8192"),
    "bomb": (bomb(8000, 8000), "it has 64,000,000 pixels; at most 25,000,000 are read"),
    "huge": (bomb(60_000, 60_000), "it has more than 25,000,000 pixels"),
    "animated": (frames("PNG"), "it has more than one frame"),
    "webp": (frames("WEBP"), "it has more than one frame"),
    "cut": (saved(drawn((400, 400)))[:600], "it cannot be decoded: "),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_shown_says_why(case):
    data, reason = UNREADABLE[case]

    with pytest.raises(Unreadable) as refusal:
        decode(data)

    assert str(refusal.value).startswith(reason)


def test_a_file_too_large_is_not_opened(monkeypatch):
    monkeypatch.setattr(pixels, "MOST_BYTES", 10)

    with pytest.raises(Unreadable, match="larger than 10 bytes"):
        decode(b"x" * 11)


def test_the_child_decodes_as_we_do_and_survives_every_bad_file():
    good = saved(drawn())

    with Decoder() as decoder:
        for data, reason in UNREADABLE.values():
            with pytest.raises(Unreadable) as refusal:
                decoder.decode(data)
            assert str(refusal.value).startswith(reason)
        assert decoder.decode(good) == decode(good)


def test_a_child_that_dies_is_replaced():
    good = saved(drawn())

    with Decoder() as decoder:
        first = decoder.decode(good)
        decoder._child.kill()
        decoder._child.wait()
        assert decoder.decode(good) == first
        child = decoder._child

    assert child.poll() is not None


# Storing


@pytest.fixture
def pictures(folder):
    with Decoder() as decoder:
        yield lambda **more: Pictures(make_project(), (folder,), decoder, **more)


def stored_files(media):
    return sorted(path.relative_to(media).as_posix() for path in media.rglob("*") if path.is_file())


@pytest.mark.django_db
def test_the_original_is_kept_byte_for_byte_beside_two_copies(folder, pictures, media):
    exif = Pixels.Exif()
    exif[0x010E] = "Taken at home"
    data = saved(drawn(), "JPEG", exif=exif)
    (folder / "photo.png").write_bytes(data)

    image = pictures().find(["photo.png"])["photo.png"].image

    digest = hashlib.sha256(data).hexdigest()
    assert (image.sha256, image.mime, image.byte_size) == (digest, "image/jpeg", len(data))
    assert (image.width, image.height) == (9, 5)
    with default_storage.open(image.original.name) as file:
        assert file.read() == data
    for part in (image.display, image.thumbnail):
        with part.open() as file:
            content = file.read()
        assert Pixels.open(io.BytesIO(content)).size == (9, 5)
        assert b"Taken at home" not in content
    assert stored_files(media) == [
        f"display/{digest[:2]}/{digest}.png",
        f"originals/{digest[:2]}/{digest}.jpg",
        f"thumbnails/{digest[:2]}/{digest}.png",
    ]


@pytest.mark.django_db
def test_the_same_bytes_under_two_names_are_stored_once(folder, pictures, media):
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(saved(drawn()))

    found = pictures().find(["a.png", "b.png", "none.png", ""])

    assert found.keys() == {"a.png", "b.png"}
    assert found["a.png"].image == found["b.png"].image
    assert Image.objects.count() == 1
    assert len(stored_files(media)) == 3


@pytest.mark.django_db
def test_a_file_cut_off_by_a_crash_is_written_again():
    data = saved(drawn())
    picture = decode(data)
    image = store_image(make_project(), data, picture)
    Path(default_storage.path(image.original.name)).write_bytes(data[:10])

    again = store_image(make_project(), data, picture)

    assert again == image
    with default_storage.open(again.original.name) as file:
        assert file.read() == data


@pytest.mark.django_db
def test_an_unreadable_file_stores_nothing_and_says_why(folder, pictures, media):
    found = pictures().find(["8.png"])

    assert (found["8.png"].image, found["8.png"].problem) == (None, "it is no JPEG, PNG or WebP")
    assert Image.objects.count() == 0
    assert not media.exists()


@pytest.mark.django_db
def test_life_is_told_before_each_file(folder, pictures):
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(saved(drawn()))
    told = []

    pictures(alive=lambda: told.append(1)).find(["a.png", "b.png", "none.png"])

    assert len(told) == 2
