"""Who is signed in, for the requests that everybody waits for: what the session says of the user is checked against
the row that comes with their trial, so that the user need not be fetched before.

An operation with `auth=SignedInLater()` gets its trial by `own_trial_of(request, …)`, which does that check.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from ninja.errors import HttpError

from annotations.models import Trial
from annotations.selectors.trials import NoSuchTrial, find_trial, own_trial

from .auth import PersonAuth

PLAIN_BACKENDS = {"django.contrib.auth.backends.ModelBackend", "sesame.backends.ModelBackend"}
"""Those that take every active user for whom the session says they are."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the session says: signed by us, but the user may have been blocked or have got another password since."""

    user_id: int
    password_hash: str

    def holds_for(self, user: Any) -> bool:
        """Whether that is still so."""
        return bool(user.is_active) and constant_time_compare(self.password_hash, user.get_session_auth_hash())


def _claim_of(request: HttpRequest) -> Claim | None:
    session = request.session
    backend = session.get(BACKEND_SESSION_KEY)
    if backend not in PLAIN_BACKENDS or backend not in settings.AUTHENTICATION_BACKENDS:
        return None
    try:
        return Claim(int(session[SESSION_KEY]), str(session[HASH_SESSION_KEY]))
    except (KeyError, ValueError):
        return None


class SignedInLater(PersonAuth):
    """A session, with CSRF protection, whose user is only checked by `own_trial_of`."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        """Return what the session claims, or who is signed in where that is said in another way."""
        return _claim_of(request) or super().authenticate(request, key)


def own_trial_of(request: HttpRequest, slug: str, trial_id: int, *, label: int | None = None) -> Trial:
    """Return the trial of whoever is signed in, with what an answer needs; HttpError where nobody is or it is not."""
    claim = _claim_of(request)
    trial = None if claim is None else find_trial(claim.user_id, slug, trial_id, label=label)
    if claim is not None and trial is not None and claim.holds_for(trial.annotator.user):
        return trial
    # What is unusual goes Django's own way, which knows it all.
    if not request.user.is_authenticated:
        raise HttpError(401, "Unauthorized")
    try:
        return own_trial(request.user, slug, trial_id, label=label)
    except NoSuchTrial as error:
        raise HttpError(404, str(error)) from error
