"""The pairs behind the golden files. `python -m tests.golden.pairs` writes the files again."""

import sys
from dataclasses import replace
from pathlib import Path

from annotation.formats import aggregate, splits
from annotation.formats.pairs import (
    Message,
    Pair,
    PairImage,
    PairJudgment,
    PairMark,
    PairPreference,
    PairRating,
    PairRemark,
    SlotPlace,
    canonical_line,
    drawn_order,
    interleaved,
    pair_key,
    pair_line,
)
from annotation.formats.write_ratings import RatingRow, header_line, rating_line
from annotation.formats.write_swift import swift_row
from annotation.formats.write_trl import trl_row

HERE = Path(__file__).parent
OVERALL = aggregate.Policy()
CAT, KITTEN, TIGER = ("sha256:" + sign * 64 for sign in "abc")
IMAGES = {
    key: PairImage(key, f"images/{key[7:9]}/{key[7:]}.png", "image/png", 640, 480, 1234)
    for key in (CAT, KITTEN, TIGER)
}


def message(role, node, turn, text, *slots, model=None):
    """Return a message whose slots stand where their token begins in the text."""
    places = []
    for number, (token, state, image) in enumerate(slots):
        offset = text.index(token) if token else None
        places.append(SlotPlace(number, state, image, offset, len(token)))
    return Message(role, node, turn, interleaved(text, places), model)


def judgment(annotator, number, overall, **changes):
    """Return a judgment with one overall preference: a side, `tie` or `both_bad`."""
    preferred = overall if overall.startswith("response") else None
    outcome = "prefers" if preferred else overall
    told = PairJudgment(
        annotator=annotator,
        number=number,
        revision=1,
        cause="first",
        purpose="overlap",
        shown_first="response_1",
        letters={"A": "response_1", "B": "response_2"},
        guideline=1,
        language="en",
        submitted_at="2026-03-02T09:45:01Z",
        preferences=(PairPreference("overall", outcome, preferred, 2 if preferred else None),),
    )
    return replace(told, **changes)


def rating(side, dimension, score, **changes):
    """Return a local rating of the first turn's response of a side."""
    told = PairRating(side, side, 1, "local", dimension, score)
    return replace(told, **changes)


def pair(key, prompt, side_1, side_2, judgments, **changes):
    """Return a pair with the pictures its messages show."""
    shown = {
        part.image for told in (*prompt, *side_1, *side_2) for part in told.content if part.image
    }
    told = Pair(
        pair=pair_key(
            batch="cats",
            kind="turn_pair",
            rubric="intermt 1",
            dialogue="root-" + key,
            response_1=key + "/1",
            response_2=key + "/2",
        ),
        project="default",
        batch="cats",
        kind="turn_pair",
        dialogue="root-" + key,
        rubric="intermt 1",
        prompt=prompt,
        sides={"response_1": side_1, "response_2": side_2},
        judgments=judgments,
        images=tuple(IMAGES[image] for image in sorted(shown)),
    )
    told = replace(told, **changes)
    return replace(told, order=drawn_order(told.pair, seed=7))


def sample_pairs():
    """Return three pairs: pictures on every side, text only, and a conversation of several turns."""
    asked = message("user", "p1", 1, "What is “this”?", ("", "stored", CAT))
    drawn = pair(
        "drawn",
        (asked,),
        (
            message(
                "assistant",
                "r1",
                1,
                "Here: <Image, a kitten> and <Image, more>.",
                ("<Image, a kitten>", "stored", KITTEN),
                ("<Image, more>", "never_made", None),
                model="model-x",
            ),
        ),
        (
            message(
                "assistant",
                "r2",
                1,
                "Look: <Image, a tiger>",
                ("<Image, a tiger>", "stored", TIGER),
            ),
        ),
        (
            judgment(
                "p-1",
                3,
                "response_2",
                ratings=(
                    rating("response_1", "text_quality", 1),
                    rating("response_2", "text_quality", 3),
                ),
                remarks=(PairRemark("rationale", "B is “better”\u2028and =1+1", "en"),),
            ),
            judgment(
                "p-2",
                5,
                "response_2",
                shown_first="response_2",
                letters={"A": "response_2", "B": "response_1"},
            ),
            judgment("p-3", 6, "response_1"),
        ),
    )
    plain = pair(
        "plain",
        (message("user", "p2", 1, "2 < 3?"),),
        (message("assistant", "r3", 1, "Yes\n"),),
        (message("assistant", "r4", 1, "是的，2 < 3。"),),
        (judgment("p-1", 4, "response_1"), judgment("p-2", 7, "response_1")),
    )
    long = pair(
        "long",
        (asked, message("assistant", "r1", 1, "A kitten.")),
        (message("user", "p3", 2, "Bigger]]"), message("assistant", "r5", 2, "Done")),
        (
            message("user", "p4", 2, "Smaller"),
            message("assistant", "r6", 2, "Sure"),
            message("user", "p5", 3, "Smaller still"),
            message("assistant", "r7", 3, "<Image, dot>", ("<Image, dot>", "stored", KITTEN)),
        ),
        (judgment("p-1", 8, "response_2"),),
        kind="conversation_pair",
    )
    marks = (PairMark("disaster", "file", "p1", 0), PairMark("injury", "words"))
    return [replace(drawn, marks=marks), plain, long]


def with_decisions(told, policy=OVERALL):
    """Return the pair with what the policy decides, as an export writes it."""
    decided = tuple(decision for decision, _ in aggregate.decisions(told, policy=policy))
    trees = [
        splits.Tree(one.dialogue, frozenset(i.image for i in one.images)) for one in sample_pairs()
    ]
    places = splits.placed(trees, shares=splits.Shares(90, 5, 5), seed=7)
    return replace(told, aggregates=decided, split=places[told.dialogue])


def sample_ratings():
    """Return two rows, one of which a spreadsheet would run."""
    row = RatingRow(
        project="default", batch="cats", item="sha256:1", dialogue="root-drawn",
        unit="text_quality|r1", annotator="p-1", score=3, dimension="text_quality",
        level="local", turn=1, response="r1", answer="3", left_out="", origin="given",
        reason='=HYPERLINK("http://x","y"), "quoted"\nline', tags="typo unclear", branch="",
        purpose="overlap", set="final", judgment=3, revision=1, cause="first", guideline=1,
        language="en", model="", images=1, active_ms=1500, submitted_at="2026-03-02T09:45:01Z",
        marks="disaster (file)",
    )  # fmt: skip
    absent = replace(
        row, score=None, answer="-1", left_out="outside_order", dimension="style_coherence",
        unit="style_coherence|r1", reason="'quoted", tags="", guideline=None, active_ms=None,
    )  # fmt: skip
    return [row, absent]


def only_choices(told, policy=OVERALL):
    """Return the decisions of the pair that a binary target can hold."""
    found = aggregate.choices(told, policy=policy)
    return [choice for choice in found if isinstance(choice, aggregate.Choice)]


def golden():
    """Return each golden file's name and bytes."""
    drawn, plain, long = sample_pairs()
    swift = [swift_row(choice) for told in (drawn, plain, long) for choice in only_choices(told)]
    strength = aggregate.Policy(margin="strength")
    trl = [
        trl_row(choice, response_images="drop")[0]
        for told in (drawn, plain)
        for choice in only_choices(told, strength)
    ]
    return {
        "pairs.canonical.jsonl": b"".join(pair_line(with_decisions(p)) for p in sample_pairs()),
        "pairs.swift.jsonl": b"".join(canonical_line(row) for row in swift),
        "pairs.trl.jsonl": b"".join(canonical_line(row) for row in trl),
        "ratings.csv": header_line() + b"".join(rating_line(row) for row in sample_ratings()),
    }


if __name__ == "__main__":
    for name, content in golden().items():
        (HERE / name).write_bytes(content)
        sys.stdout.write(f"{name}: {len(content)} bytes\n")
