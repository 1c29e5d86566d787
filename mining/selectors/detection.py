"""Reads of what mining did to detectors."""

from __future__ import annotations

from typing import Any

from annotations.models import LabelClass, Project
from hardness_site.jobs.models import Job
from mining.artifacts import ArtifactMissing, project_folder
from mining.services.detection import DETECTION_JOB


def detection_of(project: Project, code: int) -> dict[str, Any] | None:
    """Return the result for a class, or None while there is none."""
    try:
        return dict(project_folder("detection", project.pk).read_json(f"{code}.json"))
    except ArtifactMissing:
        return None


def detections_of(project: Project) -> list[tuple[LabelClass, dict[str, Any]]]:
    """Return every class with a result, in the order of the classes."""
    names = set(project_folder("detection", project.pk).names())
    found = [
        (label, detection_of(project, label.code))
        for label in project.classes.order_by("code")
        if f"{label.code}.json" in names
    ]
    return [(label, result) for label, result in found if result is not None]


def latest_detection_job(project: Project) -> Job | None:
    return Job.objects.filter(kind=DETECTION_JOB, scope=project.scope).order_by("-pk").first()
