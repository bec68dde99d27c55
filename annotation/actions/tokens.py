"""Keys for machines: shown once, stored as a hash, limited to scopes and a time."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from annotation.choices import TokenScope
from annotation.errors import Invalid, NotAllowed
from annotation.models.projects import Member, Token
from annotation.permissions import can_lead

MARK = "ita_"
"""Begins every key, so that scanners for leaked keys can know it."""

PREFIX_LENGTH = 12
USED_EVERY = timedelta(minutes=1)
LONGEST = timedelta(days=366)


def create_token(
    member: Member,
    *,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None,
    by: Member,
    now: datetime,
) -> tuple[Token, str]:
    """Make a key for a lead; return its row and the key itself, which is never to be had again.

    The key is 256 random bits; the row holds its SHA-256 and the first signs, to look it up by.

    :raises NotAllowed: unless both are leads of one project.
    :raises Invalid: without a name, a known scope or an end within a year.
    """
    if not (can_lead(by) and can_lead(member)) or by.project_id != member.project_id:
        raise NotAllowed(_("Keys are made by a lead, for a lead of the same project."))
    wanted = sorted(set(scopes))
    wrong = {}
    if not name.strip():
        wrong["name"] = _("Give it a name, so that it can be told from others and revoked.")
    if not wanted or any(scope not in list(TokenScope) for scope in wanted):
        wrong["scopes"] = _("Choose at least one of %(scopes)s.") % {
            "scopes": ", ".join(TokenScope)
        }
    if expires_at is None or not now < expires_at <= now + LONGEST:
        wrong["expires_at"] = _("A key ends within a year.")
    if wrong:
        raise Invalid(" ".join(wrong.values()), fields=wrong)
    key = MARK + secrets.token_urlsafe(32)
    token = Token.objects.create(
        member=member,
        name=name.strip()[:100],
        prefix=key[:PREFIX_LENGTH],
        digest=_digest(key),
        scopes=wanted,
        created_at=now,
        expires_at=expires_at,
    )
    return token, key


def find_token(key: str, *, now: datetime) -> Token | None:
    """Return the usable token of a key, and note its use at most once a minute; else None.

    One query, and one write a minute. The member's role is not looked at: ask `permissions`.
    """
    digest = _digest(key)
    candidates = (
        Token.objects.usable(at=now)
        .filter(prefix=key[:PREFIX_LENGTH])
        .select_related("member__project", "member__user")
    )
    for token in candidates:
        if hmac.compare_digest(token.digest, digest) and _may_act(token.member):
            Token.objects.filter(
                Q(last_used_at=None) | Q(last_used_at__lt=now - USED_EVERY), pk=token.pk
            ).update(last_used_at=now)
            return token
    return None


def revoke_token(token: Token, *, by: Member, now: datetime) -> None:
    """End a key at once. Doing it twice changes nothing.

    :raises NotAllowed: unless the member leads the key's project.
    """
    if not can_lead(by) or by.project_id != token.member.project_id:
        raise NotAllowed(_("A key is revoked by a lead of its project."))
    Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)


def _may_act(member: Member) -> bool:
    """Say whether the person behind the key is still let in: a disabled account ends its keys."""
    return member.user is not None and member.user.is_active


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
