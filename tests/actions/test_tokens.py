"""Keys for machines."""

from datetime import timedelta

import pytest

from annotation.actions.tokens import create_token, find_token, revoke_token
from annotation.errors import Invalid, NotAllowed
from annotation.models import Token
from tests.factories import NOW, make_lead, make_member

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def make_key(lead, *, days=7, scopes=("pairs:read",), name="trainer"):
    return create_token(
        lead, name=name, scopes=scopes, expires_at=NOW + days * DAY, by=lead, now=NOW
    )


def test_a_key_is_found_by_its_hash_and_is_nowhere_in_the_table():
    lead = make_lead()

    token, key = make_key(lead)

    assert find_token(key, now=NOW) == token
    stored = Token.objects.values().get()
    assert key not in str(stored)
    assert key.startswith(stored["prefix"])
    assert len(key) > 43


def test_a_key_with_one_sign_changed_is_no_key():
    _, key = make_key(make_lead())

    assert find_token(key[:-1] + ("A" if key[-1] != "A" else "B"), now=NOW) is None
    assert find_token("", now=NOW) is None


def test_a_key_ends_with_its_time_its_revocation_its_person_and_its_account():
    lead = make_lead()
    _, key = make_key(lead)
    other, revoked = make_key(lead)

    revoke_token(other, by=lead, now=NOW)
    assert find_token(revoked, now=NOW) is None
    assert find_token(key, now=NOW + 7 * DAY) is None
    lead.user.is_active = False
    lead.user.save()
    assert find_token(key, now=NOW) is None
    lead.user.is_active = True
    lead.user.save()
    assert find_token(key, now=NOW) is not None
    lead.ended_at = NOW
    lead.save()
    assert find_token(key, now=NOW) is None


def test_use_is_noted_at_most_once_a_minute():
    token, key = make_key(make_lead())

    for seconds in (0, 30, 90):
        find_token(key, now=NOW + timedelta(seconds=seconds))
        token.refresh_from_db()

        assert token.last_used_at == NOW + timedelta(seconds=90 if seconds == 90 else 0)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"days": 0}, "expires_at"),
        ({"days": 400}, "expires_at"),
    ],
)
def test_a_key_without_name_scope_or_end_is_not_made(changes, field):
    with pytest.raises(Invalid) as refused:
        make_key(make_lead(), **changes)
    assert list(refused.value.fields) == [field]
    assert not Token.objects.exists()


def test_only_leads_have_keys_and_revoke_them():
    lead, annotator = make_lead(), make_member()

    with pytest.raises(NotAllowed):
        make_key(annotator)
    with pytest.raises(NotAllowed):
        create_token(
            annotator, name="x", scopes=["exports"], expires_at=NOW + DAY, by=lead, now=NOW
        )
    token, _ = make_key(lead)
    with pytest.raises(NotAllowed):
        revoke_token(token, by=annotator, now=NOW)
