"""What a file says, as frozen values: records, their turns and pictures, scores and preferences.

No database and no guessing here. Texts are the file's own, code point for code point; display
cleans a copy elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MOST_ID = 200
"""Longest outside id, in code points."""
MOST_NAME = 400
"""Longest picture name, in code points."""
MOST_KIND = 40
MOST_LABEL = 200
MOST_TASK = 100
MOST_LANGUAGE = 16
MOST_MARK = 100
"""Longest content mark, in code points."""
MOST_TURNS = 200
"""Most turns in one record. The published files end at 18."""
MOST_PICTURES = 200
"""Most entries of one picture list. The published files end at 28."""


class Anomaly(StrEnum):
    """What a file does that a reader may stumble over; survived and counted, never repaired.

    The comment says what one count is.
    """

    # How pictures are written down.
    NO_IMAGE_AS_BLANK = "no_image_as_blank"  # a picture list [""]
    NO_IMAGE_AS_EMPTY_LIST = "no_image_as_empty_list"  # a picture list []
    NO_IMAGE_AS_HASH = "no_image_as_hash"  # "#" in place of a picture list
    IMAGE_LIST_AS_STRING = "image_list_as_string"  # one name in place of a list
    BLANK_AMONG_IMAGES = "blank_among_images"  # a "" (or null) beside named pictures
    ABSOLUTE_NAME = "absolute_name"  # a picture name that starts at a root or drive
    NAME_WITH_PARENT = "name_with_parent"  # a picture name with ".." in it
    MANY_IMAGES = "many_images"  # a picture list of more than nine
    # Tokens of images in texts.
    IMAGE_WITHOUT_TOKEN = "image_without_token"  # noqa: S105 - a response's picture without a <...>
    TOKEN_WITHOUT_IMAGE = "token_without_image"  # noqa: S105 - an image token that no picture came for
    TOKENS_DIFFER_FROM_IMAGES = "tokens_differ_from_images"  # a text and list, neither empty
    MARKUP_AS_TOKEN = "markup_as_token"  # noqa: S105 - a picture made for a <...> that asks for none
    OTHER_KIND = "other_kind"  # a token of a kind other than Image
    UNCLOSED_TOKEN = "unclosed_token"  # noqa: S105 - an image token without its ">"
    TOKEN_IN_PROMPT = "token_in_prompt"  # noqa: S105 - a prompt with an image token
    # Texts; one count a text.
    STRAY_BRACKETS = "stray_brackets"  # a prompt that ends in "]]" and opens none
    FOLLOW_UP_WRAPPER = "follow_up_wrapper"  # a prompt with [[Follow-up]]
    OUTPUT_MARKER = "output_marker"  # a text with [[OUTPUT_n]]
    BRACKETS_AFTER_RESPONSE = "brackets_after_response"  # a response that ends in "]]"
    ROLE_IN_TEXT = "role_in_text"  # a line that starts with User:, Assistant: ...
    REFERENCE_LEFTOVER = "reference_leftover"  # a text with <ref> or </ref>
    OUTER_WHITESPACE = "outer_whitespace"  # a response that starts or ends in white space
    TRIVIAL_RESPONSE = "trivial_response"  # a response of at most four characters
    EMPTY_PROMPT = "empty_prompt"
    EMPTY_RESPONSE = "empty_response"
    BEYOND_BMP = "beyond_bmp"  # a text with code points above U+FFFF, such as emoji
    NO_BREAK_SPACE = "no_break_space"  # a text with U+00A0
    SAME_RESPONSE_AGAIN = "same_response_again"  # a response equal to an earlier one of its record
    # Ids.
    NO_RECORD_ID = "no_record_id"  # a record
    NO_NODE_ID = "no_node_id"  # a prompt or response
    # Scores and reasons.
    NO_GLOBAL_SCORES = "no_global_scores"  # a record without its round 0
    SCORE_MISSING = "score_missing"  # a dimension without a score where the format has one
    REASON_EMPTY = "reason_empty"  # a reason of white space, or none, where the format has one
    REASON_NAMES_MORE_STEPS = "reason_names_more_steps"  # "to step 5" of a shorter one
    REASON_NAMES_FEWER_STEPS = "reason_names_fewer_steps"
    REASON_WITH_CHINESE = "reason_with_chinese"
    REASON_OUTER_WHITESPACE = "reason_outer_whitespace"
    REASON_REPEATED = "reason_repeated"  # a reason equal to an earlier one of its record
    ONE_SCORE_THROUGHOUT = "one_score_throughout"  # a record and dimension, three turns or more
    # The file itself.
    BYTE_ORDER_MARK = "byte_order_mark"
    UNKNOWN_FIELD = "unknown_field"  # a name that the format does not know, kept nowhere
    # What only shows beside other records; counted by the importer.
    SAME_ID_OTHER_IMAGES = "same_id_other_images"  # a node with other picture names than before
    SAME_PATH_OTHER_SCORES = "same_path_other_scores"  # a duplicate with other values


@dataclass(frozen=True, slots=True)
class Slot:
    """One entry of a prompt's or response's picture list, or an image announced and not made.

    :ivar position: from 0, in the order of the list.
    :ivar name: the picture's name exactly as it came; "" where none was made.
    :ivar never_made: whether the file says that there is no picture here.
    :ivar offset: where its token starts in the text, in code points, or None: no token.
    :ivar length: the token's length in code points, or None.
    :ivar kind: the token's word ("Image", "Video", ...); "" where the token is ordinary text
        (``<sup>``), which then stays text.
    :ivar caption: the token's words after its kind.
    """

    position: int
    name: str
    never_made: bool = False
    offset: int | None = None
    length: int | None = None
    kind: str = ""
    caption: str = ""
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """What made a response, where the file says so. Annotators never see it."""

    model: str = ""
    tool: str = ""
    sampling: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return only what is known."""
        known = {"model": self.model, "tool": self.tool, "sampling": dict(self.sampling)}
        return {name: value for name, value in known.items() if value}


@dataclass(frozen=True, slots=True)
class Prompt:
    """A user's text with its pictures. `names` are the list's entries as they came."""

    text: str
    names: tuple[str | None, ...] = ()
    slots: tuple[Slot, ...] = ()
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer's text with its pictures, and what made it. `names` as in `Prompt`."""

    text: str
    names: tuple[str | None, ...] = ()
    slots: tuple[Slot, ...] = ()
    external_id: str = ""
    source: Source = Source()


Message = Prompt | Response
"""Either side of a turn."""


@dataclass(frozen=True, slots=True)
class Turn:
    prompt: Prompt
    response: Response


@dataclass(frozen=True, slots=True)
class Score:
    """A person's score as a file gives it.

    :ivar turn: the turn it is about, from 1, or None: the whole conversation.
    :ivar score: the number, or None: not applicable, or only a reason.
    :ivar named_steps: the highest step that the reason names, "from step 1 to step N".
    """

    dimension: str
    turn: int | None
    score: int | None
    reason: str = ""
    not_applicable: bool = False
    named_steps: int | None = None


@dataclass(frozen=True, slots=True)
class Preference:
    """A person's preference between two records of one entry, as a file gives it.

    :ivar first: index in the entry of the record that holds the first side.
    :ivar second: the same for the second side.
    :ivar turn: the turn whose responses are compared, from 1, or None: the whole conversations.
    :ivar dimension: a dimension's key, or "" for the overall preference.
    :ivar outcome: ``first``, ``second``, ``tie`` or ``both_bad``.
    """

    first: int
    second: int
    turn: int | None
    dimension: str
    outcome: str
    strength: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One conversation as a file gave it.

    :ivar position: its number among the file's records, from 0; refused ones count.
    :ivar place: where it stands in the file, for a person: ``[12]``, ``line 4, path 2``.
    :ivar dialogue_id: the outside id of the whole tree, where the file has one.
    """

    position: int
    place: str
    turns: tuple[Turn, ...]
    external_id: str = ""
    dialogue_id: str = ""
    title: str = ""
    task: str = ""
    source: str = ""
    language: str = ""
    marks: tuple[str, ...] = ()
    scores: tuple[Score, ...] = ()
    anomalies: Mapping[Anomaly, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """What one place of a file gives: one record, the two of a pair, or all paths of a tree."""

    records: tuple[Record, ...]
    preferences: tuple[Preference, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that cannot be taken, and why.

    :ivar field: the JSON path of what is wrong, ``conversations[2].prompt``, or "".
    """

    position: int
    place: str
    field: str
    reason: str


class FormatError(Exception):
    """The file as a whole cannot be read; the message names the file and the place in it."""


class Unfit(Exception):
    """A value of one record that cannot be taken. Readers turn it into `Refused`."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason
