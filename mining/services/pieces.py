"""A stage's work cut into pieces: one job and one Celery task a piece, done by whichever worker is free.

The stage's own job does pieces too, from the other end of the line, so that nobody sits and waits while there is work,
and a round in one process needs no worker at all. A piece writes its part in one step and may be done twice; when its
worker was killed it is done again by another.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Count, Max, QuerySet

from hardness_site.jobs.models import Job
from hardness_site.jobs.recovery import take_back_lost
from hardness_site.jobs.running import JobFailed, JobLost
from hardness_site.jobs.services import cancel_job, create_jobs, queue_job, run_job

if TYPE_CHECKING:
    from mining.stages.context import StageRun

PIECE_JOB = "round_piece"
LOOK_AGAIN_SECONDS, LOOK_AGAIN_AT_MOST, LONGER_EACH_TIME = 0.01, 0.2, 1.25
LOST_EVERY_SECONDS = 2.0


@dataclass(frozen=True)
class Piece:
    """One piece: `key` says what it is the work of, `params` are given to the stage's `do_piece`."""

    key: str
    title: str
    params: dict[str, Any]
    cost: float = 1.0
    """About how long it takes beside the others: the long ones are begun first."""


def do_pieces(stage: StageRun, pieces: Sequence[Piece], *, doing: str) -> list[dict[str, Any]]:
    """See to it that every piece is done, here or by other workers; return their results in the order of `pieces`.

    Raises JobFailed when one fails, JobCancelled when the stage is cancelled; then the others are stopped. When only
    this run of the stage is lost they go on, and the next run takes up what they have done.
    """
    stage_id = stage.run.job.params["stage_id"]
    scope = f"stage:{stage_id}"
    rows = Job.objects.filter(scope=scope, kind=PIECE_JOB)
    if not pieces:
        rows.delete()  # of a run that was killed when all of them were done
        return []
    stage.run.progress(0, len(pieces), stage=doing)
    _open(rows, stage, pieces, scope, stage_id)
    try:
        _work_off(rows, stage, len(pieces), doing)
    except JobLost:
        raise
    except BaseException:
        stop_pieces(stage_id)
        raise
    results = {job.params["key"]: job.result for job in rows}
    rows.delete()
    return [results[piece.key] for piece in pieces]


def stop_pieces(stage_id: int) -> None:
    """Cancel the pieces of a stage that are not done: at once where they wait, at their next step where they run."""
    for job in Job.objects.filter(scope=f"stage:{stage_id}", kind=PIECE_JOB).exclude(status__in=Job.FINAL):
        cancel_job(job)


def _open(rows: QuerySet[Job], stage: StageRun, pieces: Sequence[Piece], scope: str, stage_id: int) -> None:
    """Make a row for every piece; those that wait or run since an earlier run of the stage are left as they are."""
    with transaction.atomic():
        wanted = {piece.key for piece in pieces}
        under_way = rows.filter(status__in=[Job.Status.QUEUED, Job.Status.RUNNING], cancel_requested=False)
        kept = {job.params["key"]: job.pk for job in under_way if job.params.get("key") in wanted}
        rows.exclude(pk__in=kept.values()).delete()
        made = create_jobs(
            kind=PIECE_JOB,
            scope=scope,
            titled_params=[
                (piece.title, {"stage_id": stage_id, "key": piece.key, "work": piece.params})
                for piece in long_ones_outside(pieces)
                if piece.key not in kept
            ],
            created_by=stage.round.created_by,
        )
        if not _is_alone(stage) and len(pieces) > 1:
            # The last is this process's own: it begins there while the others begin at the front.
            for job in made[:-1]:
                queue_job(job)


def long_ones_outside(pieces: Sequence[Piece]) -> list[Piece]:
    """Order pieces so that both ends of the line begin with the longest: it is worked off from both, and a long one
    that was left for the end would be one that all others wait for."""
    if len({piece.cost for piece in pieces}) == 1:
        return list(pieces)
    ordered = sorted(pieces, key=lambda piece: -piece.cost)
    return [*ordered[::2], *reversed(ordered[1::2])]


def _is_alone(stage: StageRun) -> bool:
    return bool(stage.round.params.get("in_process"))


def _work_off(rows: QuerySet[Job], stage: StageRun, total: int, doing: str) -> None:
    looked = time.monotonic()
    pause = LOOK_AGAIN_SECONDS
    while True:
        # One question for each piece, and not three: they are what a stage of short pieces waits for.
        counted = rows.order_by().values_list("status").annotate(Count("pk"), Max("pk"))
        found = {status: (count, last) for status, count, last in counted}
        if found.keys() & {Job.Status.FAILED, Job.Status.CANCELLED}:
            stage.run.check()  # a cancelled stage has cancelled pieces
            failed = rows.filter(status__in=[Job.Status.FAILED, Job.Status.CANCELLED]).earliest("pk")
            raise JobFailed(f"{failed.title}: {failed.error or 'it was cancelled. Run the stage again.'}")
        done = found.get(Job.Status.SUCCEEDED, (0, 0))[0]
        stage.run.progress(done, total, stage=doing)
        if done >= total:
            return
        if Job.Status.QUEUED in found:
            run_job(found[Job.Status.QUEUED][1])
            pause = LOOK_AGAIN_SECONDS
            continue
        # The rest is in the hands of others, each of whom has one piece: this wait is never longer than a piece.
        stage.run.check()
        if time.monotonic() - looked > LOST_EVERY_SECONDS:
            looked = time.monotonic()
            take_back_lost(rows, send=False)
        time.sleep(pause)
        pause = min(LONGER_EACH_TIME * pause, LOOK_AGAIN_AT_MOST)  # a quarter of the wait is lost, not half


__all__ = ["PIECE_JOB", "Piece", "do_pieces", "long_ones_outside", "stop_pieces"]
