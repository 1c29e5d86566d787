"""Boxes that annotators drew."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from .item import Item
from .project import LabelClass
from .trial import Trial


class DrawnBox(models.Model):
    """One box of the answer to a drawing trial. A corrected answer has new rows; the old ones are kept, not current.

    The box is in shares of the image's width and height, as an item's. All durations are milliseconds, derived from
    the events of the trial by `annotations.timing.box_times`.
    """

    trial = models.ForeignKey(Trial, on_delete=models.CASCADE, related_name="boxes")
    number = models.PositiveSmallIntegerField(help_text="Its number in the trial; the trial's events name it so.")
    x = models.FloatField()
    y = models.FloatField()
    width = models.FloatField()
    height = models.FloatField()
    label = models.ForeignKey(LabelClass, on_delete=models.PROTECT, related_name="+")
    is_current = models.BooleanField(default=True)
    object = models.ForeignKey(
        Item, null=True, blank=True, on_delete=models.SET_NULL, related_name="drawn_boxes",
        help_text="The consensus object that it was matched to.",
    )  # fmt: skip

    # Time
    response_ms = models.FloatField(null=True, blank=True, help_text="Search, drawing and decision.")
    null_reason = models.CharField(max_length=30, blank=True, help_text="Why there is no response time.")
    search_ms = models.FloatField(null=True, blank=True, help_text="Up to the pointer or key that began the box.")
    draw_ms = models.FloatField(null=True, blank=True)
    class_ms = models.FloatField(null=True, blank=True, help_text="From the drawn box to its class.")
    edit_ms = models.FloatField(null=True, blank=True)
    n_edits = models.PositiveSmallIntegerField(default=0)
    drawn_by = models.CharField(max_length=8, blank=True, help_text="mouse, touch, pen or key")
    timing_version = models.PositiveSmallIntegerField(default=0, help_text="0: not derived from events.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["trial", "number"]
        verbose_name_plural = "drawn boxes"
        constraints = [
            models.UniqueConstraint(
                fields=["trial", "number"], condition=Q(is_current=True), name="drawn_box_number_once"
            ),
            models.CheckConstraint(condition=Q(width__gt=0, height__gt=0), name="drawn_box_has_area"),
            models.CheckConstraint(
                condition=Q(response_ms__isnull=True) | Q(response_ms__gt=0), name="drawn_box_response_never_zero"
            ),
        ]

    def __str__(self) -> str:
        return f"Box {self.number} of trial {self.trial_id}"

    @property
    def shares(self) -> tuple[float, float, float, float]:
        """The box as x, y, width, height."""
        return self.x, self.y, self.width, self.height
