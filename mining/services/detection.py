"""Start the mining of a detector's hard negatives."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from annotations.models import LabelClass, Project
from hardness_site.jobs.models import Job
from hardness_site.jobs.services import create_job, queue_job

DETECTION_JOB = "mine_detector"
MOST_ROUNDS = 5


class DetectionRefused(Exception):
    """The detector cannot be mined; the message says why and what to do."""


def start_detection(
    *, project: Project, label: LabelClass, photographs: bool = False, rounds: int = 2, created_by: User | None = None
) -> Job:
    """Queue the mining of one class's detector; a project has one such job at a time."""
    if label.project_id != project.pk:
        raise DetectionRefused(f"{label.name} is no class of {project.slug}.")
    if not 1 <= rounds <= MOST_ROUNDS:
        raise DetectionRefused(f"Mine 1 to {MOST_ROUNDS} rounds, not {rounds}.")
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        if Job.objects.filter(kind=DETECTION_JOB, scope=project.scope).exclude(status__in=Job.FINAL).exists():
            raise DetectionRefused("A detector is being mined already: wait for it or cancel it.")
        job = create_job(
            kind=DETECTION_JOB,
            title=f"Hard negatives of {label.name}",
            scope=project.scope,
            params={"project_id": project.pk, "class_id": label.pk, "photographs": photographs, "rounds": rounds},
            created_by=created_by,
        )
        queue_job(job)
    return job
