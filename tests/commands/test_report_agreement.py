"""`manage.py report_agreement`."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotation.agreement.__main__ import main
from annotation.choices import SeatPurpose
from annotation.formats.write_ratings import header_line, rating_line
from annotation.reports.agreement import batch_agreement
from annotation.reports.figures import REPORTS
from annotation.reports.pairs import Snapshot
from annotation.reports.ratings import rating_pages
from tests.factories import make_batch, make_items, make_member
from tests.judged import judge
from tests.measured import measured_batch

pytestmark = pytest.mark.django_db


def printed(*arguments):
    out = StringIO()
    call_command("report_agreement", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def people():
    return [make_member(name=f"person-{number}") for number in range(3)]


def test_json_is_the_report(people):
    batch = measured_batch(people, items=22)

    report = json.loads(printed("--batch", batch.slug, "--json"))

    assert report == json.loads(json.dumps(batch_agreement(batch).as_dict()))
    assert report["set"] == "independent"
    alpha = report["dimensions"][0]["figures"][0]
    assert (alpha["measure"], alpha["weights"]) == ("krippendorff_alpha", "ordinal")
    assert alpha["low"] < alpha["value"] < alpha["high"]


def test_what_is_undefined_is_null_and_says_why():
    batch = make_batch()

    report = json.loads(printed("--batch", batch.slug, "--json"))

    alpha = report["dimensions"][0]["figures"][0]
    assert (alpha["value"], alpha["state"]) == (None, "undefined")
    assert alpha["reason"] == "no unit has two ratings"
    assert report["preferences"][0]["first_shown"]["share"] is None


def test_words_say_what_is_counted_and_what_is_not(people):
    batch = measured_batch(people, items=22)
    extra = make_items(batch)[0]
    judge(extra, people[0], purpose=SeatPurpose.EXTRA)

    lines = printed("--batch", batch.slug).splitlines()

    assert lines[0] == (
        f"{batch.slug} at number 67, independent set: 66 judgments of 22 items in 22 dialogues "
        "by 3 annotators"
    )
    assert lines[1] == "left out of 67: extra 1"
    row = next(line for line in lines if line.startswith("text_quality "))
    text = batch_agreement(batch).dimensions[-1].reliability
    alpha = text.figure("krippendorff_alpha", "ordinal")
    assert f"{alpha.value:.3f}" in row
    assert f"{alpha.low:.2f} to {alpha.high:.2f}" in row
    for one, times, sign in (
        (text.figure("gwet_ac", "linear"), 1, ""),
        (text.figure("percent_agreement", "identity"), 100, " %"),
        (text.figure("percent_agreement", "within_1"), 100, " %"),
    ):
        digits = 0 if sign else 2
        interval = f"{times * one.low:.{digits}f} to {times * one.high:.{digits}f}"
        assert f"{times * one.value:.{0 if sign else 3}f}{sign} ({interval})" in row
    assert "provisional: " in row
    scores = dict(zip(text.domain, text.marginals, strict=True))
    told = ", ".join(f"{score}: {count}" for score, count in scores.items())
    assert f"text_quality: scores {told}; left out: nothing" in lines
    assert any(line.startswith("overall ") for line in lines)


def test_an_older_snapshot_can_be_asked_for(people):
    batch = measured_batch(people, items=2)

    report = json.loads(printed("--batch", batch.slug, "--at", "3", "--json"))

    assert (report["number"], report["judgments"]) == (3, 3)


def test_unknown_batches_and_numbers_to_come_are_refused(people):
    batch = measured_batch(people, items=1)

    with pytest.raises(CommandError, match="There is no batch nowhere"):
        printed("--batch", "nowhere")
    with pytest.raises(CommandError, match=f"{batch.slug} is at number 3"):
        printed("--batch", batch.slug, "--at", "4")


def test_every_field_of_the_json_is_explained(people):
    report = batch_agreement(measured_batch(people, items=2)).as_dict()
    page = (Path(__file__).parents[2] / "docs" / "agreement.md").read_text()
    dimension, comparison = report["dimensions"][0], report["preferences"][0]

    fields = {*report, *dimension, *comparison, *dimension["figures"][0]}
    fields |= {*comparison["first_shown"]}

    assert {field for field in fields if f"`{field}`" not in page} == set()


@pytest.mark.parametrize("kind", ["annotators", "consensus", "disagreements", "effects", "ranking"])
def test_the_other_reports_are_printed_and_every_field_is_explained(people, kind):
    batch = measured_batch(people, items=6, noise=2)
    page = (Path(__file__).parents[2] / "docs" / "agreement.md").read_text()

    report = json.loads(printed("--batch", batch.slug, "--of", kind, "--json"))
    words = printed("--batch", batch.slug, "--of", kind)

    assert report == json.loads(json.dumps(REPORTS[kind](batch).as_dict()))
    assert f"{batch.slug} at number 18" in words
    rows = [one for value in report.values() if isinstance(value, list) for one in value]
    fields = {*report} | {field for row in rows for field in row}
    nested = ("dimensions", "models")
    fields |= {field for row in rows for at in nested for one in row.get(at, ()) for field in one}
    assert {field for field in fields if f"`{field}`" not in page} == set()


def test_the_ratings_file_gives_the_same_values_without_the_database(people, tmp_path, capsys):
    batch = measured_batch(people, items=22)
    lines = [header_line()]
    for page in rating_pages(Snapshot.now(batch), set_name="independent"):
        lines += [rating_line(row) for row in page.rows]
    path = tmp_path / "ratings.csv"
    path.write_bytes(b"".join(lines))

    where = ["--where", "dimension=text_quality", "--cluster", "dialogue"]
    assert main([str(path), *where, "--domain", "0,1,2,3", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    found = batch_agreement(batch).dimensions[-1].reliability
    assert told["pairable_units"] == found.pairable_units == 44
    figures = {(one["measure"], one["weights"]): one for one in told["figures"]}
    for one in found.estimates:
        other = figures[one.measure, one.weights]
        assert other["value"] == pytest.approx(one.value, abs=1e-12)
        assert (other["low"], other["high"]) == pytest.approx((one.low, one.high), abs=0.03)
        assert other["state"] == one.state
