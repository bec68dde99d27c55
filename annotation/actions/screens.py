"""How a person likes their screen."""

from django.conf import settings
from django.utils.translation import gettext as _

from annotation.errors import Invalid
from annotation.models.users import User

THEMES = ("", "light", "dark")
TEXT_SIZES = ("", "large", "larger")
CONTRASTS = ("", "more", "normal")
BREAK_CHOICES = (0, 25, 50, 90)


def set_screen(
    user: User,
    *,
    theme: str,
    text_size: str,
    single_keys: bool,
    contrast: str = "",
    language: str = "",
) -> None:
    """Keep the person's own colours, contrast, text size, single-key shortcuts and language.

    :param language: one of `settings.LANGUAGES`; "" for what the browser asks for.
    :raises Invalid: for a value that is none of the choices.
    """
    if theme not in THEMES or text_size not in TEXT_SIZES or contrast not in CONTRASTS:
        raise Invalid(_("That is not one of the choices."), fields={"theme": theme})
    if language and language not in dict(settings.LANGUAGES):
        raise Invalid(_("That is not one of the choices."), fields={"language": language})
    user.theme = theme
    user.text_size = text_size
    user.contrast = contrast
    user.single_keys = single_keys
    user.language = language
    user.save(update_fields=["theme", "text_size", "contrast", "single_keys", "language"])


def set_break(user: User, *, minutes: int) -> None:
    """Keep after how many minutes of work in a row the person is reminded to rest; 0 is never.

    :raises Invalid: for a value that is none of `BREAK_CHOICES`.
    """
    if minutes not in BREAK_CHOICES:
        raise Invalid(_("That is not one of the choices."), fields={"break_minutes": f"{minutes}"})
    user.break_minutes = minutes
    user.save(update_fields=["break_minutes"])


def set_columns(user: User, *, one_column: bool, scroll_apart: bool) -> None:
    """Keep how the person lays out two sides: one at a time, each scrolling by itself."""
    user.one_column = one_column
    user.scroll_apart = scroll_apart
    user.save(update_fields=["one_column", "scroll_apart"])
