"""Jobs: claimed once, always ended, taken back from workers that are gone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone
from kombu.exceptions import OperationalError

from hardness_site.celery import app
from hardness_site.jobs import recovery, registry, services
from hardness_site.jobs.models import Job, JobMessage
from hardness_site.jobs.running import JobFailed, JobLost, JobRun
from hardness_site.jobs.signals import job_finished
from hardness_site.jobs.tasks import run_job_task
from hardness_site.jobs.workers import is_gone, worker_name


@pytest.fixture
def handler(monkeypatch):
    """Return `handler(function)`, which does jobs of kind "test.work" with it."""
    monkeypatch.setattr(registry, "_HANDLERS", dict(registry._HANDLERS))

    def register(function):
        registry._HANDLERS["test.work"] = function
        return function

    register(lambda run, **params: None)
    return register


@pytest.fixture
def sent(monkeypatch):
    """Return the ids that were sent to the workers."""
    ids: list[int] = []

    def send(name: str, args: list[int]) -> None:
        assert name == run_job_task.name
        ids.extend(args)

    monkeypatch.setattr(app, "send_task", send)
    return ids


@pytest.fixture
def finished():
    """Return (id, status) of every job that ended, in order."""
    ended: list[tuple[int, str]] = []

    def receive(job, **kwargs):
        ended.append((job.pk, job.status))

    job_finished.connect(receive)
    yield ended
    job_finished.disconnect(receive)


def make_job(**fields) -> Job:
    job = services.create_job(kind="test.work", title="Work", scope="project:1", params={})
    Job.objects.filter(pk=job.pk).update(**fields)
    job.refresh_from_db()
    return job


def ended_process() -> int:
    """Return the id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def gone_worker() -> str:
    host, _, started, namespace = worker_name().split(":")
    return f"{host}:{ended_process()}:{started}:{namespace}"


@pytest.mark.django_db
def test_a_job_runs_to_its_end_and_says_so(handler, finished):
    @handler
    def work(run, n):
        run.progress(n, n, stage="counting")
        run.note("odd", subject="a.png", level=JobMessage.Level.REFUSED)
        return {"n": n}

    job = services.create_job(kind="test.work", title="Work", scope="project:1", params={"n": 3})
    done = services.run_job(job.pk)
    assert (done.status, done.result, done.attempts, done.percent) == ("succeeded", {"n": 3}, 1, 100)
    assert (done.stage, done.progress_done, done.progress_total) == ("counting", 3, 3)
    assert [str(message) for message in done.messages.all()] == ["a.png: odd"]
    assert finished == [(job.pk, "succeeded")]
    assert services.run_job(job.pk) is None, "a second delivery finds it over"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "text"),
    [(JobFailed("No images: import some first."), "No images: import some first."), (KeyError("x"), "KeyError: 'x'")],
)
def test_a_failure_says_why(handler, finished, error, text):
    @handler
    def work(run):
        raise error

    done = services.run_job(make_job().pk)
    assert (done.status, done.error) == ("failed", text)
    assert finished == [(done.pk, "failed")]


@pytest.mark.django_db
def test_unknown_kind_is_refused_when_the_job_is_made():
    with pytest.raises(KeyError, match=r"No handler for jobs of kind 'nothing'; there are \["):
        services.create_job(kind="nothing", title="", scope="", params={})
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_cancelling_a_waiting_job_ends_it(handler, finished):
    job = make_job()
    services.cancel_job(job)
    assert (job.status, finished) == ("cancelled", [(job.pk, "cancelled")])
    assert services.run_job(job.pk) is None


@pytest.mark.django_db
def test_cancelling_a_running_job_stops_it_at_its_next_step(handler):
    steps = []

    @handler
    def work(run):
        steps.append(1)
        services.cancel_job(run.job)
        run.progress(1, 1)
        steps.append(2)

    done = services.run_job(make_job().pk)
    assert (done.status, steps) == ("cancelled", [1])


@pytest.mark.django_db
def test_only_ended_jobs_run_again(handler, sent, django_capture_on_commit_callbacks):
    failed, running = make_job(status="failed", error="e", attempts=3), make_job(status="running")
    with django_capture_on_commit_callbacks(execute=True):
        assert (services.retry_job(failed), services.retry_job(running)) == (True, False)
    assert (failed.status, failed.error, failed.attempts) == ("queued", "", 0)
    assert sent == [failed.pk]


@pytest.mark.django_db
def test_a_run_that_lost_its_job_writes_nothing_more(handler, finished):
    @handler
    def work(run):
        Job.objects.filter(pk=run.job.pk).update(claim="somebody else")
        run.progress(5, 10)
        pytest.fail("it must stop there")

    job = make_job()
    assert services.run_job(job.pk) is None
    job.refresh_from_db()
    assert (job.status, job.claim, job.progress_done, finished) == ("running", "somebody else", 0, [])


@pytest.mark.django_db
def test_a_run_that_lost_its_job_at_the_very_end_does_not_end_it(handler, finished):
    @handler
    def work(run):
        Job.objects.filter(pk=run.job.pk).update(claim="somebody else")

    job = make_job()
    services.run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, finished) == ("running", [])


@pytest.mark.django_db
def test_progress_is_written_at_most_twice_a_second_but_its_end_always(handler, django_assert_max_num_queries):
    job = services.claim_job(make_job().pk)
    run = JobRun(job)
    with django_assert_max_num_queries(4):
        for done in range(1001):
            run.progress(done, 1000)
    job.refresh_from_db()
    assert job.progress_done == 1000


@pytest.mark.django_db(transaction=True)
def test_of_many_deliveries_at_once_one_does_the_work(handler):
    ran, outcomes = [], []

    @handler
    def work(run):
        ran.append(run.job.claim)

    job = make_job()

    def deliver():
        try:
            outcomes.append(services.run_job(job.pk))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(ran), len(outcomes), outcomes.count(None)) == (1, 8, 7)


@pytest.mark.django_db(transaction=True)
def test_heartbeat_ticks_while_the_handler_is_silent(handler, settings):
    settings.JOB_HEARTBEAT_SECONDS = 0.05
    old = timezone.now() - timedelta(hours=1)
    beats = []

    @handler
    def work(run):
        Job.objects.filter(pk=run.job.pk).update(heartbeat_at=old)
        waiting = threading.Event()
        for _ in range(100):
            waiting.wait(0.05)
            beats.append(Job.objects.get(pk=run.job.pk).heartbeat_at)
            if beats[-1] > old:
                break

    services.run_job(make_job().pk)
    assert beats[-1] > old


@pytest.mark.django_db
def test_what_follows_from_the_end_and_the_end_are_one(handler):
    def fail(job, **kwargs):
        raise RuntimeError("the next stage could not be made")

    job = make_job()
    job_finished.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            services.run_job(job.pk)
    finally:
        job_finished.disconnect(fail)
    job.refresh_from_db()
    assert job.status == "running", "its worker is gone for it: it will be taken back and run again"


@pytest.mark.django_db
def test_job_of_a_worker_that_has_ended_is_taken_back_at_once(handler, sent, django_capture_on_commit_callbacks):
    job = make_job(status="running", worker=gone_worker(), heartbeat_at=timezone.now(), attempts=1, claim="c")
    mine = make_job(status="running", worker=worker_name(), heartbeat_at=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        assert recovery.recover_lost_jobs() == 1
    job.refresh_from_db()
    mine.refresh_from_db()
    assert (job.status, job.claim, job.attempts, mine.status) == ("queued", "", 1, "running")
    assert sent == [job.pk]
    assert [message.text for message in job.messages.all()] == ["Its worker stopped while it ran."]


@pytest.mark.django_db
@pytest.mark.parametrize(("age", "taken_back"), [(59, 0), (61, 1)])
def test_silent_worker_of_another_machine_loses_its_job_after_a_minute(handler, sent, age, taken_back):
    make_job(status="running", worker="elsewhere:1:2:3", heartbeat_at=timezone.now() - timedelta(seconds=age))
    assert recovery.recover_lost_jobs() == taken_back


@pytest.mark.django_db
def test_job_that_ended_three_workers_fails(handler, finished):
    job = make_job(status="running", worker=gone_worker(), heartbeat_at=timezone.now(), attempts=3)
    recovery.recover_lost_jobs()
    job.refresh_from_db()
    assert (job.status, job.error) == (
        "failed",
        "Its worker stopped 3 times. Look at the worker's log, then run it again.",
    )
    assert finished == [(job.pk, "failed")]


@pytest.mark.django_db
def test_stopping_the_site_does_not_count_as_an_attempt(handler):
    job = make_job(status="running", worker=gone_worker(), heartbeat_at=timezone.now(), attempts=3)
    assert recovery.release_orphaned_jobs(by_wish=True) == 1
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("queued", 2)


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        pytest.param({}, False, id="this process"),
        pytest.param({1: "x"}, False, id="no id"),
        pytest.param({2: "1"}, True, id="its id was given to another process"),
        pytest.param({0: "elsewhere"}, False, id="another machine"),
        pytest.param({3: "7"}, False, id="another container"),
    ],
)
def test_a_worker_is_called_gone_only_where_that_is_sure(change, gone):
    parts = worker_name().split(":")
    for index, value in change.items():
        parts[index] = value
    assert is_gone(":".join(parts)) is gone
    assert parts[1] in (str(os.getpid()), "x")


@pytest.mark.django_db
def test_waiting_jobs_are_sent_again_only_where_the_broker_holds_fewer(handler, sent, monkeypatch):
    old = timezone.now() - timedelta(minutes=5)
    jobs = [make_job(created_at=old) for _ in range(3)]
    make_job()
    monkeypatch.setattr(recovery, "backlog", lambda: 3)
    recovery.recover_lost_jobs()
    assert sent == []
    monkeypatch.setattr(recovery, "backlog", lambda: 2)
    recovery.recover_lost_jobs()
    assert sent == [job.pk for job in jobs]


@pytest.mark.django_db
def test_a_broker_that_is_away_loses_no_job_and_fails_no_request(
    handler, monkeypatch, django_capture_on_commit_callbacks
):
    def away(name, args):
        raise OperationalError("Connection refused")

    monkeypatch.setattr(app, "send_task", away)
    job = make_job()
    with django_capture_on_commit_callbacks(execute=True):
        services.queue_job(job)
    job.refresh_from_db()
    assert job.status == "queued"


def test_two_handlers_for_one_kind_are_refused(handler):
    with pytest.raises(ValueError, match=r"Two handlers for jobs of kind 'test\.work'"):
        registry.job_handler("test.work")(lambda run: None)


@pytest.mark.django_db
def test_check_tells_a_lost_job(handler):
    job = services.claim_job(make_job().pk)
    run = JobRun(job)
    run.check()
    Job.objects.filter(pk=job.pk).update(claim="other")
    with pytest.raises(JobLost):
        run.check()
