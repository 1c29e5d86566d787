"""The two statements that hand items out, each for several items at once.

They are written in SQL because their results matter: which of the wanted items were really to be had, and which trial
was made or taken up again. SQLite and PostgreSQL understand the same words.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from annotations.sql import fetch, stored

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Taken:
    """An item that was taken: one judgment fewer is to be had."""

    item_id: int
    look: int
    box: Box | None


def take_items(item_ids: Sequence[int]) -> dict[int, Taken]:
    """Take each of the items once, unless it is taken as often as needed; return those that were to be had.

    On PostgreSQL an item that another transaction is just changing is passed over: waiting for it while holding
    others could end in a deadlock, and there are other items.
    """
    if not item_ids:
        return {}
    marks = ", ".join(["%s"] * len(item_ids))
    chosen = f"SELECT id FROM annotations_item WHERE id IN ({marks}) AND taken < needed"
    if connection.features.has_select_for_update_skip_locked:
        chosen += " FOR UPDATE SKIP LOCKED"
    rows = fetch(
        f"UPDATE annotations_item SET taken = taken + 1 WHERE id IN ({chosen}) AND taken < needed "
        "RETURNING id, look, box_x, box_y, box_width, box_height",
        list(item_ids),
    )
    return {
        row[0]: Taken(item_id=row[0], look=row[1], box=None if row[4] is None else (row[2], row[3], row[4], row[5]))
        for row in rows
    }


@dataclass(frozen=True, slots=True)
class NewTrial:
    """What is particular to one of several trials written together."""

    item_id: int
    look: int
    position: int
    chance: float | None
    chosen_by: str
    purpose: str = ""


def write_trials(
    trials: Sequence[NewTrial],
    *,
    project_id: int,
    annotator_id: int,
    session_id: int | None,
    now: datetime.datetime,
    lease_until: datetime.datetime,
) -> dict[int, tuple[int, int]]:
    """Write trials handed out now; one that was given back is taken up again. Return {item: (trial, times issued)}.

    An item of which the annotator has a trial that was not given back is left out of the result.
    """
    if not trials:
        return {}
    row = "(%s, %s, %s, %s, %s, 'browser', 'issued', %s, %s, '', %s, %s, %s, 1, %s, '', 0, %s, '', '')"
    values: list[Any] = []
    for trial in trials:
        values += [
            project_id, trial.item_id, annotator_id, trial.look, trial.purpose, trial.position, session_id,
            trial.chosen_by, trial.chance, stored(now), stored(lease_until), "[]",
        ]  # fmt: skip
    rows = fetch(
        "INSERT INTO annotations_trial (project_id, item_id, annotator_id, look, purpose, source, state, position, "
        "session_id, session_name, chosen_by, chance, issued_at, times_issued, lease_until, null_reason, "
        f"timing_version, flags, skip_reason, comment) VALUES {', '.join([row] * len(trials))} "
        "ON CONFLICT (item_id, annotator_id, look, purpose) DO UPDATE SET state = 'issued', "
        "position = excluded.position, session_id = excluded.session_id, chosen_by = excluded.chosen_by, "
        "chance = excluded.chance, issued_at = excluded.issued_at, lease_until = excluded.lease_until, "
        "times_issued = annotations_trial.times_issued + 1 WHERE annotations_trial.state = 'abandoned' "
        "RETURNING id, item_id, times_issued",
        values,
    )
    return {item_id: (trial_id, times_issued) for trial_id, item_id, times_issued in rows}
