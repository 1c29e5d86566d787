"""When a project's rounds start by themselves."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from annotations.models import Project


class RoundSchedule(models.Model):
    """Start a round after so many new annotations, or after so many hours, whichever comes first.

    What has come since is counted from the latest round, whoever started it: there is no counter that a killed process
    could leave wrong.
    """

    class SettingsFrom(models.TextChoices):
        LATEST = "latest", "As the last round that somebody started"
        USUAL = "usual", "The usual settings"
        ROUND = "round", "As one round"

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="round_schedule")
    every_annotations = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(10_000_000)],
        help_text="New annotations after which a round starts; empty for never.",
    )  # fmt: skip
    every_hours = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(8760)],
        help_text="Hours after which a round starts, if anything was annotated; empty for never.",
    )  # fmt: skip
    settings_from = models.CharField(
        max_length=6, choices=SettingsFrom, default=SettingsFrom.LATEST,
        help_text="Which learners, strategies and other settings such a round has.",
    )  # fmt: skip
    like_round = models.ForeignKey(
        "mining.Round", null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        help_text="The round whose settings are taken, where one is named.",
    )  # fmt: skip
    last_message = models.CharField(max_length=300, blank=True, help_text="Why the latest attempt started nothing.")
    tried_at = models.DateTimeField(null=True, blank=True, help_text="When a due round could not be started.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["project"]
        constraints = [
            models.CheckConstraint(
                condition=(Q(every_annotations__isnull=True) | Q(every_annotations__gt=0))
                & (Q(every_hours__isnull=True) | Q(every_hours__gt=0)),
                name="schedule_never_zero",
            ),
        ]

    def __str__(self) -> str:
        return f"Rounds of {self.project}"
