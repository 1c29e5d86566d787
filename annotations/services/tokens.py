"""Verbs for API tokens: make, use, revoke."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from annotations.models import ApiToken, Project
from annotations.selectors.access import is_manager

SECRET_PREFIX = "hardness_"
"""So that scanners of repositories and logs can tell what they have found."""
SHOWN_CHARACTERS = 12
USE_NOTED_EVERY = timedelta(minutes=1)
MOST_TOKENS = 100
MOST_DAYS = 3650


class TokenRefused(Exception):
    """Why a token cannot be used, in words for whoever sent it; `status` is that of the answer."""

    def __init__(self, reason: str, *, status: int = 401) -> None:
        super().__init__(reason)
        self.status = status


def create_token(
    *, project: Project, user: Any, name: str, scopes: Collection[str], expires_in_days: int | None = None
) -> tuple[ApiToken, str]:
    """Make a token for a manager; return it and its secret, which can be read only now.

    Raises ValidationError for a user who is no manager, an empty name, an unknown or no scope, or too many tokens.
    """
    if not is_manager(user, project):
        raise ValidationError("Only managers of the project can make tokens.")
    if not name.strip():
        raise ValidationError({"name": "Give the token a name: what will use it."})
    known = [scope for scope in ApiToken.Scope.values if scope in scopes]
    if not known or set(scopes) - set(known):
        raise ValidationError({"scopes": f"Choose from {', '.join(ApiToken.Scope.values)}."})
    if expires_in_days is not None and not 1 <= expires_in_days <= MOST_DAYS:
        raise ValidationError({"expires_in_days": f"A token is valid for 1 to {MOST_DAYS} days, or without an end."})
    if ApiToken.objects.filter(project=project, revoked_at=None).count() >= MOST_TOKENS:
        raise ValidationError(f"The project has {MOST_TOKENS} tokens: revoke those that nobody uses.")
    secret = SECRET_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        project=project,
        user=user,
        name=name.strip()[:80],
        scopes=known,
        start=secret[:SHOWN_CHARACTERS],
        digest=digest_of(secret),
        expires_at=None if expires_in_days is None else timezone.now() + timedelta(days=expires_in_days),
    )
    return token, secret


def digest_of(secret: str) -> str:
    """Return what is kept of a secret. 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def use_token(*, secret: str, scope: str, slug: str) -> ApiToken:
    """Return the token if it may do `scope` in the project `slug` now; note that it was used.

    Raises `TokenRefused`: 401 for a secret that opens nothing (any more), 403 for a scope it lacks, 404 for another
    project. A token is worth nothing once its maker may no longer sign in or manage the project.
    """
    now = timezone.now()
    token = ApiToken.objects.select_related("project", "user").filter(digest=digest_of(secret)).first()
    if token is None:
        raise TokenRefused("There is no such token.")
    if token.revoked_at is not None:
        raise TokenRefused("The token was revoked.")
    if token.is_expired:
        raise TokenRefused("The token has run out: make a new one.")
    if not token.user.is_active or not is_manager(token.user, token.project):
        raise TokenRefused("Whoever made the token no longer manages the project.")
    if token.project.slug != slug or token.project.archived_at is not None:
        raise TokenRefused("There is no such project for this token.", status=404)
    if scope not in token.scopes:
        raise TokenRefused(f"The token lacks the scope “{scope}”: make one that has it.", status=403)
    # At most a write a minute, however many requests come.
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_NOTED_EVERY)
    if token.last_used_at is None or token.last_used_at < now - USE_NOTED_EVERY:
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    return token


def revoke_token(*, token: ApiToken) -> bool:
    """End a token for good; False when it was revoked before."""
    return bool(ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()))
