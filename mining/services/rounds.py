"""Verbs for rounds: start, advance, cancel, run a failed stage again, run in this process.

A round's stages run one after another. Each is a job; when a job is over, `advance_round` brings the stage's row up to
date and queues the next one. It is safe to call at any time, by anybody, twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from annotations.models import Item, Project
from hardness_site.jobs.models import Job
from hardness_site.jobs.services import cancel_job, create_job, queue_job, run_job
from hardness_site.jobs.signals import job_finished
from hardness_site.jobs.workers import is_gone, worker_name
from mining.models import Round, RoundStage
from mining.stages import STAGES

from .round_params import Named, RoundRefused, checked_params
from .webhooks import announce_round

__all__ = ["RoundRefused", "advance_round", "cancel_round", "retry_stage", "run_round_here", "start_round"]

STAGE_JOB = "round_stage"
ACTIVE = (Round.Status.QUEUED, Round.Status.RUNNING)


def start_round(
    *,
    project: Project,
    learners: Iterable[Named] = (),
    strategies: Iterable[Named] = (),
    params: Mapping[str, Any] | None = None,
    created_by: User | None = None,
    in_process: bool = False,
    scheduled: bool = False,
) -> Round:
    """Make a round with all its stages and queue the first; raises `RoundRefused`, and then nothing is written.

    `learners` and `strategies` are names, or {"name", "params"}; left out, the defaults. With `in_process` no worker is
    asked: `run_round_here` does the work. `scheduled` notes that nobody started it.
    """
    if not Item.objects.filter(project=project).exists():
        raise RoundRefused(f"{project.slug} has no items yet: import images first.")
    checked = checked_params(project=project, learners=learners, strategies=strategies, params=params or {})
    checked["in_process"] = worker_name() if in_process else ""
    if scheduled:
        checked["scheduled"] = True
    try:
        with transaction.atomic():
            number = (Round.objects.filter(project=project).aggregate(last=Max("number"))["last"] or 0) + 1
            round_ = Round.objects.create(
                project=project,
                number=number,
                params=checked,
                folder=f"rounds/{project.pk}/{number}",
                created_by=created_by,
            )
            RoundStage.objects.bulk_create(
                RoundStage(round=round_, index=index, name=name) for index, name in enumerate(STAGES)
            )
            advance_round(round_.pk)
    except IntegrityError:
        raise RoundRefused(_busy(project)) from None
    return round_


def active_round(project: Project) -> Round | None:
    """Return the project's waiting or running round, if there is one."""
    return Round.objects.filter(project=project, status__in=ACTIVE).first()


def _busy(project: Project) -> str:
    active = active_round(project)
    name = f"Round {active.number}" if active else "A round"
    return f"{name} of {project.slug} is not over yet: wait for it or cancel it, then start the next."


def advance_round(round_id: int) -> None:
    """Bring the stages up to date with their jobs and queue the next stage, or end the round."""
    with transaction.atomic():
        round_ = Round.objects.select_for_update().select_related("project").get(pk=round_id)
        stages = list(round_.stages.select_related("job").order_by("index"))
        for stage in stages:
            _follow_job(stage)
        if round_.status not in ACTIVE:
            return
        current = next((stage for stage in stages if stage.status != Round.Status.SUCCEEDED), None)
        if current is None:
            _end(round_, Round.Status.SUCCEEDED)
        elif current.status in (Round.Status.FAILED, Round.Status.CANCELLED):
            _end(round_, current.status)
        elif current.job is None:
            _give_job(round_, current)


def _follow_job(stage: RoundStage) -> None:
    job = stage.job
    if job is None or not job.is_final or stage.status == job.status:
        return
    stage.status = job.status
    stage.finished_at = job.finished_at
    stage.result = job.result if job.status == Job.Status.SUCCEEDED else {"error": job.error}
    stage.save(update_fields=["status", "finished_at", "result"])


def _give_job(round_: Round, stage: RoundStage) -> None:
    job = create_job(
        kind=STAGE_JOB,
        title=f"Round {round_.number}: {STAGES[stage.name].lower()}",
        scope=round_.project.scope,
        params={"stage_id": stage.pk},
        created_by=round_.created_by,
    )
    stage.job = job
    stage.save(update_fields=["job"])
    # A process that runs the round by itself takes the job as soon as it is there; once that is gone, workers do.
    runner = round_.params.get("in_process")
    if not runner or is_gone(runner):
        queue_job(job)


def _end(round_: Round, status: str) -> None:
    round_.status, round_.finished_at = status, timezone.now()
    round_.save(update_fields=["status", "finished_at"])
    announce_round(round_=round_)


def begin_stage(stage_id: int) -> RoundStage:
    """Mark a stage as running because its job does; raises `RoundRefused` when it is not its turn.

    A round that was over goes on when the job of its failed stage was queued again.
    """
    with transaction.atomic():
        stage = RoundStage.objects.select_related("round__project").get(pk=stage_id)
        round_ = Round.objects.select_for_update().get(pk=stage.round_id)
        if round_.stages.filter(index__lt=stage.index).exclude(status=Round.Status.SUCCEEDED).exists():
            raise RoundRefused("An earlier stage of this round is not done: run that one first.")
        if round_.status != Round.Status.RUNNING:
            if round_.status == Round.Status.SUCCEEDED:
                raise RoundRefused("This round is done; start a new one.")
            try:
                with transaction.atomic():
                    Round.objects.filter(pk=round_.pk).update(status=Round.Status.RUNNING, finished_at=None)
            except IntegrityError:
                raise RoundRefused(_busy(stage.round.project)) from None
        stage.status, stage.started_at, stage.finished_at = Round.Status.RUNNING, timezone.now(), None
        stage.result = {}
        stage.save(update_fields=["status", "started_at", "finished_at", "result"])
    stage.round.refresh_from_db()
    return stage


def cancel_round(round_: Round) -> None:
    """Stop a round: at once while it waits, at its next step while it runs. What it has written stays."""
    advance_round(round_.pk)
    stage = round_.stages.select_related("job").exclude(status=Round.Status.SUCCEEDED).order_by("index").first()
    if stage is None or Round.objects.get(pk=round_.pk).status not in ACTIVE:
        return
    if stage.job is not None:
        if _is_lost(stage.job):
            _stop_lost(stage.job)
        else:
            cancel_job(stage.job)
        advance_round(round_.pk)
    round_.refresh_from_db()


def _is_lost(job: Job) -> bool:
    if job.status != Job.Status.RUNNING:
        return False
    silent = timezone.now() - timedelta(seconds=settings.JOB_LOST_AFTER_SECONDS)
    return is_gone(job.worker) or job.heartbeat_at is None or job.heartbeat_at < silent


def _stop_lost(job: Job) -> None:
    """End a job whose worker is gone: nobody is left to hear that it was cancelled."""
    Job.objects.filter(pk=job.pk, claim=job.claim, status=Job.Status.RUNNING).update(
        status=Job.Status.CANCELLED, finished_at=timezone.now()
    )


def retry_stage(stage: RoundStage, *, in_process: bool = False) -> None:
    """Run a failed or cancelled stage again, and after it those that wait for it; raises `RoundRefused`."""
    advance_round(stage.round_id)
    try:
        with transaction.atomic():
            round_ = Round.objects.select_for_update().get(pk=stage.round_id)
            stage.refresh_from_db()
            if stage.status not in (Round.Status.FAILED, Round.Status.CANCELLED):
                raise RoundRefused(f"Only a stage that failed or was cancelled runs again; this one is {stage.status}.")
            round_.params = {**round_.params, "in_process": worker_name() if in_process else ""}
            round_.status, round_.finished_at = Round.Status.QUEUED, None
            round_.save(update_fields=["params", "status", "finished_at"])
            round_.stages.filter(index__gte=stage.index).update(
                job=None, status=Round.Status.QUEUED, result={}, started_at=None, finished_at=None
            )
            advance_round(round_.pk)
    except IntegrityError:
        raise RoundRefused(_busy(stage.round.project)) from None


def resume_round(*, project: Project, in_process: bool = False) -> Round:
    """Go on with the latest round: one whose process is gone, or one with a failed or cancelled stage."""
    round_ = Round.objects.filter(project=project).order_by("-number").first()
    if round_ is None:
        raise RoundRefused(f"{project.slug} has no round yet.")
    stage = round_.stages.select_related("job").exclude(status=Round.Status.SUCCEEDED).order_by("index").first()
    if stage is None:
        raise RoundRefused(f"Round {round_.number} of {project.slug} is done; start a new one.")
    if round_.status not in ACTIVE:
        retry_stage(stage, in_process=in_process)
    elif stage.job is not None and stage.job.status == Job.Status.RUNNING and not _is_lost(stage.job):
        raise RoundRefused(f"Round {round_.number} of {project.slug} is running: {STAGES[stage.name].lower()}.")
    else:
        round_.params = {**round_.params, "in_process": worker_name() if in_process else ""}
        round_.save(update_fields=["params"])
        if not in_process and stage.job is not None:
            queue_job(stage.job)
    round_.refresh_from_db()
    return round_


def abandon_round(round_: Round) -> None:
    """Cancel a round that ran in this process and was interrupted: no other run of its job can be left."""
    for stage in round_.stages.filter(job__status=Job.Status.RUNNING).select_related("job"):
        if stage.job is not None:
            _stop_lost(stage.job)
    cancel_round(round_)


def run_round_here(round_: Round) -> Iterable[RoundStage]:
    """Run every stage that is left in this process, without broker or worker; yields each before it starts.

    A job that a worker holds is waited for. Stops when the round is over.
    """
    while True:
        advance_round(round_.pk)
        round_.refresh_from_db()
        if round_.status not in ACTIVE:
            return
        stage = round_.stages.select_related("job").exclude(status=Round.Status.SUCCEEDED).order_by("index").first()
        if stage is None or stage.job is None:
            continue
        if _is_lost(stage.job):
            Job.objects.filter(pk=stage.job.pk, claim=stage.job.claim).update(status=Job.Status.QUEUED, claim="")
        yield stage
        if run_job(stage.job.pk) is None:
            time.sleep(0.2)


def follow_finished_job(sender: type[Job], job: Job, **_: Any) -> None:
    """Advance the round whose stage this job was."""
    if job.kind == STAGE_JOB:
        for round_id in RoundStage.objects.filter(job=job).values_list("round_id", flat=True):
            advance_round(round_id)


def advance_all_rounds() -> int:
    """Advance every round that is not over: finds those whose worker died between two stages."""
    active = list(Round.objects.filter(status__in=ACTIVE).values_list("pk", flat=True))
    for round_id in active:
        advance_round(round_id)
    return len(active)


def connect() -> None:
    """Listen for finished jobs."""
    job_finished.connect(follow_finished_job, dispatch_uid="mining.rounds")
