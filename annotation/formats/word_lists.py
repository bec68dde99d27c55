"""Finding an operator's words in texts: whole words where a script has them, anywhere in others.

Both sides are compared in NFKC, case-folded, with every run of white space as one blank. A word
must stand alone: no letter, digit, underscore or combining mark next to it. Scripts that put no
blanks between words (Chinese, Japanese, Korean particles, Thai, Lao, Khmer, Burmese) have no such
edges, so there a word counts wherever it stands, and next to them any word ends. Words are plain
text, never patterns.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

_SPACELESS = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"  # Hangul
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3100-\u312f\u31a0-\u31ff"  # radicals, kana, bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
_IS_SPACELESS = re.compile(f"[{_SPACELESS}]")
_TOKEN = re.compile(rf"[^\W{_SPACELESS}]+")
_SIMPLE = re.compile("[0-9a-z_\u00df-\u024f\u0370-\u058f]+")
"""Words of one piece in scripts without combining marks: found by their token."""


def folded(text: str) -> str:
    """Return the text as it is compared: NFKC, case-folded, blanks for white space."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(plain.split())


class WordLists:
    """The words of several categories, ready to be looked for."""

    def __init__(self, lists: Mapping[str, Iterable[str]]) -> None:
        """Take category key -> words as the operator wrote them; empty words are none."""
        self._tokens: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        self._others: list[tuple[str, str, str]] = []
        for key, words in sorted(lists.items()):
            for word in words:
                plain = folded(word)
                if _SIMPLE.fullmatch(plain):
                    self._tokens[plain].append((key, word))
                elif plain:
                    self._others.append((plain, key, word))

    def __bool__(self) -> bool:
        return bool(self._tokens or self._others)

    def found(self, texts: Iterable[str]) -> dict[str, str]:
        """Return category key -> the first of its words, by spelling, that stands in a text."""
        hits: defaultdict[str, set[str]] = defaultdict(set)
        for text in texts:
            for key, word in self._hits(folded(text)):
                hits[key].add(word)
        return {key: min(words) for key, words in sorted(hits.items())}

    def _hits(self, text: str) -> Iterator[tuple[str, str]]:
        if self._tokens:
            for token in self._tokens.keys() & set(_TOKEN.findall(text)):
                # A mark that does not compose (as on a word in another script) makes another word.
                if _stands_alone(token, text):
                    yield from self._tokens[token]
        for plain, key, word in self._others:
            if plain in text and _stands_alone(plain, text):
                yield key, word


def _stands_alone(word: str, text: str) -> bool:
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        before, after = text[at - 1 : at], text[end : end + 1]
        if not _goes_on(before, word[0]) and not _goes_on(after, word[-1]):
            return True
        at = text.find(word, at + 1)
    return False


def _goes_on(neighbour: str, edge: str) -> bool:
    """Say whether the word's edge is no edge, because the neighbour belongs to it."""
    if not neighbour or _IS_SPACELESS.match(neighbour) or _IS_SPACELESS.match(edge):
        return False
    if not _is_word(edge):
        return False
    return _is_word(neighbour)


def _is_word(sign: str) -> bool:
    return sign == "_" or sign.isalnum() or unicodedata.category(sign).startswith("M")
