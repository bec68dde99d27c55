"""Pictures and exports in an object store: a real S3-speaking server on loopback."""

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import override_settings
from moto.server import ThreadedMotoServer
from PIL import Image as Picture

from annotation.actions.imports import import_files
from annotation.models import Image
from tests.factories import NOW, make_lead, make_project

pytestmark = [
    pytest.mark.django_db,
    # botocore's use of a deprecated clock, and sockets it leaves for the collector
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def object_store() -> Iterator[str]:
    """Run an S3-speaking server on a free loopback port and keep files there."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    storages = {
        "default": {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "bucket_name": "annotate",
                "endpoint_url": address,
                "region_name": "us-east-1",
                "access_key": "access",
                "secret_key": "secret",
                "addressing_style": "path",
                "file_overwrite": False,
                "default_acl": None,
            },
        },
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    with override_settings(STORAGES=storages):
        yield address
    server.stop()


def dialogue_file(folder: Path) -> tuple[Path, bytes]:
    """Write one dialogue with one picture; return the file and the picture's bytes."""
    drawn = io.BytesIO()
    Picture.new("RGB", (40, 30), "#1f4fb8").save(drawn, "PNG")
    (folder / "blue.png").write_bytes(drawn.getvalue())
    record = {
        "format": "intermt-annotate/1",
        "turns": [
            {
                "prompt": {"text": "Draw a blue field."},
                "response": {"text": "Here it is.", "images": [{"path": "blue.png"}]},
            }
        ],
    }
    file = folder / "dialogues.jsonl"
    file.write_text(json.dumps(record) + "\n")
    return file, drawn.getvalue()


def test_make_bucket_makes_it_once(object_store, capsys):
    call_command("make_bucket")
    call_command("make_bucket")

    assert capsys.readouterr().out.splitlines() == [
        "Made the bucket annotate.",
        "The bucket annotate is there.",
    ]


def test_make_bucket_says_what_the_store_said(object_store):
    with (
        override_settings(
            STORAGES={
                "default": {
                    "BACKEND": "storages.backends.s3.S3Storage",
                    "OPTIONS": {
                        "bucket_name": "annotate",
                        "endpoint_url": "http://127.0.0.1:9",
                        "access_key": "a",
                        "secret_key": "s",
                        "region_name": "us-east-1",
                    },
                },
            }
        ),
        pytest.raises(CommandError, match="did not make the bucket annotate"),
    ):
        call_command("make_bucket")


def test_without_an_object_store_there_is_no_bucket_to_make(capsys):
    call_command("make_bucket")

    assert "MEDIA_ROOT" in capsys.readouterr().out


def test_imported_pictures_are_kept_byte_for_byte_in_the_store(object_store, tmp_path):
    call_command("make_bucket", verbosity=0)
    file, original = dialogue_file(tmp_path)

    import_files(make_project(), [file], by=make_lead(), now=NOW)

    image = Image.objects.get()
    with default_storage.open(image.original.name) as stored:
        assert stored.read() == original
    with default_storage.open(image.display.name) as shown, Picture.open(shown) as picture:
        assert picture.size == (40, 30)
    assert image.sha256 == hashlib.sha256(original).hexdigest()


def test_importing_twice_stores_a_picture_once(object_store, tmp_path):
    call_command("make_bucket", verbosity=0)
    file, _ = dialogue_file(tmp_path)
    for _again in range(2):
        import_files(make_project(), [file], by=None, now=NOW)

    folder, _, _ = Image.objects.get().original.name.partition("/")
    stored = default_storage.bucket.objects.filter(Prefix=f"{folder}/")
    assert len(list(stored)) == 1
