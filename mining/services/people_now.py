"""Keep what people say of every project up to date: one job a project that is queued again when trials have come.

There is one row of each kind and project, so that two runs never work on the same files.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Sum
from django.utils import timezone

from annotations.models import Annotation, Annotator, Item, Project
from hardness_site.jobs.models import Job
from hardness_site.jobs.services import create_job, queue_job
from mining.human_words import known_measure

PEOPLE_JOB, DETAILS_JOB = "people", "people_details"
TITLES = {PEOPLE_JOB: "Hardness by people", DETAILS_JOB: "Annotators and measures"}
REST_SHARE = 0.5
"""After a run its project rests for this share of the time the run took, so that other jobs get their turn."""
FILES_VERSION = 2
"""Of the files that the pages read: those of another version are computed anew, and not read."""
DETAILS_REST = timedelta(minutes=2)
DETAILS_GIVE_WAY = timedelta(minutes=5)
"""So long annotators and measures wait for rounds, imports and the like: who came to see a round sees it first."""
AFTER_FAILURE = timedelta(minutes=5)
CORRECTIONS_SEEN = 5_000
"""Latest annotations among which corrections are looked for; older ones come along with the next answer."""


def trials_seen(projects: Any = None) -> dict[int, dict[str, int]]:
    """Return project id -> how many trials are over, and the latest correction: by this it is told what is new."""
    annotators = Annotator.objects.all() if projects is None else Annotator.objects.filter(project__in=projects)
    rows = annotators.order_by().values_list("project_id").annotate(n=Sum(F("n_answered") + F("n_skipped")))
    seen = {project: {"n": n or 0, "correction": 0} for project, n in rows}
    last = Annotation.objects.aggregate(n=Max("pk"))["n"] or 0
    corrected = (
        Annotation.objects.filter(pk__gt=last - CORRECTIONS_SEEN, supersedes__isnull=False)
        .order_by().values_list("trial__project_id").annotate(n=Max("pk"))
    )  # fmt: skip
    for project, number in corrected:
        if project in seen:
            seen[project]["correction"] = number
    return seen


def queue_due() -> int:
    """Queue the jobs of every project in which trials have come since; return how many. Beat calls it often."""
    seen = {project: state for project, state in trials_seen().items() if state["n"]}
    jobs = {(job.kind, job.scope): job for job in Job.objects.filter(kind__in=TITLES).defer("params")}
    projects = Project.objects.filter(pk__in=seen, archived_at__isnull=True).only(
        "pk", "human_measure", "label_level", "created_at"
    )
    others_work = Job.objects.exclude(kind__in=TITLES).exclude(status__in=Job.FINAL).exists()
    # Boxes that were corrected are no new trials, and call for new objects all the same.
    redrawn = set(Item.objects.filter(unmatched=True).order_by().values_list("project_id", flat=True).distinct())
    due = [
        (project, kind)
        for project in projects
        for kind in TITLES
        if _is_due(
            kind,
            jobs.get((kind, project.scope)),
            seen[project.pk],
            settings_of(project),
            redrawn=project.pk in redrawn,
        )
        and (kind == PEOPLE_JOB or _details_may_run(project, jobs, others_work=others_work))
    ]
    return sum(refresh_people(project=project, kind=kind) is not None for project, kind in due)


def settings_of(project: Project) -> dict[str, str]:
    """Return the project's settings on which the figures of the Hardness page depend."""
    return {"measure": known_measure(project.human_measure), "level": project.label_level}


def _is_due(
    kind: str, job: Job | None, seen: dict[str, int], settings: dict[str, str], *, redrawn: bool = False
) -> bool:
    if job is None:
        return True
    if not job.is_final or job.finished_at is None:
        return False
    since = timezone.now() - job.finished_at
    if job.status != Job.Status.SUCCEEDED:
        return since > AFTER_FAILURE
    before = job.result.get("seen", {})
    if job.result.get("version") != FILES_VERSION:
        return True
    if kind == PEOPLE_JOB and job.result.get("settings") != settings:
        return True
    if not redrawn and before.get("n") == seen["n"] and before.get("correction", 0) >= seen["correction"]:
        return False
    took = job.finished_at - job.started_at if job.started_at else timedelta()
    return since >= max(took * REST_SHARE, DETAILS_REST if kind == DETAILS_JOB else timedelta())


def _details_may_run(project: Project, jobs: dict[tuple[str, str], Job], *, others_work: bool) -> bool:
    """Details are made from the trials that the other job has read, and give way to what people wait for."""
    read = jobs.get((PEOPLE_JOB, project.scope))
    if read is None or not read.result.get("seen"):
        return False
    last = jobs.get((DETAILS_JOB, project.scope))
    since = project.created_at if last is None or last.finished_at is None else last.finished_at
    return not others_work or timezone.now() - since > DETAILS_GIVE_WAY


def refresh_people(*, project: Project, kind: str = PEOPLE_JOB) -> Job | None:
    """Queue the project's job of that kind; None where it waits or runs already."""
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        job = Job.objects.filter(kind=kind, scope=project.scope).first()
        if job is None:
            job = create_job(kind=kind, title=TITLES[kind], scope=project.scope, params={"project_id": project.pk})
        elif not Job.objects.filter(pk=job.pk, status__in=Job.FINAL).update(
            status=Job.Status.QUEUED, attempts=0, error="", cancel_requested=False, progress_done=0, stage="",
            created_at=timezone.now(),
        ):  # fmt: skip
            return None
        queue_job(job)
    return job
