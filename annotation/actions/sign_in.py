"""One-click sign-in links for a demo: signed, short-lived, good for one use."""

from datetime import datetime, timedelta

from django.core.signing import BadSignature, Signer
from django.utils.crypto import constant_time_compare, salted_hmac

from annotation.errors import NotAllowed
from annotation.models.users import User

LIFE = timedelta(hours=1)

_SALT = "annotation.sign_in_link"


class LinkRefused(NotAllowed):
    """The link was used, is too old, or was not made here."""


def make_sign_in_token(user: User, *, now: datetime) -> str:
    """Return the text of a link that signs the user in once, until `LIFE` from now."""
    until = int((now + LIFE).timestamp())
    return Signer(salt=_SALT).sign_object({"user": user.pk, "until": until, "as": _state(user)})


def use_sign_in_token(token: str, *, now: datetime) -> User:
    """Return the user of an unused, living link, and use it up.

    :raises LinkRefused: without saying which of the reasons it was.
    """
    refused = LinkRefused("This link was used or is too old. Start the demo again for a new one.")
    try:
        body = Signer(salt=_SALT).unsign_object(token)
    except (BadSignature, ValueError) as bad:
        raise refused from bad
    user = User.objects.filter(pk=body["user"], is_active=True).first()
    if user is None or body["until"] < now.timestamp():
        raise refused
    if not constant_time_compare(body["as"], _state(user)):
        raise refused
    # The condition makes one of two who click at once lose.
    used = User.objects.filter(pk=user.pk, last_login=user.last_login, password=user.password)
    if not used.update(last_login=now):
        raise refused
    user.last_login = now
    return user


def _state(user: User) -> str:
    """A digest that changes with each sign-in and each new password, so old links die."""
    last = user.last_login.isoformat() if user.last_login else ""
    return salted_hmac(_SALT, f"{user.pk}/{user.password}/{last}", algorithm="sha256").hexdigest()
