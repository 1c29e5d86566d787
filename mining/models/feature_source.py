"""What a manager gave a project to describe its items with: an embedding network, or vectors from a file."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from annotations.models import Project


class FeatureSource(models.Model):
    """Checked and ready for the next round, which calls it `network:NAME` or `file:NAME`."""

    class Kind(models.TextChoices):
        NETWORK = "network", "Network"
        FILE = "file", "File"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="feature_sources")
    kind = models.CharField(max_length=8, choices=Kind)
    name = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64, help_text="Of the network's file, or of items and vectors.")
    dimension = models.PositiveIntegerField(help_text="Numbers an item.")
    n_items = models.PositiveIntegerField(null=True, blank=True, help_text="Items in the file; empty for a network.")
    n_bytes = models.PositiveBigIntegerField()
    facts = models.JSONField(default=dict, blank=True, help_text="Input, normalisation and output of a network.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["project", "kind", "name"]
        constraints = [models.UniqueConstraint(fields=["project", "kind", "name"], name="feature_source_once")]

    def __str__(self) -> str:
        return self.choice

    @property
    def choice(self) -> str:
        """How a round names it."""
        return f"{self.kind}:{self.name}"

    @property
    def network_file(self) -> str:
        """Where a network's bytes lie in the artifact storage."""
        return f"networks/{self.project_id}/{self.sha256}.onnx"
