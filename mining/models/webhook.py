"""Webhooks: whom to tell what has happened, and every message to them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotations.models import Project

from .hard_set import HardSet
from .round import Round


class Webhook(models.Model):
    """An address outside that is told of a project's events.

    The secret itself is stored nowhere: it follows from `salt` and the site's own key. `fingerprint` tells whether it
    still does.
    """

    class Event(models.TextChoices):
        HARD_SET_CREATED = "hard_set.created", "A hard set is ready"
        ROUND_FINISHED = "round.finished", "A round is over"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=500)
    events = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    off_reason = models.CharField(max_length=200, blank=True, help_text="Why it was switched off, if the site did so.")
    salt = models.CharField(max_length=32)
    fingerprint = models.CharField(max_length=16)
    old_salt = models.CharField(max_length=32, blank=True, help_text="Of the secret before; it signs too for a while.")
    old_until = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["project", "pk"]
        constraints = [models.UniqueConstraint(fields=["project", "url"], name="webhook_url_once")]

    def __str__(self) -> str:
        return f"{self.project}: {self.url}"


class WebhookDelivery(models.Model):
    """One message to one webhook. `key` is its id for the receiver: the same at every attempt.

    Sent at least once. `WAITING` becomes `SENDING` by compare-and-set, so that two workers do not send at once; what a
    killed worker held waits again.
    """

    class Status(models.TextChoices):
        WAITING = "queued", "Waiting"
        SENDING = "running", "Being sent"
        DELIVERED = "succeeded", "Delivered"
        FAILED = "failed", "Given up"
        DROPPED = "cancelled", "Not sent"

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    key = models.CharField(max_length=40, unique=True)
    occasion = models.CharField(max_length=80, help_text="What it tells of: told once to each webhook.")
    event = models.CharField(max_length=30)
    round = models.ForeignKey(Round, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    hard_set = models.ForeignKey(HardSet, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    payload = models.TextField(help_text="The body, byte for byte.")
    payload_sha256 = models.CharField(max_length=64)

    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    attempts_before = models.PositiveSmallIntegerField(
        default=0, help_text="Attempts made before somebody asked for it to be sent again."
    )
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    history = models.JSONField(default=list, help_text="The latest attempts: at, status, error, duration_ms.")
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=120, blank=True)
    claim = models.CharField(max_length=32, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "webhook deliveries"
        constraints = [models.UniqueConstraint(fields=["webhook", "occasion"], name="delivery_occasion_once")]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(status="queued"), name="delivery_due"),
            models.Index(fields=["claimed_at"], condition=Q(status="running"), name="delivery_in_hand"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook.url} ({self.get_status_display().lower()})"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.status not in (self.Status.WAITING, self.Status.SENDING)
