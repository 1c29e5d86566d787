"""Run a job in the process of a command, and say what came of it."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import CommandError, OutputWrapper
from django.utils import timezone

from hardness_site.jobs.models import Job, JobMessage
from hardness_site.jobs.services import create_job, run_job

POLL_SECONDS = 0.3
LINES_SHOWN = 1_000


def run_here(*, kind: str, title: str, scope: str, params: dict[str, Any], stderr: OutputWrapper) -> dict[str, Any]:
    """Make a job, run it in this process and return its result; warnings and refusals go to `stderr`.

    Raises CommandError when it failed. Interrupted, the job is cancelled: what is written stays, and the same command
    goes on from there.
    """
    job = create_job(kind=kind, title=title, scope=scope, params=params)
    try:
        done = run_job(job.pk) or _wait_for(job)
    except KeyboardInterrupt:
        Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING).update(
            status=Job.Status.CANCELLED, finished_at=timezone.now()
        )
        raise CommandError("Interrupted. What was written stays; the same command goes on from there.") from None
    lines = done.messages.exclude(level=JobMessage.Level.INFO)
    for line in lines[:LINES_SHOWN]:
        stderr.write(f"{line.get_level_display()}: {line}")
    left = lines.count() - LINES_SHOWN
    if left > 0:
        stderr.write(f"… and {left:,} more, on the page of job {done.pk}.")
    if done.status != Job.Status.SUCCEEDED:
        raise CommandError(done.error or f"{title}: {done.get_status_display().lower()}.")
    return done.result


def _wait_for(job: Job) -> Job:
    """A worker was faster and has the job: wait for its end."""
    while True:
        job.refresh_from_db()
        if job.is_final:
            return job
        time.sleep(POLL_SECONDS)
