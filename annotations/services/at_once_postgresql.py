"""The usual answer on PostgreSQL: one statement, planned once for a connection."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from annotations.sql import fetch_prepared

from .leases import Lease, box_of
from .statements import ANNOTATOR_STATE, TRIAL_COLUMNS

if TYPE_CHECKING:
    from .at_once import UsualAnswer

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


def write(answer: UsualAnswer) -> list[Lease] | None:
    """Write it and return what was handed out; None where something was not as expected, and nothing was written."""
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
    if not rows:
        return None
    return [
        Lease(pk, position, item_id, look, box_of(box), reissued=False)
        for pk, position, item_id, look, *box in rows
        if pk is not None
    ]
