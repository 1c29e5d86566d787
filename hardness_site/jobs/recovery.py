"""Jobs whose worker is gone, and jobs that the broker may have lost."""

from __future__ import annotations

import logging
import os
import socket
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from hardness_site.processes import Mark, started_at

from .models import Job, JobMessage
from .signals import job_finished

logger = logging.getLogger(__name__)


def worker_name() -> str:
    """Return a name of this process that tells later, on this machine, whether it is still the one that runs."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{started_at(os.getpid())}:{_namespace()}"[:120]


def is_gone(worker: str) -> bool:
    """Whether the worker of that name has surely ended. False where this machine cannot know."""
    host, _, rest = worker.partition(":")
    pid, _, rest = rest.partition(":")
    started, _, namespace = rest.rpartition(":")
    if host != socket.gethostname()[:60] or namespace != _namespace() or not pid.isdecimal():
        return False
    return not Mark(int(pid), started).is_alive()


def recover_lost_jobs() -> int:
    """Queue again (or fail, after too many attempts) every job whose worker is gone; return how many.

    Also sends waiting jobs again that the broker has lost.
    """
    count = take_back_lost(Job.objects.all())
    silent_since = timezone.now() - timedelta(seconds=settings.JOB_LOST_AFTER_SECONDS)
    waiting = list(Job.objects.filter(status=Job.Status.QUEUED, created_at__lt=silent_since).order_by("pk"))
    if len(waiting) > _backlog():
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


def send_job(job_id: int) -> None:
    """Send one job to the workers. Where the broker is away the job stays in the queue, and `recover` sends it."""
    from kombu.exceptions import OperationalError

    from .tasks import run_job_task

    try:
        run_job_task.delay(job_id)
    except (OperationalError, OSError) as error:
        logger.warning("Job %s waits until the broker is back: %s", job_id, error)


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


def _backlog() -> int:
    """Return how many messages wait at the broker; 0 where it cannot say."""
    from celery import current_app

    try:
        with current_app.connection_for_read() as connection:
            return int(connection.default_channel.client.llen(current_app.conf.task_default_queue))
    except Exception:  # another transport, or no broker: sending says what is wrong
        return 0


def _namespace() -> str:
    # The same id means another process in another container.
    if sys.platform != "linux":
        return "-"
    return Path("/proc/self/ns/pid").readlink().name.removeprefix("pid:").strip("[]")
