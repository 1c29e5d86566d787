"""Jobs whose worker is gone, and jobs that the broker may have lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from .models import Job, JobMessage
from .sending import backlog, send_job
from .signals import job_finished
from .workers import is_gone


def recover_lost_jobs() -> int:
    """Queue again (or fail, after too many attempts) every job whose worker is gone; return how many.

    Also sends waiting jobs again that the broker has lost.
    """
    count = take_back_lost(Job.objects.all())
    silent_since = timezone.now() - timedelta(seconds=settings.JOB_LOST_AFTER_SECONDS)
    waiting = list(Job.objects.filter(status=Job.Status.QUEUED, created_at__lt=silent_since).order_by("pk"))
    if len(waiting) > backlog():
        # A second delivery finds the job claimed; sending more than the queue could hold would let it grow for ever.
        _send(waiting)
    return count


def take_back_lost(jobs: QuerySet[Job], *, send: bool = True) -> int:
    """Queue again (or fail) those of the jobs that run on a worker that is gone; return how many.

    Without `send` the workers are not told: the caller takes them itself.
    """
    silent_since = timezone.now() - timedelta(seconds=settings.JOB_LOST_AFTER_SECONDS)
    running = jobs.filter(status=Job.Status.RUNNING)
    lost = [job for job in running if is_gone(job.worker) or (job.heartbeat_at and job.heartbeat_at < silent_since)]
    return sum(_take_back(job, send=send) for job in lost)


def release_orphaned_jobs(*, by_wish: bool = False) -> int:
    """Put every running job whose worker has ended back in the queue; return how many.

    `by_wish`: somebody stopped the site, so the attempt does not count against the job.
    """
    orphans = [job for job in Job.objects.filter(status=Job.Status.RUNNING) if is_gone(job.worker)]
    return sum(_take_back(job, by_wish=by_wish) for job in orphans)


def send_waiting_jobs() -> int:
    """Send every waiting job to the workers (again); return how many."""
    waiting = list(Job.objects.filter(status=Job.Status.QUEUED).order_by("pk"))
    _send(waiting)
    return len(waiting)


def _take_back(job: Job, *, by_wish: bool = False, send: bool = True) -> bool:
    final = not by_wish and job.attempts >= settings.JOB_MAX_ATTEMPTS
    fields: dict[str, Any] = (
        {
            "status": Job.Status.FAILED,
            "finished_at": timezone.now(),
            "error": f"Its worker stopped {job.attempts} times. Look at the worker's log, then run it again.",
        }
        if final
        else {"status": Job.Status.QUEUED, "claim": ""}
    )
    if by_wish:
        fields["attempts"] = F("attempts") - 1
    with transaction.atomic():
        held = Job.objects.filter(pk=job.pk, claim=job.claim, status=Job.Status.RUNNING)
        if not held.update(**fields):
            return False
        why = "The site was stopped while it ran." if by_wish else "Its worker stopped while it ran."
        JobMessage.objects.create(job=job, level=JobMessage.Level.WARNING, text=why)
        if final:
            job.refresh_from_db()
            job_finished.send(sender=Job, job=job)
        elif send and not by_wish:
            transaction.on_commit(lambda: send_job(job.pk))
    return True


def _send(jobs: list[Job]) -> None:
    for job in jobs:
        send_job(job.pk)
