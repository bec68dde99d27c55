"""The four published formats: records, scores, pairs; what is refused and what is counted."""

import json
from collections import Counter

import pytest

from annotation.formats.records import Anomaly, Entry, Preference, Refused
from tests.formats.files import crucial, entries_of, pair, scored, written


def records_of(path):
    return [record for entry in entries_of(path) for record in entry.records]


def refusal(tmp_path, value):
    (one,) = entries_of(written(tmp_path, [crucial(), value]), "auto")[1:]
    assert isinstance(one, Refused)
    return one.position, one.place, one.field, one.reason


def test_a_crucial_record_keeps_texts_ids_names_and_score(tmp_path):
    value = crucial(7, turns=2)
    value["conversations"][1]["response"] = " \n\nAnswer\u00a0<Image, x>]]  "

    (record,) = records_of(written(tmp_path, [value]))

    assert (record.position, record.place, record.external_id) == (0, "[0]", "7")
    first, second = record.turns
    assert first.prompt.text == "Question 1 of 7?"
    assert first.prompt.names == ("images/7-p.png",)
    assert (first.prompt.external_id, first.response.external_id) == ("q7-1", "a7-1")
    assert second.prompt.names == ("",)
    assert second.prompt.slots == ()
    assert second.response.text == " \n\nAnswer\u00a0<Image, x>]]  "
    (score,) = record.scores
    assert (score.dimension, score.turn, score.score) == ("crucial_step_recognition", None, 3)
    assert (score.reason, score.named_steps) == ("From step 1 to step 2, all good.", 2)


def test_a_score_record_has_local_scores_by_turn_and_global_ones_without(tmp_path):
    (record,) = records_of(written(tmp_path, [scored(turns=2)]))

    assert len(record.turns) == 2
    assert {(score.dimension, score.turn): score.score for score in record.scores} == {
        ("context_awareness", None): 3,
        ("helpfulness", None): 2,
        ("crucial_step_recognition", None): 2,
        ("global_image_text_consistency", None): 1,
        ("style_coherence", None): -1,
        ("local_image_text_consistency", 1): 1,
        ("visual_perceptual_quality", 1): 3,
        ("text_quality", 1): 3,
        ("context_coherence", 1): 2,
        ("local_image_text_consistency", 2): 2,
        ("visual_perceptual_quality", 2): 3,
        ("text_quality", 2): 3,
        ("context_coherence", 2): 2,
    }
    assert [score.reason for score in record.scores if score.turn == 2 and score.reason] == [
        "Local 2.",
        "Visual 2.",
    ]
    assert record.anomalies[Anomaly.NO_RECORD_ID] == 1


def test_a_missing_score_is_no_score_and_is_counted(tmp_path):
    value = scored(turns=1)
    value["conversations"][1]["annotations"]["text_quality"] = None
    del value["conversations"][0]

    (record,) = records_of(written(tmp_path, [value]))

    assert "text_quality" not in {score.dimension for score in record.scores}
    assert record.anomalies[Anomaly.SCORE_MISSING] == 1
    assert record.anomalies[Anomaly.NO_GLOBAL_SCORES] == 1


@pytest.mark.parametrize("score", [4, -1, 2.0, 2.5, "3", True, [3]])
def test_a_score_off_the_scale_refuses_the_record(tmp_path, score):
    value = crucial(8, crucial_step_recognition=score)

    position, place, field, reason = refusal(tmp_path, value)

    assert (position, place, field) == (1, "[1]", "annotation.crucial_step_recognition")
    assert reason


@pytest.mark.parametrize(
    ("path", "value", "field", "reason"),
    [
        ("response", "half \ud800", "conversations[1].response", "surrogate pair, U+D800"),
        ("response", "a\0b", "conversations[1].response", "NUL at character 1"),
        ("prompt", None, "conversations[1].prompt", "should be a text, is null"),
        ("round", 5, "conversations[1].round", "should be 2, is 5"),
        ("round", float("nan"), "conversations[1].round", "NaN is not a number"),
        ("round", 10**30, "conversations[1].round", "is too large"),
        ("response_images", "a.png", "conversations[1].response_images", "should be a list"),
        ("response_images", [3], "conversations[1].response_images[0]", "should be a text"),
        ("response_uuid", "x" * 201, "conversations[1].response_uuid", "longer than 200"),
        ("response_images", ["a"] * 201, "conversations[1].response_images", "at most 200"),
    ],
)
def test_a_bad_value_refuses_its_record_with_the_path(tmp_path, path, value, field, reason):
    bad = crucial(8)
    bad["conversations"][1][path] = value

    found = refusal(tmp_path, bad)

    assert found[:3] == (1, "[1]", field)
    assert reason in found[3]


def test_a_record_without_turns_or_a_needed_field_is_refused(tmp_path):
    empty, lacking = crucial(8), crucial(9)
    empty["conversations"] = []
    del lacking["conversations"][0]["response"]

    entries = entries_of(written(tmp_path, [crucial(), empty, lacking, 5]))

    assert entries[1:] == [
        Refused(1, "[1]", "conversations", "is empty"),
        Refused(2, "[2]", "conversations[0].response", "is missing"),
        Refused(3, "[3]", "", "should be an object, is the number 5"),
    ]


def test_oddities_of_texts_reasons_and_lists_are_counted(tmp_path):
    value = crucial(3, turns=3, reason_crucial_step_recognition=" 从 step one to step five ")
    one, two, three = value["conversations"]
    one["response"] = "Yes"
    one["response_images"] = [""]
    two["prompt"] = "Why?]]"
    two["response"] = "Previous:\nUser: hi\nAssistant: \U0001f600 </ref>"
    two["response_images"] = ["/abs/a.png", "../b.png"]
    three["prompt"] = "It seems fine.\n[[Follow-up]][[And now?]]"
    three["response"] = "Yes"
    three["response_images"] = []
    value["extra"] = 1

    (record,) = records_of(written(tmp_path, [value]))

    assert record.anomalies == {
        Anomaly.NO_IMAGE_AS_BLANK: 3,
        Anomaly.NO_IMAGE_AS_EMPTY_LIST: 1,
        Anomaly.ABSOLUTE_NAME: 1,
        Anomaly.NAME_WITH_PARENT: 1,
        Anomaly.TOKENS_DIFFER_FROM_IMAGES: 1,
        Anomaly.IMAGE_WITHOUT_TOKEN: 2,
        Anomaly.STRAY_BRACKETS: 1,
        Anomaly.FOLLOW_UP_WRAPPER: 1,
        Anomaly.ROLE_IN_TEXT: 1,
        Anomaly.REFERENCE_LEFTOVER: 1,
        Anomaly.BEYOND_BMP: 1,
        Anomaly.TRIVIAL_RESPONSE: 2,
        Anomaly.SAME_RESPONSE_AGAIN: 1,
        Anomaly.REASON_WITH_CHINESE: 1,
        Anomaly.REASON_OUTER_WHITESPACE: 1,
        Anomaly.REASON_NAMES_MORE_STEPS: 1,
        Anomaly.UNKNOWN_FIELD: 1,
    }


def test_a_pair_gives_two_records_and_its_preferences(tmp_path):
    verdicts = {"text_quality": 2, "context_coherence": 0, "total_preference": 1}

    (entry,) = entries_of(written(tmp_path, [pair(local_overall_preference=verdicts)]))

    first, second = entry.records
    assert (first.position, second.position) == (0, 1)
    assert first.turns[0] == second.turns[0]
    assert first.turns[1].prompt == second.turns[1].prompt
    assert (first.turns[1].response.text, second.turns[1].response.text) == (
        "This.",
        "That <Image, that>.",
    )
    assert entry.preferences == (
        Preference(0, 1, 2, "text_quality", "second"),
        Preference(0, 1, 2, "context_coherence", "tie"),
        Preference(0, 1, 2, "", "first"),
    )


def test_a_global_pair_compares_whole_conversations(tmp_path):
    value = pair(overall_preference={"helpfulness": 1})
    value["front_convs"] = []

    (entry,) = entries_of(written(tmp_path, [value]))

    assert [len(record.turns) for record in entry.records] == [1, 1]
    assert entry.preferences == (Preference(0, 1, None, "helpfulness", "first"),)


def test_a_pair_with_an_unknown_verdict_or_one_answer_twice_is_refused(tmp_path):
    same = pair()
    same["paired_convs"] |= {"response_2": "This.", "response_2_images": []}
    bad = pair(overall_preference={"helpfulness": 3})

    entries = entries_of(written(tmp_path, [pair(), same, bad]))

    assert [(one.position, one.field) for one in entries[1:]] == [
        (2, "paired_convs.response_2"),
        (3, "overall_preference.helpfulness"),
    ]


def site_row(group, number, **values):
    return {
        "group": group,
        "category": "Unclear Cognition",
        "group_name": "Scene Layout",
        "figures": 1,
        "prompt": f"Q{number}",
        "response": f"A{number}",
        "imageP": "#",
        "imageR": "#",
        "color": "default",
    } | values


def test_site_rows_of_one_group_are_one_record(tmp_path):
    rows = [
        site_row(1, 1, imageP="/x/images/1.png"),
        site_row(1, 2, imageR=["/x/images/2.png", "/x/images/3.png"]),
        site_row(2, 3, imageR="/x/images/4.png"),
    ]

    one, two = records_of(written(tmp_path, rows))

    assert (one.position, one.place, one.source, one.task) == (
        0,
        "[0] to [1]",
        "Unclear Cognition",
        "Scene Layout",
    )
    assert [turn.prompt.names for turn in one.turns] == [("/x/images/1.png",), ()]
    assert [turn.response.names for turn in one.turns] == [
        (),
        ("/x/images/2.png", "/x/images/3.png"),
    ]
    assert (two.position, two.place, len(two.turns)) == (1, "[2]", 1)


def test_a_bad_site_row_refuses_its_group_alone(tmp_path):
    rows = [site_row(1, 1), site_row(2, 2), site_row(2, 3, response=None), site_row(3, 4)]

    entries = entries_of(written(tmp_path, rows))

    assert entries[1] == Refused(1, "[1] to [2]", "[2].response", "should be a text, is null")
    assert [entry.records[0].position for entry in entries if isinstance(entry, Entry)] == [0, 2]


REAL = {
    "crucial_step_recognition.json": ("intermt-crucial", 250, 999, 250),
    "score_evaluation.json": ("intermt-score", 124, 750, 3620),
    "site_examples/stepwise_regression/dataset_examples.json": ("intermt-site", 3, 15, 0),
    "site_examples/unclear_cognition/dataset_examples.json": ("intermt-site", 3, 15, 0),
}


@pytest.mark.shared_data
@pytest.mark.parametrize("name", REAL)
def test_the_published_files_are_recognised_and_read_whole(shared_data, name):
    path = shared_data / "intermt" / name

    records = records_of(path)

    turns = sum(len(record.turns) for record in records)
    scores = sum(len(record.scores) for record in records)
    assert (len(records), turns, scores) == REAL[name][1:]
    assert [record.position for record in records] == list(range(len(records)))


@pytest.mark.shared_data
def test_the_texts_of_the_published_files_come_through_byte_for_byte(shared_data):
    path = shared_data / "intermt" / "crucial_step_recognition.json"
    raw = json.loads(path.read_text())

    records = records_of(path)

    assert [
        [(turn.prompt.text, turn.response.text, list(turn.response.names)) for turn in one.turns]
        for one in records
    ] == [
        [
            (turn["prompt"], turn["response"], turn["response_images"])
            for turn in one["conversations"]
        ]
        for one in raw
    ]


@pytest.mark.shared_data
def test_the_anomalies_of_the_published_halves_are_counted(shared_data):
    folder = shared_data / "intermt"
    counts = {
        name: sum((Counter(r.anomalies) for r in records_of(folder / name)), Counter())
        for name in ("crucial_step_recognition.json", "score_evaluation.json")
    }

    assert counts["crucial_step_recognition.json"] == {
        Anomaly.NO_IMAGE_AS_BLANK: 1035,
        Anomaly.BLANK_AMONG_IMAGES: 2,
        Anomaly.MANY_IMAGES: 2,
        Anomaly.TOKEN_WITHOUT_IMAGE: 4,
        Anomaly.MARKUP_AS_TOKEN: 57,
        Anomaly.OTHER_KIND: 51,
        Anomaly.UNCLOSED_TOKEN: 1,
        Anomaly.TOKEN_IN_PROMPT: 2,
        Anomaly.STRAY_BRACKETS: 497,
        Anomaly.FOLLOW_UP_WRAPPER: 4,
        Anomaly.OUTPUT_MARKER: 4,
        Anomaly.BRACKETS_AFTER_RESPONSE: 2,
        Anomaly.ROLE_IN_TEXT: 3,
        Anomaly.OUTER_WHITESPACE: 377,
        Anomaly.TRIVIAL_RESPONSE: 4,
        Anomaly.SAME_RESPONSE_AGAIN: 37,
        Anomaly.REASON_NAMES_MORE_STEPS: 59,
        Anomaly.REASON_NAMES_FEWER_STEPS: 7,
    }
    assert counts["score_evaluation.json"] == {
        Anomaly.NO_IMAGE_AS_EMPTY_LIST: 750,
        Anomaly.IMAGE_WITHOUT_TOKEN: 749,
        Anomaly.MARKUP_AS_TOKEN: 1,
        Anomaly.REFERENCE_LEFTOVER: 1,
        Anomaly.NO_BREAK_SPACE: 28,
        Anomaly.NO_RECORD_ID: 124,
        Anomaly.ONE_SCORE_THROUGHOUT: 256,
        Anomaly.REASON_REPEATED: 166,
        Anomaly.REASON_OUTER_WHITESPACE: 88,
        Anomaly.REASON_WITH_CHINESE: 3,
        Anomaly.REASON_NAMES_MORE_STEPS: 5,
        Anomaly.REASON_NAMES_FEWER_STEPS: 5,
    }
