"""What a handler holds while it works: progress, notes, heartbeat, cancelling."""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import QuerySet
from django.utils import timezone

from .models import Job, JobMessage

logger = logging.getLogger(__name__)


class JobCancelled(Exception):
    """Somebody asked for the job to stop."""


class JobLost(Exception):
    """Another worker holds the job now: this run must write nothing more."""


class JobFailed(Exception):
    """The work cannot be done; the message says why and what to do, in words for the person who asked."""


class JobRun:
    """One run of a job. Use as a context manager: a heartbeat ticks as long as it is open."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._written = 0.0

    def __enter__(self) -> JobRun:
        if not connection.in_atomic_block:  # inside a test's transaction another connection would see no job
            self._thread = threading.Thread(target=self._beat, name=f"job-{self.job.pk}", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join()

    def progress(self, done: int, total: int | None = None, *, stage: str | None = None) -> None:
        """Say how far it is. Writes at most twice a second; raises JobCancelled or JobLost where that is so."""
        total = self.job.progress_total if total is None else total
        changed_stage = stage is not None and stage != self.job.stage
        now = time.monotonic()
        if not changed_stage and done != total and now - self._written < 0.5:
            return
        self._written = now
        self.job.progress_done, self.job.progress_total = done, total
        fields: dict[str, object] = {
            "progress_done": done,
            "progress_total": total,
            "heartbeat_at": timezone.now(),
        }
        if stage is not None:
            self.job.stage = stage
            fields["stage"] = stage[:200]
        self._held().update(**fields)
        self.check()

    def check(self) -> None:
        """Raise JobCancelled if somebody asked for that, JobLost if another worker has the job."""
        row = Job.objects.filter(pk=self.job.pk).values_list("claim", "status", "cancel_requested").first()
        if row is None or row[0] != self.job.claim or row[1] != Job.Status.RUNNING:
            raise JobLost(f"Job {self.job.pk} is held by another worker.")
        if row[2]:
            raise JobCancelled

    def note(self, text: str, *, subject: str = "", level: str = JobMessage.Level.INFO) -> None:
        """Add one line to the job's log."""
        self.notes([(level, subject, text)])

    def notes(self, lines: list[tuple[str, str, str]]) -> None:
        """Add many lines (level, subject, text) to the job's log at once."""
        JobMessage.objects.bulk_create(
            [JobMessage(job=self.job, level=level, subject=subject[:500], text=text) for level, subject, text in lines],
            batch_size=500,
        )

    def _held(self) -> QuerySet[Job]:
        return Job.objects.filter(pk=self.job.pk, claim=self.job.claim, status=Job.Status.RUNNING)

    def _beat(self) -> None:
        try:
            while not self._stop.wait(settings.JOB_HEARTBEAT_SECONDS):
                try:
                    self._held().update(heartbeat_at=timezone.now())
                except DatabaseError as error:  # the next beat may find the database again
                    logger.warning("No heartbeat of job %s: %s", self.job.pk, error)
                    connection.close()
        finally:
            connection.close()
