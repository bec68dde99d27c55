"""TRL rows with an explicit prompt, for DPOTrainer (with pictures) and RewardTrainer (text).

Fields after huggingface/trl f2cd577, docs/source/dataset_formats.md: `prompt`, `chosen` and
`rejected` as message lists with typed content, one flat `images` list for the prompt, an empty
list where there is none. TRL has one image list, in the prompt: a picture of a response cannot be
said, so an export with such pictures is refused until it is told that they may be dropped. A side
is one message: the trainer would count a user's words inside a side as part of the answer.

Picture paths are relative to the folder of the export; make them absolute and cast the column to
`List(Image())` after loading, as the README of every export shows.
"""

from typing import Any, Literal

from annotation.formats.aggregate import Choice
from annotation.formats.checks import Unfit, trl_problems
from annotation.formats.pairs import Message, Part, marks_in_words, same_content, stored_images

ResponseImages = Literal["refuse", "drop"]

DROP_ADVICE = (
    "TRL cannot hold the pictures of responses. Choose the format swift, which can, or have the "
    "pictures of responses dropped"
)
ONE_MESSAGE_ADVICE = (
    "TRL cannot hold a side of several messages. Choose the format swift, which can, or compare "
    "only the last response of each side: that keeps pairs whose last responses answer the same "
    "prompt"
)


def trl_row(
    choice: Choice,
    *,
    last_response_only: bool = False,
    response_images: ResponseImages = "refuse",
) -> tuple[dict[str, Any], int]:
    """Return the row of one decided pair, and how many pictures of its sides were dropped.

    Raise `Unfit`; it refuses the export where data would be lost without a word.
    """
    pair = choice.pair
    sides = {"chosen": pair.sides[choice.chosen], "rejected": pair.sides[choice.rejected]}
    if same_content(sides["chosen"], sides["rejected"]):
        raise Unfit("sides_equal")
    if any(len(messages) != 1 for messages in sides.values()):
        if last_response_only:
            raise Unfit("contexts_differ")
        raise Unfit("side_of_several_messages", advice=ONE_MESSAGE_ADVICE)
    held = sum(len(stored_images(messages)) for messages in sides.values())
    if held and response_images != "drop":
        raise Unfit("response_images", advice=DROP_ADVICE)

    paths = {path.image: path.path for path in pair.images}
    row: dict[str, Any] = {
        "pair": pair.pair,
        "dimension": choice.dimension,
        "dialogue": pair.dialogue,
        "marks": marks_in_words(pair.marks),
        "prompt": [_message(message, keep_images=True) for message in pair.prompt],
        "chosen": [_message(message, keep_images=False) for message in sides["chosen"]],
        "rejected": [_message(message, keep_images=False) for message in sides["rejected"]],
        "images": [paths[image] for image in stored_images(pair.prompt)],
    }
    if row["chosen"] == row["rejected"]:
        raise Unfit("sides_equal_without_images")
    if choice.margin is not None:
        row["margin"] = choice.margin
    if choice.annotator is not None:
        row["annotator"] = choice.annotator
    problems = trl_problems(row)
    if problems:
        raise Unfit("not_alternating" if "roles" in problems[0] else "malformed")
    return row, held


def _message(message: Message, *, keep_images: bool) -> dict[str, Any]:
    content: list[dict[str, str]] = []
    text = ""
    for part in message.content:
        if _is_picture(part):
            if keep_images:
                content += [{"type": "text", "text": text}] if text else []
                content.append({"type": "image"})
                text = ""
        else:
            text += part.text
    if text or not content:
        content.append({"type": "text", "text": text})
    return {"role": message.role, "content": content}


def _is_picture(part: Part) -> bool:
    if part.type == "image" and part.state not in {"stored", "never_made"}:
        raise Unfit(f"image_{part.state}")
    return part.type == "image" and part.state == "stored"
