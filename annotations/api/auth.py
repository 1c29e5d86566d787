"""Who calls: a program with a token of the project, or somebody signed in.

An operation that programs use says `auth=program_or_person(ApiToken.Scope.…)`; then `request.user` is the token's
maker or whoever is signed in, and `managed_project(request.user, slug)` holds for both.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.security import HttpBearer, SessionAuth

from annotations.models import ApiToken
from annotations.services.tokens import TokenRefused, use_token


class TokenAuth(HttpBearer):
    """`Authorization: Bearer <secret>`: a token with that scope, of the project whose slug is in the address."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """Return the token; HttpError says why not, so that a bad token is never taken for a bad form."""
        match = request.resolver_match
        slug = str(match.kwargs.get("slug", "")) if match else ""
        try:
            used = use_token(secret=token, scope=self.scope, slug=slug)
        except TokenRefused as reason:
            raise HttpError(reason.status, str(reason)) from None
        request.user = used.user
        return used


class PersonAuth(SessionAuth):
    """A session, with CSRF protection. Without a session there is nothing to protect: that is 401, not 403."""

    def _get_key(self, request: HttpRequest) -> str | None:
        return super()._get_key(request) if self.param_name in request.COOKIES else None


def program_or_person(scope: str) -> list[Any]:
    """Return the `auth` of an operation for programs with a token of that scope, and for people."""
    return [TokenAuth(ApiToken.Scope(scope).value), PersonAuth(csrf=True)]
