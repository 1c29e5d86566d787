"""Hard sets, their members, and what was sent back to people."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from annotations.models import Item

from .round import Round

NOT_TRAINED_ON = ("mislabelled", "unclear")
"""Verdicts of members that count for no more than others: a wrong label must not."""


class HardSet(models.Model):
    """A frozen, hashed list of items with the reason for each. Never changed: a change makes a new version."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="hard_sets")
    strategy = models.CharField(max_length=40)
    params = models.JSONField(default=dict, blank=True)
    version = models.PositiveSmallIntegerField(default=1)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="versions")
    sha256 = models.CharField(max_length=64, help_text="Of strategy, parameters, round and members in order.")
    n_members = models.PositiveIntegerField()
    summary = models.JSONField(default=dict, blank=True, help_text="What the strategy says of the whole set.")
    reason = models.CharField(max_length=300, blank=True, help_text="Why members of the parent were dropped.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        help_text="Who dropped them; empty for what a strategy picked.",
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["round", "strategy", "version"]
        constraints = [models.UniqueConstraint(fields=["round", "strategy", "version"], name="hard_set_version_once")]

    def __str__(self) -> str:
        return f"{self.round}: {self.strategy}"

    def get_absolute_url(self) -> str:
        return reverse("hard_set", args=[self.round.project.slug, self.pk])


class HardSetMember(models.Model):
    """One item of a hard set: how hard by the strategy's score, at which rank, and why."""

    hard_set = models.ForeignKey(HardSet, on_delete=models.CASCADE, related_name="members")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="+")
    rank = models.PositiveIntegerField(help_text="1 is hardest.")
    score = models.FloatField()
    reason = models.CharField(max_length=300)
    verdict = models.CharField(max_length=20, blank=True, help_text="What the noise gate says.")

    class Meta:
        ordering = ["hard_set", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["hard_set", "item"], name="member_item_once"),
            models.UniqueConstraint(fields=["hard_set", "rank"], name="member_rank_once"),
        ]

    def __str__(self) -> str:
        return f"{self.rank}. {self.item_id}"


class SecondLook(models.Model):
    """A hard set was sent to people again: its items need so many more judgments."""

    hard_set = models.ForeignKey(HardSet, on_delete=models.CASCADE, related_name="second_looks")
    extra_judgments = models.PositiveSmallIntegerField()
    same_people = models.BooleanField(default=False, help_text="People who have judged an item may be asked again.")
    n_items = models.PositiveIntegerField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    reported_in = models.ForeignKey(
        Round, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        help_text="The latest round that says what came of it.",
    )  # fmt: skip
    outcome = models.JSONField(default=dict, blank=True, help_text="Outcome -> how many items, as of that round.")

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.hard_set} asked again: {self.extra_judgments} more"
