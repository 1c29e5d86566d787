"""What a view of mining needs first: the project if the user manages it, and the round or hard set in it."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest

from annotations.models import Project
from annotations.selectors.access import managed_project
from mining.models import HardSet, Round
from mining.selectors.hard_sets import hard_set_of
from mining.selectors.rounds import round_of


def project_and_round(request: HttpRequest, slug: str, number: int) -> tuple[Project, Round]:
    """Return both, or Http404 for whoever does not manage the project, and where there is no such round."""
    project = managed_project(request.user, slug)
    round_ = round_of(project, number)
    if round_ is None:
        raise Http404("There is no such round.")
    return project, round_


def project_and_hard_set(request: HttpRequest, slug: str, pk: int) -> tuple[Project, HardSet]:
    """Return both, or Http404 for whoever does not manage the project, and where there is no such hard set."""
    project = managed_project(request.user, slug)
    hard_set = hard_set_of(project, pk)
    if hard_set is None:
        raise Http404("There is no such hard set.")
    return project, hard_set


def signed_in(request: HttpRequest) -> User:
    """Return the user, whom the middleware has made sure of."""
    assert isinstance(request.user, User)
    return request.user
