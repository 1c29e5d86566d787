"""What the background has worked out for the queue."""

from __future__ import annotations

from django.db import models

from .project import Project


class QueueRanking(models.Model):
    """Items in the order in which judgments of them are worth most, for one project and one order.

    Written by a regular task and read at draws: requests never fit anything. Items that are not in it come at random
    afterwards.
    """

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="queue_ranking")
    order = models.CharField(max_length=10, choices=Project.Order)
    measure = models.CharField(max_length=40, blank=True, help_text="The measure of hardness that it follows.")
    item_ids = models.JSONField(default=list, help_text="The first ones are worth most.")
    plan = models.JSONField(
        default=list,
        help_text="Adaptive: [item, how often it may have been taken] of the judgments planned for, worth most first.",
    )
    precision = models.FloatField(
        null=True, blank=True, help_text="Expected share of the hardest items found that really are among the hardest."
    )
    n_trials = models.PositiveIntegerField(default=0, help_text="Trials that it was worked out from.")
    computed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["project"]

    def __str__(self) -> str:
        return f"{len(self.item_ids)} items of {self.project}"
