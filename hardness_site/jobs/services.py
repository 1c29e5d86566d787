"""Verbs for jobs: make, queue, claim, run, cancel, start again."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from .models import Job
from .registry import handler_for
from .running import JobCancelled, JobFailed, JobLost, JobRun
from .sending import send_job
from .signals import job_finished
from .workers import worker_name

logger = logging.getLogger(__name__)


def create_job(*, kind: str, title: str, scope: str, params: dict[str, Any], created_by: User | None = None) -> Job:
    """Make a job in status queued. Nothing runs it yet: see `queue_job` and `run_job`."""
    handler_for(kind)
    return Job.objects.create(kind=kind, title=title[:200], scope=scope, params=params, created_by=created_by)


def create_jobs(
    *, kind: str, scope: str, titled_params: Sequence[tuple[str, dict[str, Any]]], created_by: User | None = None
) -> list[Job]:
    """Make many jobs of one kind at once, (title, params) each, in status queued; see `create_job`."""
    handler_for(kind)
    jobs = [
        Job(kind=kind, title=title[:200], scope=scope, params=params, created_by=created_by)
        for title, params in titled_params
    ]
    return Job.objects.bulk_create(jobs, batch_size=200)


def queue_job(job: Job) -> None:
    """Hand the job to the workers once the present transaction has been committed.

    Where the broker is away just then the job still waits in its row, and `recovery` sends it again.
    """
    transaction.on_commit(lambda: send_job(job.pk))


def claim_job(job_id: int) -> Job | None:
    """Move a job from queued to running by compare-and-set; None when somebody else has it or it is over."""
    now = timezone.now()
    claim = secrets.token_hex(16)
    taken = Job.objects.filter(pk=job_id, status=Job.Status.QUEUED).update(
        status=Job.Status.RUNNING,
        claim=claim,
        worker=worker_name(),
        attempts=F("attempts") + 1,
        started_at=now,
        heartbeat_at=now,
        finished_at=None,
        error="",
    )
    return Job.objects.get(pk=job_id) if taken else None


def run_job(job_id: int) -> Job | None:
    """Claim and run a job to its final status, in this process. None when it was not to be had."""
    job = claim_job(job_id)
    if job is None:
        return None
    status, error, result = Job.Status.SUCCEEDED, "", None
    with JobRun(job) as run:
        try:
            if job.cancel_requested:  # asked for before it was lost and queued again
                raise JobCancelled
            result = handler_for(job.kind)(run, **job.params)
        except JobLost:
            logger.warning("Job %s was taken over by another worker.", job.pk)
            return None
        except JobCancelled:
            status = Job.Status.CANCELLED
        except JobFailed as reason:
            status, error = Job.Status.FAILED, str(reason)
        except Exception as reason:
            logger.exception("Job %s (%s) failed.", job.pk, job.kind)
            status, error = Job.Status.FAILED, f"{type(reason).__name__}: {reason}"
    _finish(job, status=status, error=error, result=result)
    return job


def _finish(job: Job, *, status: str, error: str, result: dict[str, Any] | None) -> None:
    done = (
        F("progress_total") if status == Job.Status.SUCCEEDED and job.progress_total is not None else F("progress_done")
    )
    # One transaction with what follows from the end, so that a worker killed here leaves no chain half continued.
    with transaction.atomic():
        held = Job.objects.filter(pk=job.pk, claim=job.claim, status=Job.Status.RUNNING)
        ended = held.update(
            status=status, error=error, result=result or {}, finished_at=timezone.now(), progress_done=done
        )
        job.refresh_from_db()
        if ended:
            job_finished.send(sender=Job, job=job)


def cancel_job(job: Job) -> None:
    """Ask a running job to stop, or end a waiting one."""
    with transaction.atomic():
        ended = Job.objects.filter(pk=job.pk, status=Job.Status.QUEUED).update(
            status=Job.Status.CANCELLED, finished_at=timezone.now()
        )
        if not ended:
            Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING).update(cancel_requested=True)
        job.refresh_from_db()
        if ended:
            job_finished.send(sender=Job, job=job)


def retry_job(job: Job) -> bool:
    """Queue a failed or cancelled job again; False when it was in no such state."""
    again = Job.objects.filter(pk=job.pk, status__in=[Job.Status.FAILED, Job.Status.CANCELLED]).update(
        status=Job.Status.QUEUED,
        cancel_requested=False,
        attempts=0,
        error="",
        progress_done=0,
        finished_at=None,
    )
    if again:
        job.refresh_from_db()
        queue_job(job)
    return bool(again)
