"""The statements of an answer, in SQL.

An answer is the one request that everybody waits for, hundreds of times an hour. Building these statements through
the ORM took three quarters of its time; the words are the same on SQLite and PostgreSQL. What they write is described
by the models, and the tests read it back through them.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model

from annotations.models import Annotator, Project, Trial, WorkSession
from annotations.sql import execute, fetch, moment, read_prepared, stored

Row = TypeVar("Row", bound=Model)

TRIAL_COLUMNS = (
    "state", "received_at", "lease_until", "comment", "skip_reason", "response_ms", "null_reason", "censored_at_ms",
    "paid_ms", "download_ms", "decode_ms", "paint_ms", "first_input_ms", "key_hold_ms", "frame_ms", "exposure_ms",
    "exposure_frames", "timing_version", "flags",
)  # fmt: skip

ANNOTATOR_STATE = (
    "drawn", "draws", "drawn_by", "drawn_from", "finished_at_reopened", "last_position", "n_answered", "n_skipped",
)  # fmt: skip
_ANNOTATOR = ("id", "project_id", "user_id", "seed", "version", *ANNOTATOR_STATE)
_PROJECT = (
    "id", "order", "n_items", "n_training", "n_gold", "repeat_share", "gold_share", "reopened", "lease_seconds",
    "unit", "boxes", "floor_ms",
)  # fmt: skip
_STATE = ", ".join([f"a.{name}" for name in _ANNOTATOR] + [f'p."{name}"' for name in _PROJECT])
_SELECT_ANNOTATOR = (
    f"SELECT {_STATE} FROM annotations_annotator a JOIN annotations_project p ON p.id = a.project_id WHERE a.id = %s"
)


def lock_annotator(annotator_id: int) -> Annotator:
    """Return the annotator with what the queue needs of the project, its row locked until the transaction ends."""
    sql = _SELECT_ANNOTATOR
    if connection.features.has_select_for_update_of:
        sql += " FOR UPDATE OF a"
    rows = fetch(sql, [annotator_id])
    if not rows:
        raise Annotator.DoesNotExist(f"There is no annotator {annotator_id}.")
    return _annotator(rows[0])


def _annotator(row: Sequence[Any]) -> Annotator:
    """Return the annotator with their project, from the columns of _STATE."""
    n = len(_ANNOTATOR)
    values = list(row[:n])
    values[_DRAWN] = _from_json(values[_DRAWN])
    annotator = _loaded(Annotator, _ANNOTATOR, values)
    annotator.project = _loaded(Project, _PROJECT, row[n:])
    return annotator


_DRAWN = _ANNOTATOR.index("drawn")
_SAVE_ANNOTATOR = (
    f"UPDATE annotations_annotator SET {', '.join(f'{name} = %s' for name in ANNOTATOR_STATE)}, version = version + 1 "
    "WHERE id = %s AND version = %s"
)


def save_locked(annotator: Annotator) -> None:
    """Write the state of the queue and the counts of an annotator that is locked."""
    state = {name: getattr(annotator, name) for name in ANNOTATOR_STATE}
    values = [json.dumps(state["drawn"]), *(state[name] for name in ANNOTATOR_STATE[1:])]
    execute(_SAVE_ANNOTATOR, [*values, annotator.pk, annotator.version])
    annotator.version += 1


def close_trial(trial_id: int, *, from_state: str, columns: dict[str, Any]) -> bool:
    """Write a trial's end, if it is in that state; return whether it was."""
    values = {**columns, "received_at": stored(columns["received_at"]), "flags": json.dumps(columns["flags"])}
    assignments = ", ".join(f"{name} = %s" for name in TRIAL_COLUMNS)
    return bool(
        execute(
            f"UPDATE annotations_trial SET {assignments} WHERE id = %s AND state = %s",
            [*(values.get(name) for name in TRIAL_COLUMNS), trial_id, from_state],
        )
    )


def add_annotation(*, trial_id: int, label_id: int, client_key: str, now: datetime.datetime) -> None:
    """Write the first answer of a trial."""
    execute(
        "INSERT INTO annotations_annotation (trial_id, label_id, client_key, is_current, supersedes_id, created_at) "
        "VALUES (%s, %s, %s, %s, NULL, %s)",
        [trial_id, label_id, client_key, True, stored(now)],
    )


def add_events(*, trial_id: int, events: Sequence[Any], client_key: str, now: datetime.datetime) -> None:
    """Write what the browser saw."""
    execute(
        "INSERT INTO annotations_eventbatch (trial_id, events, client_key, is_correction, received_at) "
        "VALUES (%s, %s, %s, %s, %s)",
        [trial_id, json.dumps(list(events)), client_key, False, stored(now)],
    )


def count_item(item_id: int, *, taken: int = 0, answered: int = 0, skipped: int = 0) -> None:
    """Change an item's counts by so many. What does not change is not named: SQLite would write its indexes again."""
    changes = {name: by for name, by in (("taken", taken), ("answered", answered), ("skipped", skipped)) if by}
    if changes:
        assignments = ", ".join(f"{name} = {name} + %s" for name in changes)
        execute(f"UPDATE annotations_item SET {assignments} WHERE id = %s", [*changes.values(), item_id])


def outstanding_trials(annotator_id: int) -> list[tuple[Any, ...]]:
    """Return (trial, position, item, look, session, times issued, purpose, box) of what the annotator holds."""
    return fetch(
        "SELECT t.id, t.position, t.item_id, t.look, t.session_id, t.times_issued, t.purpose, i.box_x, "
        "i.box_y, i.box_width, i.box_height FROM annotations_trial t JOIN annotations_item i ON i.id = t.item_id "
        "WHERE t.annotator_id = %s AND t.state = 'issued' ORDER BY t.position",
        [annotator_id],
    )


_TRIAL = ("id", "project_id", "item_id", "annotator_id", "purpose", "session_id", "times_issued", "state", "issued_at")
_USER = ("id", "password", "is_active", "is_staff")
_OWN_TRIAL = (
    f"SELECT {', '.join('t.' + name for name in _TRIAL)}, s.client_key, (SELECT c.id FROM annotations_labelclass c "
    f"WHERE c.project_id = p.id AND c.code = %s), {', '.join('u.' + name for name in _USER)}, {_STATE} "
    "FROM annotations_trial t JOIN annotations_project p ON p.id = t.project_id "
    "JOIN annotations_annotator a ON a.id = t.annotator_id "
    "JOIN auth_user u ON u.id = a.user_id "
    "LEFT JOIN annotations_worksession s ON s.id = t.session_id "
    "WHERE t.id = %s AND t.source = 'browser' AND p.slug = %s AND p.archived_at IS NULL AND a.user_id = %s "
    "AND (u.is_staff OR EXISTS (SELECT 1 FROM annotations_membership m WHERE m.project_id = p.id AND m.user_id = u.id))"
)


def trial_of_user(*, user_id: int, slug: str, trial_id: int, label: int | None) -> Trial | None:
    """Return the trial with project, session, annotator, their user and `label_id`, if it is this user's and they are
    a member."""
    rows = read_prepared(_OWN_TRIAL, [label, trial_id, slug, user_id])
    if not rows:
        return None
    n, n_user = len(_TRIAL), len(_USER)
    *columns, issued_at, client_key, label_id = rows[0][: n + 2]
    trial = _loaded(Trial, _TRIAL, [*columns, moment(issued_at)])
    trial.annotator = _annotator(rows[0][n + 2 + n_user :])
    trial.annotator.user = _loaded(User, _USER, rows[0][n + 2 : n + 2 + n_user])
    trial.project = trial.annotator.project
    if trial.session_id is not None:
        trial.session = _loaded(WorkSession, ("id", "client_key"), [trial.session_id, client_key])
    # Beside the model's own fields: what one statement read for the answer, so that it need not ask again.
    trial.label_id = label_id  # type: ignore[attr-defined]
    return trial


def _loaded(model: type[Row], names: Sequence[str], values: Sequence[Any]) -> Row:
    """Return a row of the model with these columns; Django loads the others when asked for, and wants its own order."""
    given = dict(zip(names, values, strict=True))
    in_order = [field.attname for field in model._meta.concrete_fields if field.attname in given]
    return model.from_db(connection.alias, in_order, [given[name] for name in in_order])


def _from_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
