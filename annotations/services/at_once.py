"""The usual answer, written at once: no statement that the others need not, and nothing worked out behind a lock.

Usual is an answer to an item that the annotator holds, after which the next of the items drawn for them can be had.
All that it depends on was read before. The annotator's `version` says whether that still holds; where it does not, or
where anything else is unusual, nothing is written here and `answers.submit_once` looks again, behind the lock.

SQLite has one writer: the fewer statements, the sooner the next one's turn. PostgreSQL gets all of them as one, which
spares it and us the ways between.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from annotations.models import Annotator, Trial
from annotations.queue.taking import NewTrial, Taken, take_items, write_trials
from annotations.sql import fetch_prepared

from .leases import OUTSTANDING_AT_MOST, Lease, box_of
from .statements import (
    ANNOTATOR_STATE,
    TRIAL_COLUMNS,
    add_annotation,
    add_events,
    close_trial,
    count_item,
    save_annotator,
)


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


class _Unusual(Exception):
    """Something is not as it was when it was read: roll back."""


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
    try:
        leases = _one_by_one(answer) if connection.vendor == "sqlite" else _as_one(answer)
    except (_Unusual, IntegrityError):
        return None
    annotator = answer.trial.annotator
    for name, value in answer.annotator.items():
        setattr(annotator, name, value)
    annotator.version += 1
    annotator.project = answer.trial.project
    return annotator, leases


def _one_by_one(answer: UsualAnswer) -> list[Lease]:
    trial, annotator = answer.trial, answer.trial.annotator
    with transaction.atomic():
        only_holding = [trial.pk, *answer.holding] if answer.wanted else None
        _expect(
            save_annotator(annotator.pk, answer.annotator, version=annotator.version, only_holding=only_holding)
            and close_trial(trial.pk, from_state=Trial.State.ISSUED, columns=answer.columns)
        )
        leases = _lease(answer) if answer.wanted else []
        count_item(trial.item_id, answered=1)
        received_at = answer.columns["received_at"]
        add_annotation(trial_id=trial.pk, label_id=answer.label_id, client_key=answer.client_key, now=received_at)
        add_events(trial_id=trial.pk, events=answer.events, client_key=answer.client_key, now=received_at)
    return leases


def _lease(answer: UsualAnswer) -> list[Lease]:
    trial = answer.trial
    taken = take_items([new.item_id for new in answer.wanted])
    _expect(len(taken) == len(answer.wanted))
    written = write_trials(
        [_with_look(new, taken[new.item_id]) for new in answer.wanted], project_id=trial.project_id,
        annotator_id=trial.annotator_id, session_id=trial.session_id, now=answer.now, lease_until=answer.lease_until,
    )  # fmt: skip
    _expect(len(written) == len(answer.wanted))
    return [
        Lease(pk, new.position, new.item_id, taken[new.item_id].look, taken[new.item_id].box, times_issued > 1)
        for new in answer.wanted
        for pk, times_issued in [written[new.item_id]]
    ]


def _with_look(new: NewTrial, taken: Taken) -> NewTrial:
    return NewTrial(new.item_id, taken.look, new.position, new.chance, new.chosen_by)


def _expect(holds: bool) -> None:
    if not holds:
        raise _Unusual


_TYPES = {
    "received_at": "timestamptz", "lease_until": "timestamptz", "timing_version": "int", "exposure_frames": "int",
    "flags": "jsonb",
} | dict.fromkeys([name for name in TRIAL_COLUMNS if name.endswith("_ms")], "float8")  # fmt: skip
_STATE_TYPES = {"drawn": "jsonb", "drawn_by": "text"}

# Each lock waits for the one before it, in the order in which everybody takes them: annotator, trial, the item that was
# answered, and the next ones, of which none is waited for. Only when all are had as they should be is anything written.
_AS_ONE = f"""
WITH x AS (SELECT * FROM jsonb_to_record(%s) AS x (
    trial bigint, version int, holding bigint[], item bigint, label bigint, client_key text, events jsonb,
    project bigint, annotator bigint, session bigint, chosen_by text, now timestamptz, until timestamptz,
    wanted bigint[], positions int[], chances float8[],
    {", ".join(f"t_{name} {_TYPES.get(name, 'text')}" for name in TRIAL_COLUMNS)},
    {", ".join(f"a_{name} {_STATE_TYPES.get(name, 'bigint')}" for name in ANNOTATOR_STATE)}
)), own AS (
    SELECT a.id FROM annotations_annotator a WHERE a.id = (SELECT annotator FROM x)
    AND a.version = (SELECT version FROM x) FOR UPDATE
), issued AS (
    SELECT t.id FROM annotations_trial t WHERE t.id = (SELECT trial FROM x) AND t.state = 'issued'
    AND EXISTS (SELECT 1 FROM own) FOR UPDATE
), answered AS (
    SELECT i.id FROM annotations_item i WHERE i.id = (SELECT item FROM x) AND EXISTS (SELECT 1 FROM issued) FOR UPDATE
), open AS (
    SELECT i.id FROM annotations_item i WHERE i.id = ANY ((SELECT wanted FROM x)::bigint[]) AND i.taken < i.needed
    AND EXISTS (SELECT 1 FROM answered) FOR UPDATE SKIP LOCKED
), ready AS (
    SELECT x.* FROM x WHERE EXISTS (SELECT 1 FROM answered) AND (SELECT count(*) FROM open) = cardinality(x.wanted)
    AND NOT EXISTS (SELECT 1 FROM annotations_trial o WHERE cardinality(x.wanted) > 0 AND o.annotator_id = x.annotator
        AND o.state = 'issued' AND o.id <> x.trial AND o.id <> ALL (x.holding))
), closed AS (
    UPDATE annotations_trial t SET {", ".join(f"{name} = t_{name}" for name in TRIAL_COLUMNS)}
    FROM ready WHERE t.id = ready.trial RETURNING t.id
), saved AS (
    UPDATE annotations_annotator a SET version = a.version + 1,
    {", ".join(f"{name} = a_{name}" for name in ANNOTATOR_STATE)} FROM ready WHERE a.id = ready.annotator
), annotation AS (
    INSERT INTO annotations_annotation (trial_id, label_id, client_key, is_current, created_at)
    SELECT trial, label, client_key, TRUE, t_received_at FROM ready
), batch AS (
    INSERT INTO annotations_eventbatch (trial_id, events, client_key, is_correction, received_at)
    SELECT trial, events, client_key, FALSE, t_received_at FROM ready
), counted AS (
    UPDATE annotations_item i SET answered = i.answered + 1 FROM ready WHERE i.id = ready.item
), taken AS (
    UPDATE annotations_item i SET taken = i.taken + 1 FROM ready WHERE i.id IN (SELECT id FROM open)
    RETURNING i.id, i.look, i.box_x, i.box_y, i.box_width, i.box_height
), made AS (
    INSERT INTO annotations_trial (project_id, item_id, annotator_id, look, purpose, source, state, position,
    session_id, session_name, chosen_by, chance, issued_at, times_issued, lease_until, null_reason, timing_version,
    flags, skip_reason, comment)
    SELECT x.project, taken.id, x.annotator, taken.look, '', 'browser', 'issued', n.position, x.session, '',
    x.chosen_by, n.chance, x.now, 1, x.until, '', 0, '[]', '', ''
    FROM ready x, unnest(x.wanted, x.positions, x.chances) AS n (item, position, chance), taken WHERE taken.id = n.item
    RETURNING id, item_id, position
)
SELECT made.id, made.position, taken.* FROM closed LEFT JOIN (made JOIN taken ON taken.id = made.item_id) ON TRUE
ORDER BY made.position
"""


def _as_one(answer: UsualAnswer) -> list[Lease]:
    trial = answer.trial
    values: dict[str, Any] = {
        "trial": trial.pk, "version": trial.annotator.version, "holding": answer.holding, "item": trial.item_id,
        "label": answer.label_id, "client_key": answer.client_key, "events": answer.events,
        "project": trial.project_id, "annotator": trial.annotator_id, "session": trial.session_id,
        "chosen_by": trial.annotator.drawn_by, "now": answer.now.isoformat(), "until": answer.lease_until.isoformat(),
        "wanted": [new.item_id for new in answer.wanted], "positions": [new.position for new in answer.wanted],
        "chances": [new.chance for new in answer.wanted],
    }  # fmt: skip
    for name in TRIAL_COLUMNS:
        values[f"t_{name}"] = answer.columns[name]
    values["t_received_at"] = answer.columns["received_at"].isoformat()
    for name, value in answer.annotator.items():
        values[f"a_{name}"] = value
    if connection.in_atomic_block:  # what fails here must not end the caller's transaction
        with transaction.atomic():
            rows = fetch_prepared(_AS_ONE, [json.dumps(values)])
    else:
        rows = fetch_prepared(_AS_ONE, [json.dumps(values)])
    _expect(bool(rows))
    return [
        Lease(pk, position, item_id, look, box_of(box), reissued=False)
        for pk, position, item_id, look, *box in rows
        if pk is not None
    ]
