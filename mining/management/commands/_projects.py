"""Find the project that a command names."""

from __future__ import annotations

from django.core.management.base import CommandError

from annotations.models import Project


def project_named(slug: str) -> Project:
    """Return the project, or raise CommandError that lists those there are."""
    project = Project.objects.filter(slug=slug).first()
    if project is None:
        slugs = list(Project.objects.order_by("slug").values_list("slug", flat=True)[:20])
        have = ", ".join(slugs) if slugs else "none yet; make one with create_project"
        raise CommandError(f"There is no project {slug!r}. There are: {have}.")
    return project
