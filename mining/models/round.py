"""Rounds and their stages."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from annotations.models import Project
from hardness_site.jobs.models import Job


class Round(models.Model):
    """One turn of the loop: labels + times -> learners -> measures -> comparison -> hard sets -> retraining.

    Rows hold what was decided; the tables a round computes are files under `folder` in the artifact storage.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="rounds")
    number = models.PositiveIntegerField(help_text="1, 2, … within the project.")
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    params = models.JSONField(default=dict, help_text="Learners, strategies with parameters, seeds.")
    folder = models.CharField(max_length=120, help_text="Folder in the artifact storage.")
    summary = models.JSONField(default=dict, blank=True, help_text="The figures that lists and reports show.")
    has_synthetic = models.BooleanField(default=False, help_text="Trials of synthetic annotators went into it.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["project", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="round_number_once"),
            models.UniqueConstraint(
                fields=["project"], condition=Q(status__in=["queued", "running"]), name="round_one_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project}, round {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("round", args=[self.project.slug, self.number])


class RoundStage(models.Model):
    """One step of a round. Its job carries progress; a failed stage can be run again."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="stages")
    index = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=30)
    job = models.ForeignKey(
        Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="Its latest job."
    )
    status = models.CharField(max_length=10, choices=Round.Status, default=Round.Status.QUEUED)
    result = models.JSONField(default=dict, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["round", "index"]
        constraints = [
            models.UniqueConstraint(fields=["round", "index"], name="stage_index_once"),
            models.UniqueConstraint(fields=["round", "name"], name="stage_name_once"),
        ]

    def __str__(self) -> str:
        return f"{self.round}: {self.name}"
