"""Rounds that start by themselves: after so many new annotations, or after so many hours."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from annotations.models import Project
from mining.models import Round, RoundSchedule
from mining.selectors.schedules import due_reason

from .rounds import RoundRefused, active_round, start_round
from .scheduled_settings import scheduled_settings

logger = logging.getLogger(__name__)

REST_AFTER_REFUSAL = timedelta(minutes=10)


def set_schedule(
    *,
    project: Project,
    every_annotations: int | None,
    every_hours: int | None,
    settings_from: str = RoundSchedule.SettingsFrom.LATEST,
    like_round: Round | None = None,
) -> RoundSchedule | None:
    """Set when rounds start by themselves, and with which settings; with neither number they do not, and None is
    returned.

    `like_round` is the round whose settings are taken where `settings_from` is `round`. Raises `ValidationError` for a
    number out of range or a round of another project, and then nothing is changed.
    """
    if every_annotations is None and every_hours is None:
        RoundSchedule.objects.filter(project=project).delete()
        return None
    if settings_from == RoundSchedule.SettingsFrom.ROUND:
        if like_round is None or like_round.project_id != project.pk:
            raise ValidationError({"settings_from": "Choose a round of this project."})
    else:
        like_round = None
    wanted: dict[str, Any] = {
        "every_annotations": every_annotations,
        "every_hours": every_hours,
        "settings_from": settings_from,
        "like_round": like_round,
    }
    RoundSchedule(project=project, **wanted).full_clean(exclude=["project", "like_round"])
    changes = {**wanted, "last_message": "", "tried_at": None}
    schedule, _ = RoundSchedule.objects.update_or_create(project=project, defaults=changes)
    return schedule


def start_due_rounds() -> int:
    """Start the rounds that are due; return how many. Beat calls it every minute, and it may run twice at once.

    Nothing is counted here that a killed process could leave wrong: what is due follows from the rounds and annotations
    there are, and the constraint of one active round a project turns away whoever comes second.
    """
    now = timezone.now()
    schedules = RoundSchedule.objects.filter(
        Q(tried_at__isnull=True) | Q(tried_at__lt=now - REST_AFTER_REFUSAL), project__archived_at__isnull=True
    ).select_related("project", "like_round")
    started = 0
    for schedule in schedules:
        try:
            started += _start_if_due(schedule)
        except Exception:
            # One project must not keep the rounds of all others from starting.
            logger.exception("The scheduled round of %s could not be started", schedule.project.slug)
    return started


def _start_if_due(schedule: RoundSchedule) -> bool:
    if active_round(schedule.project) is not None:
        return False
    reason = due_reason(schedule, timezone.now())
    if not reason:
        return False
    try:
        asked = scheduled_settings(schedule)
        round_ = start_round(
            project=schedule.project, learners=asked.learners, strategies=asked.strategies, params=asked.params,
            scheduled=True,
        )  # fmt: skip
    except RoundRefused as refused:
        if active_round(schedule.project) is None:  # else somebody was quicker, and all is well
            message = f"A round was due ({reason}) but could not start: {refused}"
            RoundSchedule.objects.filter(pk=schedule.pk).update(last_message=message[:300], tried_at=timezone.now())
        return False
    RoundSchedule.objects.filter(pk=schedule.pk).update(last_message="", tried_at=None)
    logger.info("Round %s of %s started by itself: %s", round_.number, schedule.project.slug, reason)
    return True
