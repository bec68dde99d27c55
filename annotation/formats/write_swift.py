"""ms-swift rows for DPO and reward models: the target that keeps the pictures of both sides.

Fields after modelscope/ms-swift 3602360, docs/source_en/Customization/Custom-dataset.md: `messages`
with `images`, and `rejected_messages` with `rejected_images`, both in full, the shared prompt
included in each. `loss` on an assistant message says whether it is compared: true for what follows
the fork, false for what both sides share. Beyond the format every row names its `pair`,
`dimension`, `dialogue` and `marks`, which the trainer leaves aside.

Picture paths are relative to the folder of the export; ms-swift joins them to `ROOT_IMAGE_DIR`.
"""

from collections.abc import Mapping
from typing import Any

from annotation.formats.aggregate import Choice
from annotation.formats.checks import SWIFT_TAG, Unfit, has_literal_tag, swift_problems
from annotation.formats.pairs import Message, marks_in_words, same_content, stored_images


def swift_row(choice: Choice, *, last_response_only: bool = False) -> dict[str, Any]:
    """Return the row of one decided pair.

    With `last_response_only` the whole conversations stay and only the last response of each has a
    loss. Raise `Unfit` where the row cannot say what was judged: a picture that is missing, broken
    or withdrawn, a text that contains a media tag, or sides that read alike.
    """
    pair = choice.pair
    paths = {path.image: path.path for path in pair.images}
    chosen, rejected = pair.sides[choice.chosen], pair.sides[choice.rejected]
    if same_content(chosen, rejected):
        raise Unfit("sides_equal")
    row: dict[str, Any] = {
        "pair": pair.pair,
        "dimension": choice.dimension,
        "dialogue": pair.dialogue,
        "marks": marks_in_words(pair.marks),
        "messages": _messages(pair.prompt, chosen, last_only=last_response_only),
        "images": _paths((*pair.prompt, *chosen), paths),
        "rejected_messages": _messages(pair.prompt, rejected, last_only=last_response_only),
        "rejected_images": _paths((*pair.prompt, *rejected), paths),
    }
    if choice.margin is not None:
        row["margin"] = choice.margin
    if choice.annotator is not None:
        row["annotator"] = choice.annotator
    problems = swift_problems(row)
    if problems:
        raise Unfit("not_alternating" if "roles" in problems[0] else "malformed")
    return row


def _messages(
    prompt: tuple[Message, ...], side: tuple[Message, ...], *, last_only: bool
) -> list[dict[str, Any]]:
    told = [(message, False) for message in prompt]
    last = len(side) - 1
    told += [(message, place == last or not last_only) for place, message in enumerate(side)]
    return [
        {"role": message.role, "content": _content(message)}
        | ({"loss": compared} if message.role == "assistant" else {})
        for message, compared in told
    ]


def _content(message: Message) -> str:
    """Return the text with a tag for each stored picture; a token that made no picture stays text."""
    pieces = []
    for part in message.content:
        if part.type == "image" and part.state == "stored":
            pieces.append(SWIFT_TAG)
            continue
        if part.type == "image" and part.state != "never_made":
            raise Unfit(f"image_{part.state}")
        if has_literal_tag(part.text):
            raise Unfit("literal_media_tag")
        pieces.append(part.text)
    content = "".join(pieces)
    if content.count(SWIFT_TAG) != sum(part.state == "stored" for part in message.content):
        # Two harmless texts can form a tag where they meet.
        raise Unfit("literal_media_tag")
    return content


def _paths(messages: tuple[Message, ...], paths: Mapping[str, str]) -> list[str]:
    return [paths[image] for image in stored_images(messages)]
