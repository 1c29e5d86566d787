"""With which settings a round starts that starts by itself: the usual ones, or those of an earlier round."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mining.models import Round, RoundSchedule
from mining.selectors import choices

from .round_params import DEFAULTS

OF_ONE_ROUND = ("include_hard_sets", "human_measure")
"""Settings that are not handed on: earlier hard sets were chosen once, and the measure of people is the project's."""


@dataclass(frozen=True)
class ScheduledSettings:
    """What `start_round` takes; nothing in them means the usual settings."""

    like: Round | None = None
    """The round whose settings they are."""
    learners: list[dict[str, Any]] = field(default_factory=list)
    strategies: list[dict[str, Any]] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)


def scheduled_settings(schedule: RoundSchedule) -> ScheduledSettings:
    """Return the settings that a round of the schedule would have if it started now.

    Imported predictions are as they stand: those that came after that round are learners too, for an outside trainer
    sends them between rounds; those that were removed are left out.
    """
    like = _like(schedule)
    if like is None:
        return ScheduledSettings()
    return ScheduledSettings(
        like=like,
        learners=_learners(like),
        strategies=[{"name": entry["name"], "params": entry["params"]} for entry in like.params["strategies"]],
        params={name: like.params[name] for name in DEFAULTS if name in like.params and name not in OF_ONE_ROUND},
    )


def latest_by_hand(project_id: int) -> Round | None:
    """Return the latest round that ended well and that did not start by itself."""
    done = Round.objects.filter(project=project_id, status=Round.Status.SUCCEEDED)
    return done.exclude(params__has_key="scheduled").order_by("-number").first()


def _like(schedule: RoundSchedule) -> Round | None:
    if schedule.settings_from == RoundSchedule.SettingsFrom.ROUND:
        return schedule.like_round
    if schedule.settings_from == RoundSchedule.SettingsFrom.LATEST:
        return latest_by_hand(schedule.project_id)
    return None


def _learners(like: Round) -> list[dict[str, Any]]:
    imported = {entry["learner"]: entry for entry in choices.imported_predictions(like.project)}
    entries = [
        {"name": entry["name"], "params": entry["params"]}
        for entry in like.params["learners"]
        if not entry["name"].startswith(choices.FILE_PREFIX) or entry["name"] in imported
    ]
    known = {entry["name"] for entry in entries}
    since = like.created_at.isoformat(timespec="seconds")
    new = [name for name, entry in imported.items() if name not in known and entry["imported_at"] > since]
    return entries + [{"name": name, "params": {}} for name in new]
