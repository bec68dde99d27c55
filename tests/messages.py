"""What the code base asks to have translated, found without GNU gettext, as makemessages finds it.

Python is read as a syntax tree; a template is what Django itself hands to xgettext.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("annotation", "intermt_annotate")
TRANSLATION = "django.utils.translation"


class Message(NamedTuple):
    """A message as a catalogue names it; no context and no plural are ""."""

    context: str
    text: str
    plural: str


def messages() -> dict[Message, str]:
    """Return every message, with the file that asks for it."""
    found: dict[Message, str] = {}
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                found |= dict.fromkeys(of_python(path.read_text()), str(path.relative_to(ROOT)))
    for path in sorted((ROOT / "templates").rglob("*.html")):
        found |= dict.fromkeys(of_template(path.read_text()), str(path.relative_to(ROOT)))
    return found


def of_python(source: str) -> Iterator[Message]:
    """Yield what a module marks; what it hands over in a variable is marked elsewhere."""
    tree = ast.parse(source)
    names = {
        alias.asname or alias.name: alias.name.removesuffix("_lazy").removesuffix("_noop")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == TRANSLATION
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            texts = [one.value for one in node.args if isinstance(one, ast.Constant)]
            message = _message(
                names.get(node.func.id, ""), [t for t in texts if isinstance(t, str)]
            )
            if message:
                yield message


_TEXT = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CALL = re.compile(rf"\b(_|n?p?gettext)\(({_TEXT}(?:\s*,\s*{_TEXT})*)")


def of_template(source: str) -> Iterator[Message]:
    """Yield what a template marks."""
    for call, texts in _CALL.findall(templatize(source)):
        message = _message("gettext" if call == "_" else call, list(ast.literal_eval(f"[{texts}]")))
        if message:
            yield message


def _message(function: str, texts: list[str]) -> Message | None:
    match function, texts:
        case "gettext", [text, *_]:
            return Message("", text, "")
        case "pgettext", [context, text, *_]:
            return Message(context, text, "")
        case "ngettext", [text, plural, *_]:
            return Message("", text, plural)
        case "npgettext", [context, text, plural, *_]:
            return Message(context, text, plural)
    return None
