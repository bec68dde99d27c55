"""One-click sign-in links for a demo: signed, short-lived, good for one use."""

from datetime import datetime, timedelta

from django.core.signing import BadSignature, Signer
from django.utils.translation import gettext as _

from annotation.errors import NotAllowed
from annotation.models.users import User

LIFE = timedelta(hours=1)

_SALT = "annotation.sign_in_link"


class LinkRefused(NotAllowed):
    """The link was used, is too old, or was not made here."""


def make_sign_in_token(user: User, *, now: datetime) -> str:
    """Return the text of a link that signs the user in once, until `LIFE` from now."""
    until = int((now + LIFE).timestamp())
    return _signer(user).sign(f"{user.pk}.{until}")


def use_sign_in_token(token: str, *, now: datetime) -> User:
    """Return the user of an unused, living link, and use it up.

    :raises LinkRefused: without saying which of the reasons it was.
    """
    refused = LinkRefused(
        _("This link was used or is too old. Start the demo again for a new one.")
    )
    pk, _dot, until = token.partition(":")[0].partition(".")
    if not (pk.isdecimal() and until.isdecimal()):
        raise refused
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None:
        raise refused
    try:
        _signer(user).unsign(token)
    except BadSignature as bad:
        raise refused from bad
    if int(until) < now.timestamp():
        raise refused
    # The condition makes one of two who click at once lose.
    used = User.objects.filter(pk=user.pk, last_login=user.last_login, password=user.password)
    if not used.update(last_login=now):
        raise refused
    user.last_login = now
    return user


def _signer(user: User) -> Signer:
    """A signer that changes with each sign-in and each new password, so old links die."""
    last = user.last_login.isoformat() if user.last_login else ""
    return Signer(salt=f"{_SALT}/{user.pk}/{user.password}/{last}")
