"""Every case of the reference file: published figures and at least two computations of each."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from annotation.agreement import icc
from annotation.agreement.alpha import Level, krippendorff_alpha
from annotation.agreement.coefficients import Weighting, coefficient, conger
from annotation.agreement.coefficients import agreement_weights as weights_of
from annotation.agreement.consensus import dawid_skene
from annotation.agreement.kappa import agreement_from_disagreement, cohen_kappa, scott_pi
from annotation.agreement.kappa import pair_table as pair_table_of
from annotation.agreement.patterns import Patterns, Ratings, code_ratings, from_ratings
from annotation.agreement.ranking import bradley_terry, davidson
from tests.conftest import SHARED_DATA

Case = dict[str, Any]
CASES_FILE = SHARED_DATA / "agreement" / "reference_cases.json"
CASES: list[Case] = json.loads(CASES_FILE.read_bytes()) if CASES_FILE.is_file() else []


def ratings_of(case: Case) -> Ratings:
    rows = [
        (unit, rater, score)
        for rater, line in enumerate(case["data"])
        for unit, score in enumerate(line)
        if score is not None
    ]
    units, raters, scores = zip(*rows, strict=True)
    domain = case["domain"] or sorted(set(scores))
    return code_ratings(units, raters, scores, domain=domain)


def patterns_of(case: Case) -> Patterns:
    return from_ratings(ratings_of(case))


def pair_table(case: Case) -> Any:
    table = pair_table_of(ratings_of(case)).sum(axis=0)
    assert table.tolist() == case.get("contingency_table", table.tolist())
    return table


def cohen(case: Case) -> float | None:
    if isinstance(case["weights"], list):
        weights = agreement_from_disagreement(case["weights"])
    else:
        weights = weights_of(Weighting(case["weights"]), case["domain"])
    return cohen_kappa(pair_table(case), weights=weights)


def intraclass(case: Case) -> float | None:
    matrix = icc.complete_matrix(ratings_of(case))
    assert matrix is not None
    sums = icc.unit_rows(matrix).sum(axis=0)
    return float(icc.correlations(sums, icc.Form(case["weights"]), annotators=matrix.shape[1]))


def class_prior(case: Case) -> float | None:
    votes = [
        (unit, rater, label - 1)
        for unit, raters in enumerate(case["data"])
        for rater, labels in enumerate(raters)
        for label in labels
    ]
    unit, rater, label = zip(*votes, strict=True)
    model = dawid_skene(unit, rater, label, classes=len(case["domain"]))
    assert model.converged
    return float(model.prior[case["weights"]])


def by_name(measure: str) -> Callable[[Case], float | None]:
    return lambda case: coefficient(
        patterns_of(case), measure, weighting=Weighting(case["weights"])
    )


COMPUTE: dict[str, Callable[[Case], float | None]] = {
    "krippendorff_alpha": lambda case: krippendorff_alpha(
        patterns_of(case), level=Level(case["weights"])
    ),
    "percent_agreement": by_name("percent_agreement"),
    "gwet_ac": by_name("gwet_ac"),
    "brennan_prediger": by_name("brennan_prediger"),
    "fleiss_kappa_gen": by_name("fleiss_kappa_gen"),
    "fleiss_kappa": by_name("fleiss_kappa_gen"),
    "conger_kappa": lambda case: conger(patterns_of(case), weighting=Weighting(case["weights"])),
    "cohen_kappa": cohen,
    "scott_pi": lambda case: scott_pi(pair_table(case)),
    "icc": intraclass,
    "bradley_terry_logit": lambda case: float(bradley_terry(case["data"]).logits[case["weights"]]),
    "bradley_terry_davidson_logit": lambda case: float(
        davidson(case["data"], case["ties"]).logits[case["weights"]]
    ),
    "bradley_terry_davidson_nu": lambda case: davidson(case["data"], case["ties"]).tie,
    "dawid_skene_class_prior": class_prior,
}


def test_the_reference_cases_are_all_there(shared_data):
    assert len(CASES) == 100
    assert {case["measure"] for case in CASES} == set(COMPUTE)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_reference_case(case: Case):
    value = COMPUTE[case["measure"]](case)

    if case["expected"] is None:
        assert value is None
    else:
        assert value == pytest.approx(case["expected"], abs=case["tolerance"], rel=0)


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case["measure"] == "bradley_terry_logit"],
    ids=lambda case: case["name"],
)
def test_standard_errors_of_strengths_are_those_of_the_reference(case: Case):
    errors = bradley_terry(case["data"]).errors

    assert errors[case["weights"]] == pytest.approx(case["expected_se"], abs=1e-6)


def test_the_fleiss_case_is_the_same_from_its_published_counts(shared_data):
    case = next(case for case in CASES if case["name"] == "wikipedia_fleiss")

    counted = np.unique(patterns_of(case).counts, axis=0)

    assert np.array_equal(counted, np.unique(case["value_counts"], axis=0))
