"""The handlers of a round's stages, and of what people say as of now."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from annotations.models import LabelClass, Project
from hardness_site.jobs.registry import job_handler
from hardness_site.jobs.running import JobFailed, JobRun
from mining.artifacts import plain
from mining.services.detection import DETECTION_JOB
from mining.services.people_now import DETAILS_JOB, PEOPLE_JOB
from mining.services.rounds import STAGE_JOB, RoundRefused, begin_stage


@job_handler(STAGE_JOB)
def run_stage(run: JobRun, *, stage_id: int) -> dict[str, Any]:
    """Run one stage of a round. Safe to run again: a stage replaces its own files and rows only."""
    from threadpoolctl import threadpool_limits

    from mining.artifacts import ArtifactMissing
    from mining.stages.context import StageRun

    try:
        stage = begin_stage(stage_id)
    except RoundRefused as reason:
        raise JobFailed(str(reason)) from None
    module = import_module(f"mining.stages.{stage.name}")
    # One thread of arithmetic a process: several workers on one machine would only get into each other's way.
    with threadpool_limits(limits=1):
        try:
            result = module.run(StageRun(run, stage.round))
        except (ArtifactMissing, OSError) as reason:
            raise JobFailed(f"{reason}") from reason
    return dict(plain(result))


@job_handler(PEOPLE_JOB)
def refresh_people_job(run: JobRun, *, project_id: int) -> dict[str, Any]:
    """Bring a project's Hardness page up to date."""
    return _of_people("refresh_hardness", run, project_id)


@job_handler(DETAILS_JOB)
def refresh_people_details_job(run: JobRun, *, project_id: int) -> dict[str, Any]:
    """Bring a project's pages of annotators and measures up to date."""
    return _of_people("refresh_details", run, project_id)


@job_handler(DETECTION_JOB)
def mine_detector_job(
    run: JobRun, *, project_id: int, class_id: int, photographs: bool = False, rounds: int = 2
) -> dict[str, Any]:
    """Mine the hard negatives of one class's detector. Safe to run again: it writes the same file."""
    from threadpoolctl import threadpool_limits

    label = LabelClass.objects.filter(pk=class_id, project=project_id).select_related("project").first()
    if label is None:
        raise JobFailed("The class is no longer there.")
    module = import_module("mining.detector_mining")
    with threadpool_limits(limits=1):
        try:
            result = module.mine_detector(run, label.project, label, photographs=photographs, rounds=rounds)
        except OSError as reason:
            raise JobFailed(f"An image cannot be read: {reason}") from reason
    return dict(plain(result))


def _of_people(verb: str, run: JobRun, project_id: int) -> dict[str, Any]:
    project = Project.objects.filter(pk=project_id).first()
    if project is None:
        raise JobFailed("The project is no longer there.")
    module = import_module("mining.people_now.run")
    return dict(plain(getattr(module, verb)(run, project)))
