"""Importing: what records become, whatever the order and however often."""

import copy
import gc
import io
import json
import tracemalloc
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Max
from PIL import Image as Pixels

from annotation.actions import imports
from annotation.actions.imports import Asked, CannotImport, files_below, import_files
from annotation.choices import (
    BatchKind,
    BatchPurpose,
    BatchState,
    Cause,
    JobState,
    Outcome,
    PreferenceScope,
    RecordOutcome,
    SlotState,
)
from annotation.formats.records import Anomaly
from annotation.models import (
    Assignment,
    Batch,
    Dialogue,
    Image,
    Import,
    Judgment,
    Member,
    Preference,
    Rating,
    Record,
    Remark,
    Response,
    Slot,
    Turn,
    Variant,
)
from tests.factories import NOW, make_project, make_rubric
from tests.formats.files import crucial, pair, scored, tree, written

pytestmark = pytest.mark.django_db

TABLES = (
    Assignment,
    Batch,
    Dialogue,
    Image,
    Import,
    Judgment,
    Member,
    Preference,
    Rating,
    Record,
    Remark,
    Response,
    Slot,
    Turn,
    Variant,
)


def state_of_tables():
    """Return count and highest key of every table, and the newest slots' states."""
    counts = {
        model.__name__: (model.objects.count(), model.objects.aggregate(most=Max("pk"))["most"])
        for model in TABLES
    }
    return counts, sorted(Slot.objects.values_list("pk", "state", "image", "name"))


def bring(*paths, **asked):
    return import_files(make_project(), paths, by=None, now=NOW, asked=Asked(**asked))


def outcomes(report):
    return {str(one): report.count(one) for one in RecordOutcome if report.count(one)}


def png(colour, size=(8, 6)):
    out = io.BytesIO()
    Pixels.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def draw(folder, **colours):
    """Write pictures into the folder's `images`; names without ending."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for name, colour in colours.items():
        (folder / "images" / f"{name}.png").write_bytes(png(colour))


def forest():
    """Return everything about the trees that does not depend on when rows were made."""
    return sorted(
        (
            response.turn.content_key,
            response.content_key,
            response.depth,
            response.turn.prompt,
            response.text,
            response.ends_record,
            [
                (slot.position, slot.state, slot.offset, slot.caption)
                for slot in response.slots.order_by("position")
            ],
            [(slot.position, slot.state) for slot in response.turn.slots.order_by("position")],
            [Response.objects.get(pk=pk).text for pk in response.lineage_ids()],
        )
        for response in Response.objects.select_related("turn")
    )


# Trees


def test_a_record_becomes_turns_responses_and_slots(tmp_path):
    report = bring(written(tmp_path, [crucial(7, turns=2)]))

    assert outcomes(report) == {"new": 1}
    record = Record.objects.get()
    last = record.last_response
    assert (record.external_id, record.position, record.file) == ("7", 0, "file.json")
    assert record.pictures == [
        [["images/7-p.png"], ["images/7-1.png"]],
        [[""], ["images/7-2.png"]],
    ]
    path = Response.objects.on_path(last).select_related("turn")
    assert [(one.depth, one.turn.prompt, one.text, one.external_id) for one in path] == [
        (1, "Question 1 of 7?", "Answer 1 of 7: <Image, view 1>", "a7-1"),
        (2, "Question 2 of 7?", "Answer 2 of 7: <Image, view 2>", "a7-2"),
    ]
    assert [one.ends_record for one in path] == [False, True]
    assert list(Slot.objects.order_by("pk").values_list("name", "state", "kind", "caption")) == [
        ("images/7-p.png", "missing", "", ""),
        ("images/7-1.png", "missing", "Image", "view 1"),
        ("images/7-2.png", "missing", "Image", "view 2"),
    ]


def branching():
    """Return four records of one seed: two answers to turn 2, a prefix, and a duplicate."""
    one = crucial(1, turns=3)
    other = copy.deepcopy(one)
    other["id"] = 2
    other["conversations"][1] |= {"response": "Otherwise.", "response_uuid": "a1-2b"}
    other["conversations"][2] |= {"prompt_uuid": "q1-3b", "response_uuid": "a1-3b"}
    prefix = copy.deepcopy(one)
    prefix["id"] = 3
    del prefix["conversations"][2]
    duplicate = copy.deepcopy(one)
    duplicate["id"] = 4
    for turn in duplicate["conversations"]:
        turn["response_images"] = ["images/other-name.png"]
    return [one, other, prefix, duplicate]


def test_records_of_one_seed_become_one_tree(tmp_path):
    report = bring(written(tmp_path, branching()))

    assert outcomes(report) == {"new": 2, "duplicate": 1, "prefix": 1}
    assert (Dialogue.objects.count(), Turn.objects.count(), Response.objects.count()) == (1, 4, 5)
    ends = Record.objects.order_by("position").values_list("last_response__external_id", flat=True)
    assert list(ends) == ["a1-3", "a1-3b", "a1-2", "a1-3"]
    assert sorted(Response.objects.full().values_list("external_id", flat=True)) == [
        "a1-2",
        "a1-3",
        "a1-3b",
    ]
    assert report.anomalies[Anomaly.SAME_ID_OTHER_IMAGES] == 3


def test_the_order_of_records_does_not_matter(tmp_path):
    records = [*branching(), crucial(9)]
    first = written(tmp_path, records[:2], "first.json")
    second = written(tmp_path, records[2:], "second.json")
    bring(first, second)
    one_way = forest()
    Record.objects.all().delete()
    Slot.objects.all().delete()
    Dialogue.objects.all().delete()

    bring(second)
    bring(written(tmp_path, records[1::-1], "first.json"))

    assert forest() == one_way
    assert len(one_way) == 7


def test_records_in_one_chunk_and_in_chunks_of_one_give_the_same_trees(tmp_path, monkeypatch):
    path = written(tmp_path, branching())
    bring(path)
    together = forest()
    Record.objects.all().delete()
    Dialogue.objects.all().delete()

    monkeypatch.setattr("annotation.actions.records.CHUNK_RECORDS", 1)
    bring(path)

    assert forest() == together


def test_the_same_prompt_id_with_other_text_is_another_node(tmp_path):
    one, other = crucial(1, turns=1), crucial(1, turns=1)
    other["conversations"][0]["prompt"] = "Another question?"

    bring(written(tmp_path, [one, other]))

    assert Dialogue.objects.count() == 2


def path_of(*turns, **more):
    return {
        "format": "intermt-annotate/1",
        "turns": [{"prompt": prompt, "response": response} for prompt, response in turns],
        **more,
    }


def test_without_ids_an_equal_beginning_joins(tmp_path):
    lines = [
        path_of(("Hi", "Hello"), ("More", "One")),
        path_of(("Hi", "Hello"), ("More", "Two")),
        path_of(("Hi", "Good day"), ("More", "One")),
    ]

    bring(written(tmp_path, lines))

    assert (Dialogue.objects.count(), Turn.objects.count(), Response.objects.count()) == (1, 3, 5)


def test_with_and_without_ids_never_join(tmp_path):
    lines = [
        path_of(("Hi", "Hello")),
        path_of(({"id": "q", "text": "Hi"}, "Hello")),
        path_of(("Hi", {"id": "a", "text": "Hello"})),
    ]

    bring(written(tmp_path, lines))

    assert sorted(Turn.objects.values_list("prompt", "external_id")) == [("Hi", ""), ("Hi", "q")]
    assert sorted(Response.objects.values_list("turn__external_id", "external_id")) == [
        ("", ""),
        ("", "a"),
        ("q", ""),
    ]


def test_without_ids_pictures_tell_nodes_apart_by_their_pixels(tmp_path):
    draw(tmp_path, red="red", rouge="red", blue="blue")
    lines = [
        path_of(({"text": "What is it?", "images": [f"images/{name}.png"]}, f"It is {name}."))
        for name in ("red", "rouge", "blue")
    ]

    bring(written(tmp_path, lines))

    assert sorted(Dialogue.objects.values_list("turns__responses__text", flat=True)) == [
        "It is blue.",
        "It is red.",
        "It is rouge.",
    ]
    assert Dialogue.objects.count() == 2


def test_without_ids_and_files_names_tell_nodes_apart(tmp_path):
    lines = [
        path_of(({"text": "What?", "images": [name]}, answer))
        for name, answer in (("a.png", "A"), ("b.png", "B"), ("a.png", "C"))
    ]

    bring(written(tmp_path, lines))

    assert Dialogue.objects.count() == 2
    assert Response.objects.count() == 3


def test_what_is_said_of_a_dialogue_and_its_models_is_kept(tmp_path):
    bring(written(tmp_path, tree()))

    dialogue = Dialogue.objects.get()
    assert (dialogue.external_id, dialogue.task, dialogue.source, dialogue.language) == (
        "tree-1",
        "Travel",
        "ours",
        "en",
    )
    assert dialogue.marks == ["sensitive"]
    assert Response.objects.get(external_id="a1").source == {
        "model": "model-x",
        "sampling": {"temperature": 0.7},
    }
    assert Slot.objects.get(response__external_id="a1").caption == "the great hall"
    assert Slot.objects.get(response__external_id="a2").state == SlotState.NEVER_MADE


# Again


def test_a_second_run_writes_nothing(tmp_path):
    make_rubric()
    bad = crucial(8)
    bad["conversations"][0]["response"] = None
    draw(tmp_path, **{"7-1": "red"})
    files = [
        written(tmp_path, [crucial(7), crucial(7), bad, crucial(9)], "crucial.json"),
        written(tmp_path, [scored(), scored()], "scored.json"),
        written(tmp_path, [pair(local_overall_preference={"text_quality": 1})], "pairs.json"),
        written(tmp_path, tree(), "tree.json"),
    ]
    first = bring(*files)
    before = state_of_tables()

    again = bring(*files)

    assert outcomes(first) == {"new": 10, "duplicate": 2, "refused": 1}
    assert outcomes(again) == {"same": 12, "refused": 1}
    assert state_of_tables() == before
    assert again.conflict_count == 0
    assert again.contents == first.contents
    assert again.judgeable == first.judgeable


def test_a_moved_file_is_known_again(tmp_path):
    bring(written(tmp_path, [crucial(7)], "one.json"))

    report = bring(written(tmp_path, [crucial(3), crucial(7)], "two.json"))

    assert outcomes(report) == {"new": 1, "same": 1}


def test_pictures_that_come_later_fill_missing_slots(tmp_path):
    path = written(tmp_path, [crucial(7, turns=1)])
    bring(path)
    keys = forest()

    draw(tmp_path / "elsewhere", **{"7-1": "red", "7-p": "blue"})
    report = bring(path, images=(tmp_path / "elsewhere",))

    assert (outcomes(report), report.filled) == ({"same": 1}, 2)
    assert report.contents.slots == {
        "stored": 2,
        "never_made": 0,
        "missing": 0,
        "broken": 0,
        "withdrawn": 0,
    }
    assert [row[:2] for row in forest()] == [row[:2] for row in keys]
    assert bring(path).filled == 0
    assert set(Slot.objects.values_list("state", flat=True)) == {"stored"}


def test_a_missing_file_never_takes_a_picture_away(tmp_path):
    draw(tmp_path, **{"7-1": "red", "7-p": "blue"})
    path = written(tmp_path, [crucial(7, turns=1)])
    bring(path)
    (tmp_path / "images" / "7-1.png").unlink()

    report = bring(path)

    assert report.filled == 0
    assert Slot.objects.filter(state=SlotState.STORED).count() == 2


def test_other_pixels_at_a_stored_slot_are_a_variant(tmp_path):
    draw(tmp_path, one="red", same="red", other="blue")
    records = []
    for number, name in enumerate(("one", "same", "other", "other"), 1):
        record = crucial(1, turns=1)
        record["id"] = number
        record["conversations"][0]["prompt_images"] = [""]
        record["conversations"][0]["response_images"] = [f"images/{name}.png"]
        records.append(record)

    report = bring(written(tmp_path, records))

    slot = Slot.objects.get()
    variant = Variant.objects.get()
    assert report.variants == 1
    assert slot.name == "images/one.png"
    assert variant.slot == slot
    assert variant.record.external_id == "3"
    assert variant.image.pixel_sha256 != slot.image.pixel_sha256


def test_an_unreadable_picture_is_broken_with_the_reason(tmp_path):
    draw(tmp_path, **{"7-p": "blue"})
    (tmp_path / "images" / "7-1.png").write_bytes(b"GIF89a not a picture")

    bring(written(tmp_path, [crucial(7, turns=1)]))

    broken = Slot.objects.get(state=SlotState.BROKEN)
    assert (broken.name, broken.image) == ("images/7-1.png", None)
    assert broken.problem == "it is no JPEG, PNG or WebP"


def test_a_withdrawn_slot_stays_withdrawn(tmp_path):
    path = written(tmp_path, [crucial(7, turns=1)])
    bring(path)
    Slot.objects.update(state=SlotState.WITHDRAWN)
    draw(tmp_path, **{"7-1": "red", "7-p": "blue"})

    report = bring(path)

    assert report.filled == 0
    assert set(Slot.objects.values_list("state", flat=True)) == {"withdrawn"}


# Dry, strict, refused


def test_a_dry_run_reports_all_and_writes_nothing(tmp_path, media):
    make_rubric()
    draw(tmp_path, **{"7-1": "red"})
    before = state_of_tables()
    path = written(tmp_path, [crucial(7)])

    report = bring(path, dry_run=True)

    assert state_of_tables() == before
    assert not media.exists()
    assert (report.dry_run, report.written) == (True, False)
    assert outcomes(report) == {"new": 1}
    assert report.contents.dialogues == 1
    assert report.contents.slots["stored"] == 1
    assert report.judgeable.full_paths == 1
    assert outcomes(bring(path)) == {"new": 1}


def test_refused_records_are_kept_with_their_reason_and_the_rest_goes_in(tmp_path):
    bad = crucial(8)
    bad["conversations"][1]["prompt"] = "half \ud800"

    report = bring(written(tmp_path, [bad, crucial(7)]))

    (refusal,) = report.refused
    assert (refusal.file, refusal.position, refusal.place) == ("file.json", 0, "[0]")
    assert refusal.field == "conversations[1].prompt"
    row = Record.objects.get(outcome=RecordOutcome.REFUSED)
    assert row.problem == {
        "place": "[0]",
        "field": "conversations[1].prompt",
        "reason": "holds half of a surrogate pair, U+D800 at character 5",
    }
    assert Dialogue.objects.count() == 1


def test_strict_writes_nothing_if_any_record_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("annotation.actions.records.CHUNK_RECORDS", 1)
    bad = crucial(8)
    del bad["conversations"]
    before = state_of_tables()

    report = bring(written(tmp_path, [crucial(7), bad]), strict=True)

    assert report.written is False
    assert outcomes(report) == {"new": 1, "refused": 1}
    assert state_of_tables() == before


def test_strict_writes_all_if_none_is_refused(tmp_path):
    report = bring(written(tmp_path, [crucial(7), crucial(8)]), strict=True)

    assert report.written is True
    assert Record.objects.count() == 2
    assert Import.objects.get().state == JobState.DONE


def test_a_file_of_no_known_format_stops_before_anything_is_written(tmp_path):
    good = written(tmp_path, [crucial(7)], "good.json")
    unknown = written(tmp_path, [{"a": 1}], "unknown.json")
    before = state_of_tables()

    with pytest.raises(CannotImport, match="Looked for intermt-crucial"):
        bring(good, unknown)

    assert state_of_tables() == before


def test_an_import_that_is_stopped_keeps_whole_chunks_and_goes_on_later(tmp_path, monkeypatch):
    monkeypatch.setattr("annotation.actions.records.CHUNK_RECORDS", 2)
    path = written(tmp_path, [crucial(number) for number in range(5)])

    def stop(progress):
        if progress.records >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_files(make_project(), [path], by=None, now=NOW, watch=stop)

    assert Record.objects.count() == 2
    assert Import.objects.get().state == JobState.CANCELLED
    assert outcomes(bring(path)) == {"new": 3, "same": 2}
    assert Dialogue.objects.count() == 5


def test_progress_is_told_in_records_and_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr("annotation.actions.records.CHUNK_RECORDS", 2)
    path = written(tmp_path, [crucial(number) for number in range(5)])
    told = []

    import_files(make_project(), [path], by=None, now=NOW, watch=told.append)

    assert [one.records for one in told] == [2, 4, 5]
    assert [one.bytes_read for one in told] == sorted(one.bytes_read for one in told)
    assert {one.bytes_total for one in told} == {path.stat().st_size}


def test_folders_give_their_files_and_nothing_is_said(tmp_path):
    for name in ("b.json", "a.jsonl", "notes.txt"):
        (tmp_path / name).write_text("[]")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.json").write_text("[]")

    assert [path.name for path in files_below([tmp_path])] == ["a.jsonl", "b.json", "c.json"]
    with pytest.raises(CannotImport, match="no such file"):
        files_below([tmp_path / "none.json"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(CannotImport, match="holds no file"):
        files_below([tmp_path / "empty"])


# Scores


def ratings():
    return sorted(
        Rating.objects.values_list(
            "response__external_id", "dimension__key", "score", "reason", "steps_named"
        )
    )


def test_scores_become_judgments_of_a_reference_member_in_a_closed_batch(tmp_path):
    make_rubric()

    report = bring(written(tmp_path, [scored(turns=1)]))

    assert report.scores["stored"] == 9
    batch = Batch.objects.get()
    assert (batch.kind, batch.purpose, batch.state) == (
        BatchKind.CONVERSATION,
        BatchPurpose.REFERENCE,
        BatchState.CLOSED,
    )
    assert batch.imported_in == Import.objects.get()
    judgment = Judgment.objects.get()
    assert (judgment.cause, judgment.number, judgment.seat.purpose) == (
        Cause.IMPORT,
        1,
        "reference",
    )
    assert (judgment.member.pseudonym, judgment.member.user) == ("reference", None)
    assert ratings() == [
        ("sa1", "context_awareness", 3, "", None),
        ("sa1", "context_coherence", 2, "", None),
        ("sa1", "crucial_step_recognition", 2, "Steps are unclear.", None),
        ("sa1", "global_image_text_consistency", 1, "", None),
        ("sa1", "helpfulness", 2, "", None),
        ("sa1", "local_image_text_consistency", 1, "Local 1.", None),
        ("sa1", "style_coherence", -1, "", None),
        ("sa1", "text_quality", 3, "", None),
        ("sa1", "visual_perceptual_quality", 3, "Visual 1.", None),
    ]


def test_local_scores_rate_their_turn_and_global_ones_the_path(tmp_path):
    make_rubric()

    bring(written(tmp_path, [scored(turns=3)]))

    by_response = {}
    for response, key, *_ in ratings():
        by_response.setdefault(response, []).append(key)
    assert {response: len(keys) for response, keys in by_response.items()} == {
        "sa1": 4,
        "sa2": 4,
        "sa3": 9,
    }


def test_a_reason_that_names_more_steps_than_there_are_turns_is_marked(tmp_path):
    make_rubric()
    more = crucial(1, turns=2, reason_crucial_step_recognition="From step one to step five.")

    report = bring(written(tmp_path, [more, crucial(2, turns=2)]))

    assert [(row[0], row[4]) for row in ratings()] == [("a1-2", 5), ("a2-2", None)]
    assert report.scores == {"stored": 2, "names_more_steps": 1}


def test_a_duplicate_with_other_values_is_a_conflict_and_the_first_stays(tmp_path):
    make_rubric()
    one, same, other, words = (copy.deepcopy(crucial(1)) for _ in range(4))
    same["id"], other["id"], words["id"] = 2, 3, 4
    other["annotation"]["crucial_step_recognition"] = 1
    words["annotation"]["reason_crucial_step_recognition"] = "Other words."

    report = bring(written(tmp_path, [one, same, other, words]))

    assert report.scores == {"stored": 1, "same": 1, "conflict": 2, "names_more_steps": 0}
    assert [(one.position, one.dimension, one.turn) for one in report.conflicts] == [
        (2, "crucial_step_recognition", None),
        (3, "crucial_step_recognition", None),
    ]
    assert report.conflicts[0].stored == "3: From step 1 to step 2, all good."
    assert report.conflicts[0].given == "1: From step 1 to step 2, all good."
    assert Rating.objects.get().score == 3


def test_a_conflict_with_an_earlier_import_is_found(tmp_path):
    make_rubric()
    other = crucial(1)
    other["id"] = 5
    other["annotation"]["crucial_step_recognition"] = 0
    bring(written(tmp_path, [crucial(1)], "one.json"))

    report = bring(written(tmp_path, [other], "two.json"))

    assert (outcomes(report), report.conflict_count) == ({"duplicate": 1}, 1)
    assert Rating.objects.count() == 1


def test_scores_wait_for_a_rubric_that_knows_them(tmp_path):
    path = written(tmp_path, [crucial(1)])
    before = bring(path)
    make_rubric()

    after = bring(path)

    assert before.scores == {"without_rubric": 1}
    assert (outcomes(after), after.scores["stored"]) == ({"same": 1}, 1)
    assert bring(path).scores == {"same": 1}


def test_scores_that_the_rubric_does_not_have_are_counted_and_left_out(tmp_path):
    make_rubric(global_=["helpfulness"])
    line = path_of(
        ("Hi", {"text": "Ho", "scores": {"text_quality": 9, "helpfulness": 1}}),
        scores={"helpfulness": {"not_applicable": True, "reason": "Chat."}, "wit": 1},
    )

    report = bring(written(tmp_path, [line]))

    assert report.scores == {
        "stored": 1,
        "off_scale": 1,
        "wrong_level": 1,
        "unknown_dimension": 1,
        "names_more_steps": 0,
    }
    rating = Rating.objects.get()
    assert (rating.dimension.key, rating.score, rating.not_applicable, rating.reason) == (
        "helpfulness",
        None,
        True,
        "Chat.",
    )


def test_more_scores_of_the_same_path_are_the_next_revision(tmp_path):
    make_rubric()
    first = path_of(("Hi", "Ho"), scores={"helpfulness": 1})
    second = path_of(("Hi", "Ho"), scores={"context_awareness": 2})

    bring(written(tmp_path, [first, second]))

    live = Judgment.objects.order_by("revision").last()
    assert (Judgment.objects.count(), live.revision) == (2, 2)
    assert sorted(live.ratings.values_list("dimension__key", "score")) == [
        ("context_awareness", 2),
        ("helpfulness", 1),
    ]


def test_preferences_become_judgments_of_pairs(tmp_path):
    make_rubric()
    value = pair(
        local_overall_preference={
            "text_quality": 2,
            "reason_text_quality": "It shows it.",
            "context_coherence": 0,
            "total_preference": 1,
        }
    )

    report = bring(written(tmp_path, [value]))

    assert report.preferences == {"stored": 3}
    batch = Batch.objects.get()
    item = batch.items.get()
    assert (batch.kind, batch.purpose) == (BatchKind.TURN_PAIR, BatchPurpose.REFERENCE)
    assert item.fork_depth == 2
    assert item.response_1.content_key < item.response_2.content_key
    this, that = (Response.objects.get(text=text) for text in ("This.", "That <Image, that>."))
    assert {
        (one.scope, one.dimension and one.dimension.key): (one.outcome, one.preferred)
        for one in Preference.objects.select_related("dimension", "preferred")
    } == {
        (PreferenceScope.DIMENSION, "text_quality"): (Outcome.PREFERS, that),
        (PreferenceScope.DIMENSION, "context_coherence"): (Outcome.TIE, None),
        (PreferenceScope.OVERALL, None): (Outcome.PREFERS, this),
    }
    assert Remark.objects.get().text == "text_quality: It shows it."
    shown = {1: item.response_1, 2: item.response_2}[Judgment.objects.get().shown_first]
    assert shown == this


def test_a_pair_that_comes_again_with_another_verdict_is_a_conflict(tmp_path):
    make_rubric()
    first = pair(overall_preference={"helpfulness": 1})
    second = pair(overall_preference={"helpfulness": 2})

    report = bring(written(tmp_path, [first, second]))

    assert report.preferences == {"stored": 1, "conflict": 1}
    assert (report.conflicts[0].stored, report.conflicts[0].given) == (
        "first (strength 1)",
        "second (strength 1)",
    )
    assert Batch.objects.get().kind == BatchKind.CONVERSATION_PAIR


def test_a_trees_preferences_keep_strength_and_level(tmp_path):
    make_rubric()

    bring(written(tmp_path, tree()))

    assert sorted(
        Preference.objects.values_list(
            "judgment__batch__kind", "outcome", "preferred__external_id", "strength"
        )
    ) == [("conversation_pair", "tie", None, None), ("turn_pair", "prefers", "a1", 2)]


# What can be judged


def test_the_report_says_what_can_be_judged(tmp_path):
    report = bring(written(tmp_path, [*branching(), crucial(9)]))

    can = report.judgeable
    assert can.full_paths == 4
    assert can.turn_pairs == {2: 1}
    assert can.conversation_pairs == {(2, 0): 1, (2, 1): 1}
    assert can.trees_without_pair == 1
    assert can.incomplete == {"paths": 4, "turn_pairs": 1, "conversation_pairs": 2}
    body = json.loads(json.dumps(report.as_json()))
    assert body["judgeable"]["conversation_pairs"] == [
        {"fork_turn": 2, "length_difference": 0, "pairs": 1},
        {"fork_turn": 2, "length_difference": 1, "pairs": 1},
    ]
    assert body["records"] == {
        "read": 5,
        "new": 3,
        "same": 0,
        "duplicate": 1,
        "prefix": 1,
        "refused": 0,
    }


# The published halves


@pytest.fixture
def published(shared_data):
    folder = shared_data / "intermt"
    return [
        folder / "crucial_step_recognition.json",
        folder / "score_evaluation.json",
        *sorted(folder.glob("site_examples/*/*.json")),
    ]


@pytest.mark.shared_data
@pytest.mark.slow
def test_the_published_halves_become_the_trees_they_are_known_to_be(published):
    make_rubric()

    report = bring(*published)

    assert [
        (one.format, one.records, one.new_dialogues, one.new_turns, one.new_responses)
        for one in report.files
    ] == [
        ("intermt-crucial", 250, 182, 876, 937),
        ("intermt-score", 124, 124, 750, 750),
        ("intermt-site", 3, 3, 15, 15),
        ("intermt-site", 3, 3, 15, 15),
    ]
    assert outcomes(report) == {"new": 374, "duplicate": 3, "prefix": 3}
    assert report.contents.slots == {
        "stored": 29,
        "never_made": 6,
        "missing": 1681,
        "broken": 0,
        "withdrawn": 0,
    }
    assert report.scores == {"stored": 3867, "same": 3, "names_more_steps": 64}
    assert (report.conflict_count, report.refused) == (0, [])

    before = state_of_tables()
    again = bring(*published)

    assert outcomes(again) == {"same": 380}
    assert state_of_tables() == before


@pytest.mark.shared_data
@pytest.mark.slow
def test_the_published_halves_give_the_same_trees_in_any_order(published):
    bring(*published[1:], published[0])
    one_way = {row[:6] for row in forest()}
    Record.objects.all().delete()
    Dialogue.objects.all().delete()

    for path in published:
        bring(path)

    assert {row[:6] for row in forest()} == one_way


@pytest.mark.slow
def test_queries_grow_with_chunks_and_not_with_records(tmp_path, django_assert_max_num_queries):
    few = written(tmp_path, [crucial(number) for number in range(5)], "few.json")
    many = written(tmp_path, [crucial(number) for number in range(100, 190)], "many.json")
    bring(few)

    with django_assert_max_num_queries(70):
        bring(many)

    assert Dialogue.objects.count() == 95
    assert connection.in_atomic_block


def test_the_heartbeat_is_given_between_pictures(tmp_path):
    draw(tmp_path, **{"7-1": "red", "7-2": "green", "7-p": "blue"})
    path = written(tmp_path, [crucial(7)])
    job = Import.objects.create(
        project=make_project(),
        name="job",
        state=JobState.RUNNING,
        attempt=1,
        heartbeat_at=NOW,
        created_at=NOW,
    )
    times = iter(NOW + timedelta(seconds=7 * step) for step in range(100))
    seen = []

    def clock():
        seen.append(Import.objects.get(pk=job.pk).heartbeat_at)
        return next(times)

    imports.run_import(
        job, attempt=1, asked=Asked(), files=[path], names=["file.json"], clock=clock
    )

    assert len(set(seen)) >= 4
    job.refresh_from_db()
    assert (job.state, job.progress, job.report["records"]["new"]) == (JobState.DONE, 1, 1)
    assert Import.objects.count() == 1


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_records(tmp_path, monkeypatch):
    monkeypatch.setattr("annotation.actions.records.CHUNK_RECORDS", 20)
    make_rubric()

    def held(start, count):
        """Return the memory that is held after each chunk, garbage collected, at most."""
        records = [crucial(number) for number in range(start, start + count)]
        path = written(tmp_path, records, f"{count}.json")
        del records
        most = []

        def watch(_progress):
            gc.collect()
            most.append(tracemalloc.get_traced_memory()[0])

        tracemalloc.start()
        import_files(make_project(), [path], by=None, now=NOW, watch=watch)
        tracemalloc.stop()
        assert len(most) == count // 20 + 1
        return max(most)

    held(0, 20)
    few, many = held(1000, 40), held(2000, 200)

    assert many < few + 100_000, (few, many)
