"""Categories of content as a file: `{"format": "intermt-annotate-categories/1", "categories"}`.

A category: `key` (what marks name it by), `name` and `description` (`{language: text}`, English at
least), `daily_limit` (a whole number, or null for none) and `words` (a list of texts that mark a
dialogue; see `annotation.formats.word_lists`). `fixtures/content_categories.json` is one.
"""

from dataclasses import dataclass

from annotation.formats.fields import At, decode
from annotation.formats.records import MOST_MARK, Unfit
from annotation.formats.rubrics import Texts, must_differ, texts_by_language
from annotation.formats.word_lists import folded

FORMAT = "intermt-annotate-categories/1"
MOST_WORDS = 5000
MOST_WORD = 100
MOST_A_DAY = 1000


@dataclass(frozen=True, slots=True)
class CategoryGiven:
    """One category; an empty description and no words where none are given."""

    key: str
    name: Texts
    description: Texts
    daily_limit: int | None
    words: tuple[str, ...]


def read_categories(data: bytes) -> tuple[CategoryGiven, ...]:
    """Return the categories that a file's bytes hold, in order.

    :raises Unfit: with the path of the first thing that is wrong.
    """
    at = At(decode(data))
    if at.needed("format").value != FORMAT:
        raise Unfit("format", f"is not {FORMAT}")
    given = tuple(_category(one) for one in at.needed("categories").items(at_least=1))
    must_differ([one.key for one in given], "categories", "key")
    return given


def wrong_key(key: str) -> str:
    """Return in words what is wrong with a category's key, "" if nothing is."""
    if not key or key != key.strip():
        return "should be a word, without blanks around it"
    if len(key) > MOST_MARK:
        return f"is longer than {MOST_MARK} characters"
    return "holds a comma, which parts keys from each other" if "," in key else ""


def tidy_words(words: list[str]) -> tuple[str, ...]:
    """Return the words without blanks around them and without those that are equal as compared."""
    plain = {folded(word): word.strip() for word in reversed(words) if folded(word)}
    return tuple(reversed(plain.values()))


def _category(at: At) -> CategoryGiven:
    key = at.needed("key")
    if wrong := wrong_key(key.text()):
        raise key.unfit(wrong)
    limit = at.child("daily_limit")
    if limit.value is not None and not 0 <= limit.whole() <= MOST_A_DAY:
        raise limit.unfit(f"is not between 0 and {MOST_A_DAY}")
    words = at.child("words")
    told = words.items(at_most=MOST_WORDS) if words.value is not None else []
    return CategoryGiven(
        key=key.text(),
        name=texts_by_language(at.needed("name")),
        description=texts_by_language(at.child("description")) if at.has("description") else {},
        daily_limit=limit.value,
        words=tidy_words([one.optional_text(at_most=MOST_WORD) for one in told]),
    )
