"""Who may see a job: whoever may manage what its scope names. The site says who reads which scope; jobs know none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404

from .models import Job

# Given the user and what stands after the colon of the scope: the owner (a project), or Http404.
ScopeReader = Callable[[Any, str], Any]

_READERS: dict[str, ScopeReader] = {}


def register_scope(name: str, reader: ScopeReader) -> None:
    """Let `reader` answer for the scopes "name:…"."""
    _READERS[name] = reader


def owner_for(user: Any, job: Job) -> Any:
    """Return what the job belongs to, for users who may manage it; Http404 for everybody else."""
    name, _, key = job.scope.partition(":")
    reader = _READERS.get(name)
    if reader is None:
        raise Http404("There is no such job.")
    return reader(user, key)


__all__ = ["ScopeReader", "owner_for", "register_scope"]
