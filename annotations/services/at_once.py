"""The usual answer, written at once: no statement that the others need not, and nothing worked out behind a lock.

Usual is an answer to an item that the annotator holds, after which the next of the items drawn for them can be had.
All that it depends on was read before. The annotator's `version` says whether that still holds; where it does not, or
where anything else is unusual, nothing is written here and `answers.submit_once` looks again, behind the lock.

Both databases get all of it as one statement. SQLite has one writer, whose turn then lasts no longer than its own work:
with a statement at a time, Python's other threads come in between, and everybody waits for them. PostgreSQL and we are
spared the ways between.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection
from django.utils import timezone

from annotations.models import Annotator, Trial
from annotations.queue.taking import NewTrial

from . import at_once_postgresql, at_once_sqlite
from .leases import OUTSTANDING_AT_MOST, Lease
from .statements import ANNOTATOR_STATE


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualAnswer:
    """What is to be written. `wanted`: the next trials, all of items drawn for the annotator."""

    trial: Trial
    label_id: int
    columns: dict[str, Any]
    client_key: str
    events: Sequence[Any]
    holding: list[int]
    wanted: list[NewTrial]
    annotator: dict[str, Any]
    """The annotator's state afterwards."""
    now: datetime.datetime
    lease_until: datetime.datetime


def usual_answer(
    trial: Trial, *, label_id: int, columns: dict[str, Any], client_key: str, events: Sequence[Any],
    holding: Sequence[int], want: int, same_tab: bool,
) -> UsualAnswer | None:  # fmt: skip
    """Work out what is to be written, by what was read with the trial; None where the answer is not a usual one."""
    annotator, project = trial.annotator, trial.project
    if trial.state != Trial.State.ISSUED or trial.purpose or not same_tab:
        return None
    if want > 0:
        beside = project.n_training or project.repeat_share or (project.gold_share and project.n_gold)
        if beside or len(annotator.drawn) < want or len(holding) + want > OUTSTANDING_AT_MOST:
            return None
    now = timezone.now()
    state = {name: getattr(annotator, name) for name in ANNOTATOR_STATE}
    state["n_answered"] += 1
    wanted = _next_of_drawn(state, want)
    return UsualAnswer(
        trial=trial, label_id=label_id, columns=columns, client_key=client_key, events=events, wanted=wanted,
        holding=list(holding), annotator=state, now=now,
        lease_until=now + datetime.timedelta(seconds=project.lease_seconds),
    )  # fmt: skip


def _next_of_drawn(state: dict[str, Any], want: int) -> list[NewTrial]:
    """Take the last of what is drawn out of the annotator's state, as trials whose look is not yet known."""
    drawn: list[int] = state["drawn"]
    wanted = []
    for item_id in drawn[: -want - 1 : -1] if want > 0 else ():
        chance = 1 / state["drawn_from"] if state["drawn_from"] else None
        state["drawn_from"] = max(1, state["drawn_from"] - 1) if state["drawn_from"] else 0
        state["last_position"] += 1
        wanted.append(NewTrial(item_id, 0, state["last_position"], chance, state["drawn_by"]))
    state["drawn"] = drawn[: len(drawn) - len(wanted)]
    return wanted


def write_at_once(answer: UsualAnswer) -> tuple[Annotator, list[Lease]] | None:
    """Write it in one transaction; return the annotator and what was handed out, or None and nothing was written."""
    write = at_once_sqlite.write if connection.vendor == "sqlite" else at_once_postgresql.write
    try:
        leases = write(answer)
    except IntegrityError:
        return None
    if leases is None:
        return None
    annotator = answer.trial.annotator
    for name, value in answer.annotator.items():
        setattr(annotator, name, value)
    annotator.version += 1
    annotator.project = answer.trial.project
    return annotator, leases
