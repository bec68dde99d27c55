"""Jobs: taken by one worker at a time, and never lost."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection

from annotation import tasks
from annotation.actions import jobs
from annotation.actions.jobs import JobLost
from annotation.choices import JobState
from annotation.models import Import
from tests.factories import NOW, make_project

MINUTE = timedelta(minutes=1)
DEAD = timedelta(seconds=61)


def make_job(**more):
    values = {"state": JobState.WAITING, "name": "job", "created_at": NOW, **more}
    return Import.objects.create(project=make_project(), **values)


@pytest.mark.django_db
def test_a_waiting_job_is_taken_once():
    job = make_job()

    assert jobs.take(Import, job.pk, now=NOW) == 1
    assert jobs.take(Import, job.pk, now=NOW + MINUTE / 2) is None

    job.refresh_from_db()
    assert (job.state, job.attempt, job.heartbeat_at, job.started_at) == (
        JobState.RUNNING,
        1,
        NOW,
        NOW,
    )


@pytest.mark.django_db
@pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED, JobState.CANCELLED])
def test_a_job_that_is_over_is_not_taken(state):
    assert jobs.take(Import, make_job(state=state).pk, now=NOW) is None


@pytest.mark.django_db
def test_a_beating_heart_keeps_a_job_and_a_stopped_one_frees_it():
    job = make_job()
    jobs.take(Import, job.pk, now=NOW)
    jobs.beat(Import, job.pk, attempt=1, now=NOW + MINUTE, progress=7, total=9)

    assert jobs.take(Import, job.pk, now=NOW + MINUTE + timedelta(seconds=59)) is None
    assert jobs.take(Import, job.pk, now=NOW + MINUTE + DEAD) == 2

    job.refresh_from_db()
    assert (job.attempt, job.progress, job.total, job.started_at) == (2, 0, 9, NOW)


@pytest.mark.django_db
def test_a_worker_thought_dead_changes_nothing_when_it_comes_back():
    job = make_job()
    jobs.take(Import, job.pk, now=NOW)
    jobs.take(Import, job.pk, now=NOW + DEAD)

    with pytest.raises(JobLost):
        jobs.beat(Import, job.pk, attempt=1, now=NOW + DEAD, progress=99)
    with pytest.raises(JobLost):
        jobs.finish(Import, job.pk, attempt=1, now=NOW + DEAD, result={"report": {}})
    with pytest.raises(JobLost):
        jobs.fail(Import, job.pk, attempt=1, now=NOW + DEAD, error="late")

    job.refresh_from_db()
    assert (job.state, job.attempt, job.progress, job.report, job.error) == (
        JobState.RUNNING,
        2,
        0,
        None,
        "",
    )


@pytest.mark.django_db
def test_a_finished_job_carries_its_result():
    job = make_job(error="first try")
    jobs.take(Import, job.pk, now=NOW)

    jobs.finish(Import, job.pk, attempt=1, now=NOW + MINUTE, result={"report": {"read": 3}})

    job.refresh_from_db()
    assert (job.state, job.finished_at, job.report, job.error) == (
        JobState.DONE,
        NOW + MINUTE,
        {"read": 3},
        "",
    )


@pytest.mark.django_db
def test_the_third_failure_parks_a_job_and_a_lead_can_let_it_try_again():
    job = make_job()
    states = []
    for number in (1, 2, 3):
        assert jobs.take(Import, job.pk, now=NOW) == number
        jobs.fail(Import, job.pk, attempt=number, error=f"failure {number}", now=NOW)
        job.refresh_from_db()
        states.append((job.state, job.error))

    assert states == [
        (JobState.WAITING, "failure 1"),
        (JobState.WAITING, "failure 2"),
        (JobState.FAILED, "failure 3"),
    ]
    assert jobs.waiting(Import, now=NOW) == []
    assert jobs.retry(Import, job.pk, now=NOW) is True
    assert jobs.take(Import, job.pk, now=NOW) == 1


@pytest.mark.django_db
def test_refused_work_is_parked_at_once():
    job = make_job()
    jobs.take(Import, job.pk, now=NOW)

    jobs.fail(Import, job.pk, attempt=1, error="no such file", now=NOW, refused=True)

    job.refresh_from_db()
    assert (job.state, job.error, job.finished_at) == (JobState.FAILED, "no such file", NOW)


@pytest.mark.django_db
def test_three_dead_workers_park_a_job():
    job = make_job()
    for number in range(3):
        jobs.take(Import, job.pk, now=NOW + number * 2 * MINUTE)
    late = NOW + 6 * MINUTE

    assert jobs.take(Import, job.pk, now=late) is None
    assert jobs.waiting(Import, now=late) == []

    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert job.error == "The worker stopped in the middle of it, 3 times."


@pytest.mark.django_db
def test_waiting_names_what_waits_and_what_stopped_oldest_first():
    stopped = make_job(created_at=NOW - MINUTE)
    jobs.take(Import, stopped.pk, now=NOW)
    later = make_job(created_at=NOW + MINUTE)
    sooner = make_job()
    running = make_job()
    jobs.take(Import, running.pk, now=NOW + DEAD)
    make_job(state=JobState.DONE)

    assert jobs.waiting(Import, now=NOW + DEAD) == [stopped.pk, sooner.pk, later.pk]


@pytest.mark.django_db(transaction=True)
def test_of_eight_workers_one_takes_the_job():
    job = make_job()
    barrier = Barrier(8)
    taken = []

    def work():
        barrier.wait()
        taken.append(jobs.take(Import, job.pk, now=NOW))
        connection.close()

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken, key=str) == [1] + [None] * 7


@pytest.mark.django_db
def test_the_sweep_sends_what_waits(monkeypatch):
    waiting = make_job()
    make_job(state=JobState.DONE)
    sent = []
    monkeypatch.setattr(tasks.run_import, "delay", lambda **kwargs: sent.append(kwargs))

    tasks.sweep_jobs()

    assert sent == [{"import_id": waiting.pk}]
