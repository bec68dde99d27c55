"""Pictures are seen through the assignment that shows them, and not otherwise."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone

from annotation.actions.assignments import claim_next
from annotation.choices import BatchKind, Role
from tests.factories import make_image, make_member, make_slot, make_tree
from tests.worlds import open_batch_with

pytestmark = pytest.mark.django_db


def shown_image(assignment, *, in_prompt=False):
    """A stored picture of the item, with its files."""
    image = make_image()
    for file in (image.display, image.thumbnail):
        default_storage.save(file.name, ContentFile(b"png of " + file.name.encode()))
    response = assignment.item.response_1
    make_slot(turn=response.turn, image=image) if in_prompt else make_slot(
        response=response, image=image
    )
    return image


def read(answer):
    """Read a streamed answer to its end, which closes its file."""
    return b"".join(answer.streaming_content)


def claimed():
    batch, members = open_batch_with(kind=BatchKind.TURN_PAIR)
    return claim_next(batch, by=members[0], now=timezone.now()), members


def address(assignment, sha256, size="display"):
    return reverse("annotation:image", args=[assignment.public_id, sha256, size])


@pytest.mark.parametrize("in_prompt", [False, True])
@pytest.mark.parametrize("size", ["display", "thumbnail"])
def test_the_copy_of_a_picture_of_the_item_is_sent(client, size, in_prompt):
    assignment, (annotator, _) = claimed()
    image = shown_image(assignment, in_prompt=in_prompt)
    client.force_login(annotator.user)

    answer = client.get(address(assignment, image.sha256, size))

    assert read(answer).startswith(
        b"png of " + {"display": b"display/", "thumbnail": b"thumbnails/"}[size]
    )
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Cache-Control"] == "private, max-age=300"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; sandbox; frame-ancestors 'none'"
    )


def test_a_picture_the_browser_has_is_not_sent_again(client):
    assignment, (annotator, _) = claimed()
    image = shown_image(assignment)
    client.force_login(annotator.user)
    first = client.get(address(assignment, image.sha256))
    read(first)

    again = client.get(
        address(assignment, image.sha256), headers={"If-None-Match": first.headers["ETag"]}
    )

    assert again.status_code == 304


def test_the_original_is_never_sent(client):
    assignment, (annotator, _) = claimed()
    image = shown_image(assignment)
    default_storage.save(image.original.name, ContentFile(b"original"))
    client.force_login(annotator.user)

    assert client.get(address(assignment, image.sha256, "original")).status_code == 404


def test_a_picture_of_another_item_is_not_sent(client):
    assignment, (annotator, _) = claimed()
    elsewhere = make_image()
    default_storage.save(elsewhere.display.name, ContentFile(b"png"))
    make_slot(response=make_tree().responses.full().first(), image=elsewhere)
    client.force_login(annotator.user)

    assert client.get(address(assignment, elsewhere.sha256)).status_code == 404


def test_a_picture_of_another_branch_of_the_same_dialogue_is_not_sent(client):
    assignment, (annotator, _) = claimed()
    item = assignment.item
    outside = make_tree(paths=2, turns=2, fork=1).responses.full().first()
    image = make_image()
    default_storage.save(image.display.name, ContentFile(b"png"))
    make_slot(response=outside, image=image)
    type(outside).objects.filter(pk=outside.pk).update(dialogue=item.dialogue)
    client.force_login(annotator.user)

    assert client.get(address(assignment, image.sha256)).status_code == 404


def test_another_annotator_sees_nothing_and_a_reviewer_does(client):
    assignment, (_, other) = claimed()
    image = shown_image(assignment)
    client.force_login(other.user)
    assert client.get(address(assignment, image.sha256)).status_code == 404

    client.force_login(make_member(Role.REVIEWER).user)
    answer = client.get(address(assignment, image.sha256))
    read(answer)
    assert answer.status_code == 200


def test_a_file_that_is_gone_is_not_an_error_of_ours(client):
    assignment, (annotator, _) = claimed()
    image = shown_image(assignment)
    default_storage.delete(image.display.name)
    client.force_login(annotator.user)

    assert client.get(address(assignment, image.sha256)).status_code == 404


def test_strangers_are_sent_to_sign_in(client):
    assignment, _ = claimed()

    assert client.get(address(assignment, "0" * 64)).status_code == 302


def test_a_picture_is_only_got(client):
    assignment, (annotator, _) = claimed()
    client.force_login(annotator.user)

    assert client.post(address(assignment, "0" * 64)).status_code == 405
