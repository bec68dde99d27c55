"""How a person likes their screen."""

from annotation.errors import Invalid
from annotation.models.users import User

THEMES = ("", "light", "dark")
TEXT_SIZES = ("", "large", "larger")


def set_screen(user: User, *, theme: str, text_size: str, single_keys: bool) -> None:
    """Keep the person's own choices of colours, text size and single-key shortcuts.

    :raises Invalid: for a value that is none of the choices.
    """
    if theme not in THEMES or text_size not in TEXT_SIZES:
        raise Invalid("That is not one of the choices.", fields={"theme": theme})
    user.theme = theme
    user.text_size = text_size
    user.single_keys = single_keys
    user.save(update_fields=["theme", "text_size", "single_keys"])
