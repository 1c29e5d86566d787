"""Trials: what was shown to whom, what they answered, and how long it took."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from .item import Item
from .project import Annotator, LabelClass, Project


class WorkSession(models.Model):
    """One sitting of an annotator in one browser tab, with what is known about its clock and screen."""

    annotator = models.ForeignKey(Annotator, on_delete=models.CASCADE, related_name="sessions")
    client_key = models.CharField(max_length=36, help_text="Made by the tab; sent with every submit.")
    started_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(auto_now=True)
    user_agent = models.CharField(max_length=300, blank=True)
    screen = models.JSONField(default=dict, blank=True, help_text="Viewport, pixel ratio, pointer kind.")
    clock = models.JSONField(
        default=dict, blank=True, help_text="timeOrigin, clock resolution and frame interval in ms."
    )

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["annotator", "client_key"], name="work_session_once"),
        ]

    def __str__(self) -> str:
        return f"{self.annotator}, {self.started_at:%Y-%m-%d %H:%M}"


class Trial(models.Model):
    """One presentation of one item to one annotator: issued, shown, answered (or censored, with a reason).

    All durations are milliseconds. `response_ms` is null whenever it cannot be trusted, and `null_reason` says why;
    it is never 0. Durations are a pure function of the events (`annotations.timing`), whose version is kept.
    """

    class State(models.TextChoices):
        ISSUED = "issued", "Handed out"
        ANSWERED = "answered", "Answered"
        SKIPPED = "skipped", "Skipped"
        ABANDONED = "abandoned", "Given back"

    class Source(models.TextChoices):
        BROWSER = "browser", "Measured in the browser"
        IMPORTED = "imported", "Imported"
        SYNTHETIC = "synthetic", "Synthetic"

    class Purpose(models.TextChoices):
        JUDGMENT = "", "Judgment"
        TRAINING = "training", "Training"
        GOLD = "gold", "Gold: the answer is known"
        REPEAT = "repeat", "Repeat: judged by the same person before"

    # No index of their own: each is the first column of one below, and each index is one more page that answers write.
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="trials", db_index=False)
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="trials", db_index=False)
    annotator = models.ForeignKey(Annotator, on_delete=models.CASCADE, related_name="trials", db_index=False)
    look = models.PositiveSmallIntegerField(
        default=1, help_text="The item's look in which it was shown; nobody gets an item twice in one look."
    )
    purpose = models.CharField(
        max_length=8, choices=Purpose, default=Purpose.JUDGMENT, blank=True,
        help_text="All but judgments are beside what the item needs, and say nothing about its hardness.",
    )  # fmt: skip
    source = models.CharField(max_length=9, choices=Source, default=Source.BROWSER)
    drawing = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="objects_seen", db_index=False,
        help_text="Of an object that was drawn: the trial in which the whole image was shown.",
    )  # fmt: skip
    state = models.CharField(max_length=9, choices=State, default=State.ISSUED)

    # Issue
    position = models.PositiveIntegerField(help_text="1-based place in this annotator's order.")
    session = models.ForeignKey(WorkSession, null=True, blank=True, on_delete=models.SET_NULL, related_name="trials")
    session_name = models.CharField(max_length=100, blank=True, help_text="Name of the sitting in an imported file.")
    chosen_by = models.CharField(max_length=20, blank=True, help_text="The queue's policy that chose the item.")
    chance = models.FloatField(
        null=True, blank=True, help_text="The item's chance of being chosen then, among those for its purpose."
    )
    issued_at = models.DateTimeField()
    times_issued = models.PositiveSmallIntegerField(default=1)
    lease_until = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(null=True, blank=True, help_text="When the server got the answer.")

    # Time
    response_ms = models.FloatField(null=True, blank=True)
    null_reason = models.CharField(max_length=30, blank=True, help_text="Why there is no response time.")
    censored_at_ms = models.FloatField(null=True, blank=True, help_text="The response took longer than this.")
    paid_ms = models.FloatField(null=True, blank=True, help_text="Wall time from the first sight on, capped.")
    download_ms = models.FloatField(null=True, blank=True)
    decode_ms = models.FloatField(null=True, blank=True)
    paint_ms = models.FloatField(null=True, blank=True)
    first_input_ms = models.FloatField(null=True, blank=True)
    key_hold_ms = models.FloatField(null=True, blank=True)
    frame_ms = models.FloatField(null=True, blank=True)
    exposure_ms = models.FloatField(null=True, blank=True, help_text="How long the image was seen before its mask.")
    exposure_frames = models.PositiveSmallIntegerField(null=True, blank=True, help_text="The same in frames.")
    timing_version = models.PositiveSmallIntegerField(default=0, help_text="0: not derived from events.")
    flags = models.JSONField(default=list, blank=True, help_text="What happened in the trial: blurred, idle, …")

    # Skip and remark
    skip_reason = models.CharField(max_length=40, blank=True)
    comment = models.TextField(blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["item", "annotator", "look", "purpose"], name="trial_once"),
            models.CheckConstraint(
                condition=Q(response_ms__isnull=True) | Q(response_ms__gt=0), name="trial_response_never_zero"
            ),
        ]
        indexes = [
            models.Index(fields=["drawing"], condition=Q(drawing__isnull=False), name="trial_of_drawing"),
            models.Index(fields=["annotator", "position"], name="trial_of_annotator"),
            models.Index(fields=["annotator", "position"], condition=Q(state="issued"), name="trial_leased_to"),
            models.Index(fields=["lease_until"], condition=Q(state="issued"), name="trial_lease_until"),
            models.Index(fields=["project", "id"], name="trial_of_project"),
            models.Index(fields=["project", "annotator"], condition=~Q(purpose=""), name="trial_beside"),
        ]

    def __str__(self) -> str:
        return f"Trial {self.pk}"


class EventBatch(models.Model):
    """What the browser saw during a trial, as it was sent. Append-only: nothing here is ever changed."""

    trial = models.ForeignKey(Trial, on_delete=models.CASCADE, related_name="event_batches")
    events = models.JSONField(help_text="List of {t, kind, …}; t in ms on the page's monotonic clock.")
    client_key = models.CharField(max_length=36, blank=True, help_text="Key of the submission: tells a repeated one.")
    is_correction = models.BooleanField(default=False, help_text="Came with a correction: not part of the timing.")
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "event batches"

    def __str__(self) -> str:
        return f"{len(self.events)} events of trial {self.trial_id}"


class Annotation(models.Model):
    """The answer given in a trial; a correction is a new one that supersedes it."""

    trial = models.ForeignKey(Trial, on_delete=models.CASCADE, related_name="annotations")
    label = models.ForeignKey(LabelClass, on_delete=models.PROTECT, related_name="+", db_index=False)
    client_key = models.CharField(max_length=36, unique=True, help_text="Makes a repeated submit harmless.")
    is_current = models.BooleanField(default=True)
    supersedes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="superseded_by"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["trial"], condition=Q(is_current=True), name="annotation_one_current"),
        ]

    def __str__(self) -> str:
        return f"{self.label} (trial {self.trial_id})"
