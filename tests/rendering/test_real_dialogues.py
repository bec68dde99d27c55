"""Every turn of the published halves is shown whole: all its words, each picture once."""

import html
import json
import re
import time

import pytest

from annotation.rendering.slots import (
    HtmlBlock,
    SlotBlock,
    SlotToken,
    render_prompt,
    render_response,
)

WORD = re.compile(r"[A-Za-z]{4,}")


def turns_of(path):
    for record in json.loads(path.read_text()):
        for turn in record["conversations"]:
            turn = turn.get("round_conversations", turn)
            if "response" in turn:
                yield turn


def tokens_of(text):
    return [
        SlotToken(position, found.start(), found.end(), stays="," not in found[0])
        for position, found in enumerate(re.finditer(r"<[^<>]*>", text))
    ]


def words_of(text):
    # A link whose words are its own target is said once.
    text = re.sub(r"\[(http[^\]]*)\]\(\1\)", r"\1", text)
    return WORD.findall(re.sub("follow-up", " ", text, flags=re.IGNORECASE))


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["crucial_step_recognition", "score_evaluation"])
def test_every_turn_is_shown_whole(shared_data, name):
    turns = list(turns_of(shared_data / "intermt" / f"{name}.json"))
    started = time.thread_time()

    for turn in turns:
        for text, render in ((turn["prompt"], render_prompt), (turn["response"], render_response)):
            slots = tokens_of(text)
            blocks = render(text, slots).blocks

            positions = [one.position for one in blocks if isinstance(one, SlotBlock)]
            assert positions == list(range(len(slots)))
            shown = " ".join(one.html for one in blocks if isinstance(one, HtmlBlock))
            # Formulas become MathML, whose commands are not words any more.
            if "<math" in shown or "raw-math" in shown:
                continue
            assert words_of(html.unescape(re.sub(r"<[^<>]*>", "", shown))) == words_of(
                re.sub(r"<[^<>]*,[^<>]*>", " ", text)
            )

    assert len(turns) >= 700
    assert (time.thread_time() - started) / len(turns) < 0.02
