"""Reads of when a project's rounds start by themselves."""

from __future__ import annotations

from datetime import datetime, timedelta

from annotations.models import Annotation, Project
from mining.models import Round, RoundSchedule


def schedule_of(project: Project) -> RoundSchedule | None:
    return RoundSchedule.objects.filter(project=project).select_related("project", "like_round").first()


def new_annotations(project: Project, since: datetime | None, *, at_most: int) -> int:
    """Return how many first answers came after `since`, counted no further than `at_most`."""
    answers = Annotation.objects.filter(trial__project=project, supersedes__isnull=True)
    if since is not None:
        answers = answers.filter(created_at__gt=since)
    return answers.order_by()[:at_most].count()


def due_reason(schedule: RoundSchedule, now: datetime) -> str:
    """Return why a round of the project is due, in words; empty where none is."""
    latest = Round.objects.filter(project=schedule.project_id).order_by("-number").first()
    since = latest.created_at if latest else None
    if schedule.every_annotations is not None:
        wanted = schedule.every_annotations
        if new_annotations(schedule.project, since, at_most=wanted) >= wanted:
            return f"{wanted:,} new annotation{'' if wanted == 1 else 's'}"
    if schedule.every_hours is not None:
        # Where there was no round yet, the time counts from when the schedule was set.
        begun = since or schedule.updated_at
        if now - begun >= timedelta(hours=schedule.every_hours) and new_annotations(schedule.project, since, at_most=1):
            return f"{schedule.every_hours} h since the last round"
    return ""


def schedule_in_words(schedule: RoundSchedule | None) -> str:
    """Return one sentence on when rounds start by themselves."""
    parts = []
    if schedule is not None and schedule.every_annotations is not None:
        count = schedule.every_annotations
        parts.append("after every new annotation" if count == 1 else f"after {count:,} new annotations")
    if schedule is not None and schedule.every_hours is not None:
        parts.append("every hour" if schedule.every_hours == 1 else f"every {schedule.every_hours:,} hours")
    return f"Rounds start by themselves {' or '.join(parts)}." if parts else "Rounds start when you start them."
