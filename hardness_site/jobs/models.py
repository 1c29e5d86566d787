"""The rows that all long work reports to."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Job(models.Model):
    """One piece of background work: what was asked, how far it is, how it ended.

    A job runs at most once at a time: `services.claim_job` moves it from queued to running by compare-and-set.
    It always reaches a final status; a job whose heartbeat stops is queued again or failed by the reaper.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    FINAL = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)

    kind = models.CharField(max_length=60, help_text="Name of the handler that does the work.")
    title = models.CharField(max_length=200)
    scope = models.CharField(
        max_length=80, db_index=True, help_text='What the job belongs to, for example "project:12".'
    )
    params = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED, db_index=True)
    stage = models.CharField(max_length=200, blank=True, help_text="What it is doing now, in words.")
    progress_done = models.BigIntegerField(default=0)
    progress_total = models.BigIntegerField(null=True, blank=True, help_text="Empty while not known.")
    result = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True, help_text="Why it failed, and what to do about it.")
    attempts = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=120, blank=True)
    claim = models.CharField(max_length=32, blank=True, help_text="Token of the run that holds the job.")
    cancel_requested = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.title} ({self.get_status_display().lower()})"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.status in self.FINAL

    @property
    def percent(self) -> int | None:
        """Whole per cent done, or None while the total is not known."""
        if self.status == self.Status.SUCCEEDED:
            return 100
        if not self.progress_total:
            return None
        return min(100, int(100 * self.progress_done / self.progress_total))


class JobMessage(models.Model):
    """One line of a job's log: a refused file with its reason, a warning, a step."""

    class Level(models.TextChoices):
        INFO = "info", "Note"
        WARNING = "warning", "Warning"
        REFUSED = "refused", "Refused"
        ERROR = "error", "Error"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="messages")
    level = models.CharField(max_length=8, choices=Level, default=Level.INFO)
    subject = models.CharField(max_length=500, blank=True, help_text="What it is about: a file's name, a row.")
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["job", "level"], name="jobs_message_level")]

    def __str__(self) -> str:
        return f"{self.subject}: {self.text}" if self.subject else self.text
