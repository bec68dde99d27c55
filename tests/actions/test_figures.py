"""Figures as jobs: asked for after new judgments, computed once, never older over newer."""

from datetime import timedelta

import pytest

from annotation import tasks
from annotation.actions import jobs
from annotation.actions.figures import compute_figure, drop_older, request_figures
from annotation.choices import BatchPurpose, JobState
from annotation.models import Batch, Figure
from annotation.reports.agreement import batch_agreement
from annotation.reports.figures import AGREEMENT, REPORTS, shown_agreement
from tests.factories import NOW, make_batch, make_items, make_member
from tests.judged import judge
from tests.measured import measured_batch

pytestmark = pytest.mark.django_db


def clock():
    return NOW


@pytest.fixture
def people():
    return [make_member() for _ in range(2)]


def compute_all(now=NOW):
    for pk in request_figures(now=now):
        compute_figure(pk, clock=clock)


def agreements():
    return Figure.objects.filter(kind=AGREEMENT)


def asked_for():
    """Ask for everything; return which row waits to have agreement computed."""
    waiting = request_figures(now=NOW)
    assert len(waiting) == len(REPORTS)
    return agreements().get(pk__in=waiting).pk


def test_a_batch_with_new_judgments_gets_its_figures_once(people):
    batch = measured_batch(people, items=3)
    make_batch(slug="without-judgments")

    first, again = request_figures(now=NOW), request_figures(now=NOW)
    compute_all()

    assert len(first) == len(REPORTS)
    assert again == first
    figure = agreements().get()
    assert (figure.batch, figure.number, figure.state) == (batch, 6, JobState.DONE)
    assert figure.body == batch_agreement(batch).as_dict()
    assert request_figures(now=NOW) == []


def test_new_judgments_bring_new_figures_and_take_the_old_ones_away(people):
    batch = measured_batch(people, items=3)
    compute_all()
    judge(make_items(batch)[0], people[0])

    compute_all()

    assert list(agreements().values_list("number", "state")) == [(7, JobState.DONE)]


def test_training_and_reference_batches_have_no_figures(people):
    measured_batch(people, items=1, purpose=BatchPurpose.REFERENCE)
    measured_batch(people, items=1, purpose=BatchPurpose.TRAINING)

    assert request_figures(now=NOW) == []


def test_an_older_figure_that_ends_late_never_stands_over_a_newer(people):
    batch = measured_batch(people, items=3)
    late = asked_for()
    attempt = jobs.take(Figure, late, now=NOW)
    judge(make_items(batch)[0], people[0])
    batch.refresh_from_db()
    newer = Figure.objects.create(batch=batch, kind="agreement", number=7, created_at=NOW)
    compute_figure(newer.pk, clock=clock)

    jobs.finish(Figure, late, attempt=attempt, now=NOW, result={"body": {"number": 6}})

    assert shown_agreement(batch).number == 7
    assert drop_older(batch.pk, AGREEMENT) == 1
    assert agreements().get() == newer


def test_a_figure_is_of_its_number_even_when_more_has_come(people):
    batch = measured_batch(people, items=3)
    asked = asked_for()
    judge(make_items(batch)[0], people[0])

    compute_figure(asked, clock=clock)

    figure = Figure.objects.get(pk=asked)
    assert figure.body == batch_agreement(batch, number=6).as_dict()
    assert Batch.objects.get(pk=batch.pk).last_number == 7


def test_a_second_worker_does_nothing(people):
    measured_batch(people, items=1)
    asked = asked_for()
    jobs.take(Figure, asked, now=NOW)

    compute_figure(asked, clock=clock)

    assert agreements().get().state == JobState.RUNNING


def test_what_breaks_is_tried_again_and_then_parked_with_its_error(people):
    batch = measured_batch(people, items=1)
    Batch.objects.filter(pk=batch.pk).update(settings={"no_such_setting": 1})
    asked = asked_for()

    for _ in range(jobs.MOST_ATTEMPTS):
        compute_figure(asked, clock=clock)

    figure = agreements().get()
    assert figure.state == JobState.FAILED
    assert "no_such_setting" in figure.error
    later = request_figures(now=NOW + timedelta(hours=1))
    assert figure.pk not in later
    assert agreements().count() == 1


def test_the_task_computes_and_is_safe_to_run_twice(people):
    measured_batch(people, items=1)
    asked = asked_for()

    tasks.compute_figure(figure_id=asked)
    body = agreements().get().body
    tasks.compute_figure(figure_id=asked)

    figure = agreements().get()
    assert (figure.state, figure.attempt, figure.body) == (JobState.DONE, 1, body)


def test_the_sweep_sends_each_waiting_figure_to_a_worker(people, monkeypatch):
    measured_batch(people, items=1)
    sent = []
    monkeypatch.setattr(tasks.compute_figure, "delay", lambda **told: sent.append(told))

    tasks.refresh_figures()

    assert sent == [{"figure_id": one.pk} for one in Figure.objects.order_by("pk")]
