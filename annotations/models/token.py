"""Tokens with which programs use the API in the name of a manager."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from .project import Project


class ApiToken(models.Model):
    """A key to one project for a program, with what it may do there.

    Only the digest of the secret is kept: whoever reads the database can use no token. A token can never do more than
    the manager who made it: see `services.tokens.use_token`.
    """

    class Scope(models.TextChoices):
        READ = "read", "Read rounds, measures and hard sets"
        PREDICTIONS = "predictions", "Send predictions of a model"
        TRAINING = "training", "Report trainings"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tokens")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="api_tokens",
        help_text="The manager who made it, in whose name it is used.",
    )
    name = models.CharField(max_length=80, help_text="What uses it, for example “training cluster”.")
    scopes = models.JSONField(default=list, help_text="What it may do: values of Scope.")
    start = models.CharField(max_length=12, help_text="How the secret begins, to tell tokens apart.")
    digest = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of the secret.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it does not run out.")
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.start}…)"

    @property
    def is_expired(self) -> bool:
        """Whether its time is over."""
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def is_usable(self) -> bool:
        """Whether it has neither been revoked nor run out."""
        return self.revoked_at is None and not self.is_expired

    @property
    def scopes_in_words(self) -> list[str]:
        """What it may do, as the page says it."""
        return [self.Scope(scope).label for scope in self.scopes if scope in self.Scope.values]
