"""`python -m annotation.agreement` on files, as a person runs it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotation.agreement.__main__ import main
from tests.agreement.test_reference_cases import CASES, Case

ROOT = Path(__file__).parents[2]
HEADER = "unit,annotator,score"


@pytest.fixture
def write(tmp_path):
    def _write(*lines: str, header: str = HEADER, name: str = "ratings.csv") -> str:
        path = tmp_path / name
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return str(path)

    return _write


def run_json(capsys, *arguments):
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refusal(capsys, *arguments):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def csv_case(case: Case) -> bool:
    return case["data_layout"] == "raters x items, null = missing" and case["measure"] in {
        "krippendorff_alpha",
        "percent_agreement",
        "gwet_ac",
        "brennan_prediger",
        "fleiss_kappa_gen",
        "fleiss_kappa",
        "conger_kappa",
        "cohen_kappa",
        "scott_pi",
        "icc",
    }


def is_plain(case: Case) -> bool:
    """Custom weights, and levels that texts do not have, are for the library only."""
    texts = any(isinstance(score, str) for score in case["domain"] or [])
    return isinstance(case["weights"], str) and (
        not texts or case["weights"] in {"nominal", "identity"}
    )


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if csv_case(case) and is_plain(case)],
    ids=lambda case: case["name"],
)
def test_a_reference_case_comes_out_of_its_file(case, write, capsys):
    lines = [
        f"{unit},{rater},{'' if score is None else score}"
        for rater, row in enumerate(case["data"])
        for unit, score in enumerate(row)
    ]
    arguments = [write(*lines)]
    if case["domain"]:
        arguments += ["--domain", ",".join(map(str, case["domain"]))]

    figures = run_json(capsys, *arguments, "--replicates", "20")["figures"]

    found = [
        one["value"]
        for one in figures
        if (one["measure"], one["weights"]) == (case["measure"], case["weights"])
    ]
    if case["expected"] is None:
        assert found == [None]
    else:
        assert found == [pytest.approx(case["expected"], abs=case["tolerance"], rel=0)]


def test_the_json_has_the_agreed_shape(write, capsys):
    path = write("u1,a,1", "u1,b,1", "u2,a,3", "u2,b,0", "u3,a,")

    report = run_json(capsys, path, "--domain", "0,1,2,3", "--level", "ordinal")

    assert list(report) == [
        "units",
        "pairable_units",
        "ratings",
        "annotators",
        "figures",
        "annotators_beside",
        "consensus",
        "preferences",
    ]
    assert (report["units"], report["pairable_units"]) == (2, 2)
    assert (report["ratings"], report["annotators"]) == (4, 2)
    assert {tuple(one) for one in report["figures"]} == {
        ("measure", "weights", "value", "low", "high", "state", "reason")
    }
    alphas = [one for one in report["figures"] if one["measure"] == "krippendorff_alpha"]
    assert [one["weights"] for one in alphas] == ["ordinal"]
    assert alphas[0]["state"] == "insufficient"


def test_without_a_level_every_level_and_weighting_is_printed(write, capsys):
    path = write("u1,a,1", "u1,b,1", "u2,a,3", "u2,b,0")

    figures = run_json(capsys, path, "--domain", "0,1,2,3")["figures"]

    weights = {one["weights"] for one in figures if one["measure"] == "krippendorff_alpha"}
    assert weights == {"nominal", "ordinal", "interval", "ratio"}
    weights = {one["weights"] for one in figures if one["measure"] == "gwet_ac"}
    assert weights == {"identity", "linear", "quadratic", "ordinal"}


def test_a_domain_may_begin_below_zero(write, capsys):
    path = write("u1,a,-1", "u1,b,-1", "u2,a,1", "u2,b,0")

    report = run_json(capsys, path, "--domain", "-1,0,1", "--level", "interval")

    assert (report["units"], report["ratings"]) == (2, 4)
    assert "below zero" in refusal(capsys, path, "--domain", "-1,0,1", "--level", "ratio")


def test_texts_are_nominal_only(write, capsys):
    path = write("u1,a,A", "u1,b,tie", "u2,a,B", "u2,b,B")

    figures = run_json(capsys, path, "--domain", "A,tie,B")["figures"]

    assert {one["weights"] for one in figures} == {"nominal", "identity"}
    error = refusal(capsys, path, "--domain", "A,tie,B", "--level", "ordinal")
    assert error == "error: scores that are texts have no distances: nominal level only\n"


def test_the_domain_found_is_named_and_dimensions_pooled_are_told(write, capsys):
    path = write("u1,a,1,x", "u1,b,0,x", "u2,a,3,y", header=f"{HEADER},dimension")

    assert main([path]) == 0

    errors = capsys.readouterr().err.splitlines()
    assert errors[0].startswith("note: no --domain: took the scores found, 0,1,3;")
    assert errors[1].startswith("note: the file has 2 dimensions, pooled here;")


def test_filters_and_clusters_take_extra_columns(write, capsys):
    path = write(
        "u1,a,1,x,final",
        "u1,b,1,x,final",
        "u2,a,2,y,final",
        "u3,a,0,x,first",
        "u4,a,0,x,final",
        header=f"{HEADER},dimension,set",
    )

    report = run_json(
        capsys, path, "--where", "dimension=x", "--where", "set=final", "--cluster", "dimension",
        "--domain", "0,1,2,3",
    )  # fmt: skip

    assert (report["units"], report["ratings"]) == (2, 3)


def test_an_empty_score_is_no_rating_and_is_counted(write, capsys):
    path = write("u1,a,1", "u1,b,", "u2,a,0", "u2,b,1")

    assert main([path, "--domain", "0,1"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "2 units, 1 with two ratings or more; 3 ratings by 2 annotators; "
        "1 rows without a score left out"
    )
    assert lines[1] == "scores given: 0: 1, 1: 2"
    alpha = next(line.split() for line in lines if line.startswith("krippendorff_alpha"))
    assert alpha[:3] == ["krippendorff_alpha", "nominal", "0.0000"]


def test_a_file_without_a_rating_has_no_figure(write, capsys):
    path = write("u1,a,")

    report = run_json(capsys, path, "--domain", "0,1,2,3")

    assert report["units"] == 0
    assert {one["value"] for one in report["figures"]} == {None}
    assert {one["state"] for one in report["figures"]} == {"undefined"}
    assert "it has no rating" in refusal(capsys, path)


@pytest.mark.parametrize(
    ("lines", "header", "message"),
    [
        (["u1,a,1", "u2,a,1", "u1,a,2"], HEADER, "line 4, column annotator: a rated u1 on line 2"),
        (["u1,a,1", "u1,b,7"], HEADER, "line 3, column score: '7' is not in the domain 0,1,2,3"),
        (["u1,a,1", "u1,b,NA"], HEADER, "line 3, column score: 'NA' is not in the domain"),
        (["u1,a,nan"], HEADER, "line 2, column score: 'nan' is not in the domain"),
        (["u1,,1"], HEADER, "line 2, column annotator: it is empty"),
        ([",a,1"], HEADER, "line 2, column unit: it is empty"),
        (["u1,a,1", "u1,b"], HEADER, "line 3: 2 cells where the header has 3"),
        (["u1,a,1"], "unit,person,score", "line 1: there is no column annotator; it has unit"),
        (['u1,a,"1'], HEADER, "line 2: unexpected end of data"),
    ],
)
def test_bad_input_is_refused_with_its_place(lines, header, message, write, capsys):
    path = write(*lines, header=header)

    error = refusal(capsys, path, "--domain", "0,1,2,3")

    assert error.startswith(f"error: {path}, ")
    assert message in error


def test_a_unit_rated_twice_is_refused_with_the_filters_that_would_part_them(write, capsys):
    lines = ["u,robin,1,cats", "u,robin,2,dogs", "v,robin,2,dogs"]
    several = write(*lines, header=f"{HEADER},batch")
    alone = write("u,robin,1,cats", "u,robin,2,cats", header=f"{HEADER},batch", name="one.csv")

    told = refusal(capsys, several, "--domain", "1,2")
    assert "Keep one of the two, or look at one batch with --where batch=SLUG" in told
    part = run_json(capsys, several, "--domain", "1,2", "--where", "batch=dogs")
    assert (part["units"], part["ratings"]) == (2, 2)
    assert "batch" not in refusal(capsys, alone, "--domain", "1,2")


def test_a_text_among_numbers_is_refused_rather_than_made_nominal(write, capsys):
    error = refusal(capsys, write("u1,a,1", "u1,b,NA"))

    assert "line 3, column score: 'NA' is no number, others are" in error


def test_lines_are_counted_through_quoted_line_breaks(write, capsys):
    path = write('u1,a,1,"two', 'lines"', "u1,b,9,", header=f"{HEADER},reason")

    assert "line 4, column score: '9'" in refusal(capsys, path, "--domain", "0,1")


@pytest.mark.parametrize("name", ["nowhere.csv", "nowhere.parquet"])
def test_a_file_that_is_not_there_is_refused(name, capsys, tmp_path):
    assert "No such file" in refusal(capsys, str(tmp_path / name))


def test_files_that_are_something_else_are_refused(tmp_path, capsys):
    (tmp_path / "latin.csv").write_bytes(b"unit,annotator,score\nu,J\xf6rg,1\n")
    (tmp_path / "text.parquet").write_text("unit,annotator,score\n")
    (tmp_path / "empty.csv").write_bytes(b"")

    assert "not UTF-8" in refusal(capsys, str(tmp_path / "latin.csv"))
    assert "not a Parquet file" in refusal(capsys, str(tmp_path / "text.parquet"))
    assert "the file is empty" in refusal(capsys, str(tmp_path / "empty.csv"))


@pytest.mark.parametrize("domain", ["0,1,1", "0,,1", "1,1.0"])
def test_a_domain_that_repeats_itself_is_refused(domain, write, capsys):
    assert "--domain names a score twice" in refusal(capsys, write("u,a,1"), "--domain", domain)


def test_parquet_gives_the_figures_of_the_csv(write, tmp_path, capsys):
    rows = [("u1", "a", 1), ("u1", "b", 2), ("u2", "a", 0), ("u2", "b", 0), ("u3", "a", None)]
    text = [f"{u},{a},{'' if s is None else s}" for u, a, s in rows]
    table = pa.table(
        {
            "unit": [row[0] for row in rows],
            "annotator": [row[1] for row in rows],
            "score": pa.array([row[2] for row in rows], pa.int64()),
        }
    )
    pq.write_table(table, tmp_path / "ratings.parquet")

    from_csv = run_json(capsys, write(*text), "--domain", "0,1,2")
    from_parquet = run_json(capsys, str(tmp_path / "ratings.parquet"), "--domain", "0,1,2")

    assert from_parquet == from_csv


def test_the_same_file_twice_prints_the_same(write, capsys):
    path = write(*(f"u{unit},{who},{(unit * who) % 4}" for unit in range(30) for who in range(4)))

    runs = [run_json(capsys, path, "--domain", "0,1,2,3") for _ in range(2)]

    assert runs[0] == runs[1]


def test_the_module_runs_without_django(write):
    path = write("u1,a,1", "u1,b,1", "u2,a,0", "u2,b,1")
    check = (
        "import sys, runpy; sys.argv = ['agreement', sys.argv[1], '--json']\n"
        "try: runpy.run_module('annotation.agreement', run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0, end\n"
        "assert 'django' not in sys.modules\n"
    )

    run = subprocess.run(
        [sys.executable, "-c", check, path], capture_output=True, text=True, cwd=ROOT, check=False
    )

    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["pairable_units"] == 2


def test_help_teaches_what_the_figures_mean(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])

    assert end.value.code == 0
    text = capsys.readouterr().out
    for word in ("krippendorff_alpha", "gwet_ac", "low_variation", "--cluster", "examples"):
        assert word in text


def test_the_projects_own_ratings_file_is_read_as_it_is(capsys):
    path = ROOT / "tests" / "golden" / "ratings.csv"

    assert main([str(path), "--where", "dimension=text_quality", "--domain", "0,1,2,3"]) == 0

    first = capsys.readouterr().out.splitlines()[0]
    assert first == (
        "1 units, 0 with two ratings or more; 1 ratings by 1 annotators; 1 rows left out by --where"
    )


def test_people_consensus_and_preferences_are_printed_too(write, capsys):
    rng = np.random.default_rng(5)
    scores = [f"u{u},{who},{min(3, max(0, rng.integers(1, 4) - (who == 'sam')))}"
              for u in range(30) for who in ("ann", "bob", "sam")]  # fmt: skip
    outcomes = [f"i{i},{who},{('response_1', 'response_2')[i % 2]}"
                for i in range(24) for who in ("ann", "bob")]  # fmt: skip

    told = run_json(capsys, write(*scores), "--domain", "0,1,2,3")
    domain = "response_1,tie,response_2,both_bad"
    preferred = run_json(capsys, write(*outcomes), "--domain", domain)

    people = {one["annotator"]: one for one in told["annotators_beside"]}
    assert people["sam"]["severity"] < 0 < people["ann"]["severity"]
    assert sum(told["consensus"]["ways"].values()) == 30
    assert told["consensus"]["converged"] in {True, False}
    assert told["preferences"] is None
    assert preferred["preferences"]["outcomes"]["response_1"] == 24
    assert preferred["consensus"]["ways"]["unanimous"] == 24
    assert preferred["annotators_beside"] == []


def test_the_table_says_what_became_of_the_consensus(write, capsys):
    rows = [f"u{u},{who},{(u + place) % 4}" for u in range(6) for place, who in enumerate("ab")]

    assert main([write(*rows), "--domain", "0,1,2,3"]) == 0

    told = capsys.readouterr().out
    assert (
        "consensus of units with two ratings or more: 0 unanimous, 0 majority, 6 no majority"
        in told
    )
    assert "Dawid and Skene: " in told
    assert "each annotator beside the others" in told
