"""The usual answer on SQLite: one statement, the insertion into a view whose trigger does all the writing.

View and trigger are temporary: they belong to the connection, and no migration has to know of them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from annotations.sql import read_prepared, stored, write_together

from .leases import Lease, box_of
from .statements import ANNOTATOR_STATE, TRIAL_COLUMNS

if TYPE_CHECKING:
    from .at_once import UsualAnswer

_OWN = (
    "trial", "version", "item", "label", "client_key", "events", "project", "annotator", "session", "chosen_by", "now",
    "until", "wanted", "n_wanted", "holding",
)  # fmt: skip
_COLUMNS = (*_OWN, *(f"t_{name}" for name in TRIAL_COLUMNS), *(f"a_{name}" for name in ANNOTATOR_STATE))
_WRITE = f"INSERT INTO temp.usual_answer VALUES ({', '.join(['%s'] * len(_COLUMNS))})"
# `wanted`: a list of [item, position, chance]. Where anything is not as it was read, all is undone.
_PREPARE = (
    f"CREATE TEMP VIEW IF NOT EXISTS usual_answer AS SELECT {', '.join(f'NULL AS {name}' for name in _COLUMNS)}",
    f"""CREATE TEMP TRIGGER IF NOT EXISTS write_usual_answer INSTEAD OF INSERT ON usual_answer BEGIN
    UPDATE annotations_annotator SET {", ".join(f"{name} = NEW.a_{name}" for name in ANNOTATOR_STATE)},
    version = version + 1 WHERE id = NEW.annotator AND version = NEW.version AND (NEW.n_wanted = 0 OR NOT EXISTS (
        SELECT 1 FROM annotations_trial t WHERE t.annotator_id = NEW.annotator AND t.state = 'issued'
        AND t.id <> NEW.trial AND t.id NOT IN (SELECT value FROM json_each(NEW.holding))));
    SELECT RAISE(ABORT, 'the queue is at another version') WHERE changes() <> 1;
    UPDATE annotations_trial SET {", ".join(f"{name} = NEW.t_{name}" for name in TRIAL_COLUMNS)}
    WHERE id = NEW.trial AND state = 'issued';
    SELECT RAISE(ABORT, 'the trial is not open') WHERE changes() <> 1;
    UPDATE annotations_item SET taken = taken + 1 WHERE taken < needed
    AND id IN (SELECT json_extract(value, '$[0]') FROM json_each(NEW.wanted));
    SELECT RAISE(ABORT, 'an item is not to be had') WHERE changes() <> NEW.n_wanted;
    INSERT INTO annotations_trial (project_id, item_id, annotator_id, look, purpose, source, state, position,
    session_id, session_name, chosen_by, chance, issued_at, times_issued, lease_until, null_reason, timing_version,
    flags, skip_reason, comment)
    SELECT NEW.project, i.id, NEW.annotator, i.look, '', 'browser', 'issued', json_extract(n.value, '$[1]'),
    NEW.session, '', NEW.chosen_by, json_extract(n.value, '$[2]'), NEW.now, 1, NEW.until, '', 0, '[]', '', ''
    FROM json_each(NEW.wanted) n JOIN annotations_item i ON i.id = json_extract(n.value, '$[0]') ORDER BY n.key;
    UPDATE annotations_item SET answered = answered + 1 WHERE id = NEW.item;
    INSERT INTO annotations_annotation (trial_id, label_id, client_key, is_current, supersedes_id, created_at)
    VALUES (NEW.trial, NEW.label, NEW.client_key, 1, NULL, NEW.t_received_at);
    INSERT INTO annotations_eventbatch (trial_id, events, client_key, is_correction, received_at)
    VALUES (NEW.trial, NEW.events, NEW.client_key, 0, NEW.t_received_at);
END""",
)
_HANDED_OUT = (
    "SELECT t.id, t.position, t.item_id, t.look, i.box_x, i.box_y, i.box_width, i.box_height FROM annotations_trial t "
    "JOIN annotations_item i ON i.id = t.item_id WHERE t.annotator_id = %s AND t.position BETWEEN %s AND %s "
    "AND t.state = 'issued' ORDER BY t.position"
)


def write(answer: UsualAnswer) -> list[Lease] | None:
    """Write it and return what was handed out; IntegrityError where something was not as expected."""
    write_together(_WRITE, _values(answer), prepare=_PREPARE)
    wanted = answer.wanted
    if not wanted:
        return []
    # Handed out to this annotator just now, for minutes at least: nobody else changes it meanwhile.
    rows = read_prepared(_HANDED_OUT, [answer.trial.annotator_id, wanted[0].position, wanted[-1].position])
    return [Lease(pk, position, item, look, box_of(box), reissued=False) for pk, position, item, look, *box in rows]


def _values(answer: UsualAnswer) -> list[Any]:
    trial, state = answer.trial, answer.annotator
    received_at, flags = stored(answer.columns["received_at"]), json.dumps(answer.columns["flags"])
    columns = {**answer.columns, "received_at": received_at, "flags": flags}
    return [
        trial.pk, trial.annotator.version, trial.item_id, answer.label_id, answer.client_key, json.dumps(answer.events),
        trial.project_id, trial.annotator_id, trial.session_id, trial.annotator.drawn_by, stored(answer.now),
        stored(answer.lease_until), json.dumps([(new.item_id, new.position, new.chance) for new in answer.wanted]),
        len(answer.wanted), json.dumps(answer.holding),
        *(columns[name] for name in TRIAL_COLUMNS),
        json.dumps(state["drawn"]), *(state[name] for name in ANNOTATOR_STATE[1:]),
    ]  # fmt: skip
