"""Files cut into records: every layout, every fault, memory of one record."""

import io
import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.formats import stream
from annotation.formats.recognise import recognise
from annotation.formats.records import Entry, FormatError, Refused
from annotation.formats.stream import Layout, pieces
from tests.formats.files import crucial, entries_of, pair, scored, tree, written

values = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=12,
)


@given(
    st.lists(values, min_size=1),
    st.booleans(),
    st.sampled_from([None, 1, "\t"]),
    st.integers(1, 40),
)
@settings(max_examples=150, deadline=None)
def test_any_list_is_cut_into_its_elements(elements, ascii_only, indent, chunk):
    data = json.dumps(elements, ensure_ascii=ascii_only, indent=indent).encode(
        "utf-8", "surrogatepass"
    )
    before, stream.CHUNK = stream.CHUNK, chunk
    try:
        cut = list(pieces(io.BytesIO(data), Layout.LIST))
    finally:
        stream.CHUNK = before

    assert [json.loads(piece.data.decode("utf-8", "surrogatepass")) for piece in cut] == elements
    assert all(data[p.offset : p.offset + len(p.data)] == p.data for p in cut)


@pytest.mark.parametrize(
    ("value", "name", "layout"),
    [
        ([crucial()], "intermt-crucial", Layout.LIST),
        ([scored()], "intermt-score", Layout.LIST),
        ([pair()], "intermt-pairs", Layout.LIST),
        ([tree()], "canonical", Layout.LIST),
        (tree(), "canonical", Layout.LINES),
        (
            {"format": "intermt-annotate/1", "dialogues": [tree(), tree()]},
            "canonical",
            Layout.OBJECT,
        ),
    ],
)
def test_format_and_layout_are_recognised(tmp_path, value, name, layout):
    path = written(tmp_path, value)

    found = recognise(path)

    assert (found.format.name, found.layout) == (name, layout)
    assert all(isinstance(entry, Entry) for entry in found.entries())


def test_one_object_over_many_lines_is_one_record(tmp_path):
    path = tmp_path / "tree.json"
    path.write_text(json.dumps(tree(), indent=1))

    found = recognise(path)

    assert found.layout is Layout.SINGLE
    assert [len(entry.records) for entry in found.entries()] == [5]


def test_a_byte_order_mark_is_seen_and_skipped(tmp_path):
    path = tmp_path / "marked.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps([crucial()]).encode())

    found = recognise(path)

    assert found.byte_order_mark
    assert [entry.records[0].external_id for entry in found.entries()] == ["7"]


def test_an_unknown_file_says_what_was_looked_for_and_found(tmp_path):
    path = written(tmp_path, [{"colour": 1, "size": 2}])

    with pytest.raises(FormatError) as refusal:
        recognise(path)

    message = str(refusal.value)
    assert 'found objects with "colour", "size"' in message
    for name in ("intermt-crucial", "intermt-score", "intermt-pairs", "intermt-site", "canonical"):
        assert f"{name}: " in message


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n", "is no JSON"),
        ("[]".encode("utf-16"), "a UTF-16 byte order mark"),
        (b"\n\n  hello", "at byte 4 (line 3)"),
        (b"[]", "found an empty list"),
        (b"[", "breaks off here, at byte 1"),
        (b'{"a": ', "not JSON"),
    ],
)
def test_a_file_that_is_no_json_is_a_clear_error(tmp_path, data, said):
    path = tmp_path / "file.json"
    path.write_bytes(data)

    with pytest.raises(FormatError, match=r"file\.json") as refusal:
        recognise(path)

    assert said in str(refusal.value)


def test_a_missing_file_is_a_clear_error(tmp_path):
    with pytest.raises(FormatError, match="cannot be read: No such file"):
        recognise(tmp_path / "none.json")


def test_an_unknown_format_name_is_a_clear_error(tmp_path):
    with pytest.raises(FormatError, match="csv is no format; known are intermt-crucial"):
        recognise(written(tmp_path, [crucial()]), name="csv")


def faults(tmp_path, body):
    path = tmp_path / "file.json"
    path.write_bytes(b"[" + json.dumps(crucial(1)).encode() + b"," + body)
    first, *others = entries_of(path)
    assert first.records[0].external_id == "1"
    return [
        (one.position, one.place, one.reason)
        if isinstance(one, Refused)
        else one.records[0].position
        for one in others
    ]


GOOD = json.dumps(crucial(2)).encode()


def test_a_record_that_is_no_json_spoils_no_other(tmp_path):
    assert faults(tmp_path, b'{"id": },' + GOOD + b"]") == [
        (1, "[1]", "not JSON: Expecting value at character 7 of the record"),
        2,
    ]


def test_a_record_that_is_no_utf8_spoils_no_other(tmp_path):
    assert faults(tmp_path, b'{"id": "\xff"},' + GOOD + b"]") == [
        (1, "[1]", "not UTF-8 at byte 8 of the record"),
        2,
    ]


def test_a_name_that_stands_twice_is_refused(tmp_path):
    assert faults(tmp_path, b'{"id": 1, "id": 2},' + GOOD + b"]") == [
        (1, "[1]", "the name 'id' stands twice"),
        2,
    ]


def test_deep_nesting_is_refused_and_survived(tmp_path):
    deep = b"[" * 100_000 + b"]" * 100_000

    assert faults(tmp_path, deep + b"," + GOOD + b"]") == [
        (1, "[1]", "is nested deeper than 160"),
        2,
    ]


def test_a_record_too_large_is_refused_and_survived(tmp_path):
    large = b'"' + b"x" * (stream.MOST_BYTES + 1) + b'"'

    assert faults(tmp_path, large + b"," + GOOD + b"]") == [
        (1, "[1]", "is larger than 4,194,304 bytes"),
        2,
    ]


def test_a_file_that_breaks_off_keeps_what_came_before(tmp_path):
    ((position, place, reason),) = faults(tmp_path, GOOD[:50])

    assert (position, place) == (1, "[1]")
    assert reason.startswith("the file breaks off here, at byte ")


def test_a_list_that_ends_early_or_wrongly_is_said(tmp_path):
    assert faults(tmp_path, GOOD + b"] []")[1][2].startswith(
        "something follows the end of the list"
    )
    assert faults(tmp_path, GOOD + b"}")[1][2].startswith("a } that closes nothing")


def test_bad_lines_are_refused_by_number(tmp_path):
    path = tmp_path / "lines.jsonl"
    good = json.dumps({"turns": [{"prompt": "Hi", "response": "Yo"}]})
    long = json.dumps({"turns": [], "x": "y" * stream.MOST_BYTES})
    path.write_text("\n".join([good, "{oops", "", long, "[" * 300 + "]" * 300, good]))

    entries = entries_of(path)

    assert [(e.position, e.place, e.reason) for e in entries if isinstance(e, Refused)] == [
        (
            1,
            "line 2",
            "not JSON: Expecting property name enclosed in double quotes at character 1 of the record",
        ),
        (2, "line 4", "is larger than 4,194,304 bytes"),
        (3, "line 5", "is nested deeper than 160"),
    ]
    assert entries[-1].records[0].place == "line 6"


@pytest.mark.parametrize("lines", [True, False])
def test_memory_does_not_grow_with_the_number_of_records(tmp_path, lines):
    def peak(count):
        path = tmp_path / f"{count}.json"
        with path.open("w") as file:
            parts = (json.dumps(crucial(number)) for number in range(count))
            if lines:
                parts = (
                    json.dumps({"turns": [{"prompt": "Hi", "response": f"Yo {number} " * 50}]})
                    for number in range(count)
                )
            file.write("" if lines else "[")
            for number, part in enumerate(parts):
                file.write(("\n" if lines else ",") * bool(number) + part)
            file.write("" if lines else "]")
        tracemalloc.start()
        seen = sum(len(entry.records) for entry in recognise(path).entries())
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert seen == count
        return most

    peak(10)
    few, many = peak(200), peak(2000)

    assert many < few + 100_000
