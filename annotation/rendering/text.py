"""What a reader is shown of a raw text, and what can be said of it: length, script, direction.

The raw text is kept byte for byte in the database; everything here works on a copy.
"""

import re
from dataclasses import dataclass

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""U+0000 and halves of surrogate pairs: PostgreSQL refuses them, and no person types them."""
LONGEST_CUT_WORD = 24
FOLLOW_UP = re.compile(
    r"\[\[\s*follow-?\s?up\s*\]\]\s*\[\[(?P<question>.*?)\s*(?:\]\]|\Z)", re.IGNORECASE | re.DOTALL
)
CJK_RANGES = "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_CJK_SIGN = re.compile(f"[{CJK_RANGES}]")
_WORD = re.compile(rf"[^\W{CJK_RANGES}](?:[^\W{CJK_RANGES}]|['’.\-\u00ad](?=\w))*")
_SCRIPTS = {
    "ja": re.compile("[\u3040-\u30ff\u31f0-\u31ff]"),
    "ko": re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]"),
    "zh": re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"),
    "ar": re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc]"),
    "he": re.compile("[\u0590-\u05ff\ufb1d-\ufb4f]"),
    "ru": re.compile("[\u0400-\u04ff]"),
    "el": re.compile("[\u0370-\u03ff]"),
    "hi": re.compile("[\u0900-\u097f]"),
    "th": re.compile("[\u0e00-\u0e7f]"),
}
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_ENGLISH = re.compile(
    r"\b(?:the|and|of|to|is|in|a|you|for|this|it|with|are|on|that|yes|no)\b", re.IGNORECASE
)
_SAMPLE = 4_000
RTL_LANGUAGES = frozenset({"ar", "he"})


@dataclass(frozen=True, slots=True)
class Script:
    """How a text is to be set: a language tag ("" where unknown) and `ltr` or `rtl`."""

    language: str
    direction: str


def without_unstorable(text: str) -> str:
    """Return the text without U+0000 and halves of surrogate pairs."""
    return UNSTORABLE.sub("", text)


def clean_prompt(text: str) -> str:
    """Return a prompt without the residue of the generator that wrote it.

    Half the prompts of the crucial-step file end in a stray `]]`, some wear
    `[[Follow-up]][[question]]` (spec/intermt.md 8.2, 12 and 13). The words themselves all stay.
    """
    cleaned = FOLLOW_UP.sub(lambda found: found["question"], text)
    if cleaned.count("]]") > cleaned.count("[["):
        cleaned = cleaned.rstrip().removesuffix("]]")
    return cleaned.strip()


def clean_response(text: str) -> str:
    """Return a response without outer white space; whatever else is wrong with it is to be judged."""
    return text.strip("\n\r\t\f\v ")


def shortened(text: str, length: int) -> str:
    """Return the beginning of a text in at most `length` signs, cut between words where it has any."""
    if len(text) <= length:
        return text
    cut = text[: length - 2]
    head, _space, rest = cut.rpartition(" ")
    # Scripts without spaces are cut between two signs.
    return f"{head if head and len(rest) <= LONGEST_CUT_WORD else cut} …"


def count_words(text: str) -> int:
    """Return how much there is to read: words, and one for each Han, kana or kindred sign."""
    return len(_CJK_SIGN.findall(text)) + len(_WORD.findall(text))


def guess_script(text: str) -> Script:
    """Return the likely language and direction, by the letters of the first 4,000 characters.

    A guess for fonts, line breaking and voices, not a classification: a script that several
    languages share is named after the commonest, Latin letters are called English only where
    common English words are among them.
    """
    sample = text[:_SAMPLE]
    counts = {language: len(pattern.findall(sample)) for language, pattern in _SCRIPTS.items()}
    latin = len(_LATIN.findall(sample))
    if counts["ja"] and counts["ja"] * 10 >= counts["zh"]:
        counts["ja"] += counts.pop("zh")
    # One Han sign says about as much as three letters.
    weighted = {
        language: n * (3 if language in {"zh", "ja"} else 1) for language, n in counts.items()
    }
    language = max(weighted, key=lambda name: weighted[name])
    if weighted[language] == 0 or weighted[language] < latin:
        words = max(1, len(sample.split()))
        language = "en" if latin and len(_ENGLISH.findall(sample)) * 12 >= words else ""
    return Script(language=language, direction="rtl" if language in RTL_LANGUAGES else "ltr")
