"""Who may see what. A project the user is no member of does not exist for them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404

from annotations.models import Membership, Project


def projects_of(user: Any) -> QuerySet[Project]:
    """Return the projects that exist for this user, archived ones left out. Staff see all."""
    projects = Project.objects.filter(archived_at__isnull=True)
    return projects if user.is_staff else projects.filter(memberships__user=user)


def is_manager(user: Any, project: Project) -> bool:
    """Whether the user may do everything in the project."""
    if user.is_staff:
        return True
    return Membership.objects.filter(project=project, user=user, role=Membership.Role.MANAGER).exists()


def project_for(user: Any, slug: str) -> Project:
    """Return the project for any member; Http404 for everybody else."""
    project = projects_of(user).filter(slug=slug).first()
    if project is None:
        raise Http404("There is no such project.")
    return project


def managed_project(user: Any, slug: str) -> Project:
    """Return the project for its managers; Http404 for everybody else, so that nothing is given away."""
    project = project_for(user, slug)
    if not is_manager(user, project):
        raise Http404("There is no such project.")
    return project
