"""What the scopes of jobs stand for. Jobs know nothing of projects; the site, which knows both, ties them together."""

from __future__ import annotations

from typing import Any

from django.http import Http404

from annotations.models import Project
from annotations.selectors.access import is_manager, projects_of


def managed_project_by_id(user: Any, key: str) -> Project:
    """Return the project with that id for its managers; Http404 for everybody else."""
    project = projects_of(user).filter(pk=int(key)).first() if key.isdecimal() else None
    if project is None or not is_manager(user, project):
        raise Http404("There is no such job.")
    return project
