"""Trials and answers of objects that were drawn, made from the boxes: the writing half of `drawn_objects`.

A hundred images with some boxes each are thousands of rows. They are written by statements that run once for each row
of values: as rows of the ORM they took twenty times as long (`benchmarks/drawn_objects.py`).
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count
from django.utils import timezone

from annotations.models import Annotation, DrawnBox, Item, Trial
from annotations.sql import execute_many, stored

NOT_DRAWN = "not_drawn"
"""Both the reason why there is no time and that of the skip."""


@dataclass
class Drawn:
    """One image: its own item, who saw it, what they drew, and the objects that it had."""

    whole: Item
    drawings: list[Trial] = field(default_factory=list)
    boxes: list[DrawnBox] = field(default_factory=list)
    objects: list[Item] = field(default_factory=list)


Key = tuple[int, int]
"""An object's item and an annotator."""

Wanted = Mapping[Key, tuple[Trial, DrawnBox | None]]

SAID = ("response_ms", "null_reason", "state", "skip_reason", "position", "session_id", "flags", "drawing_id")
"""What makes a trial of an object say something else than it did."""
DATED = ("issued_at", "received_at")
FIXED = {
    "look": 1, "purpose": "", "session_name": "", "chosen_by": "", "times_issued": 1, "timing_version": 0,
    "comment": "",
}  # fmt: skip


def write_trials(images: dict[int, Drawn]) -> int:
    """Make the trials of the objects say what was drawn; return how many said something else before."""
    wanted = _wanted(images)
    said = {key: _said(drawing, box) for key, (drawing, box) in wanted.items()}
    there = _there(wanted)
    _insert_trials({key: values for key, values in said.items() if key not in there}, wanted)
    changed = [key for key, values in said.items() if key in there and there[key][1] != values]
    columns = ", ".join(f"{name} = %s" for name in (*SAID, *DATED))
    execute_many(
        f"UPDATE annotations_trial SET {columns} WHERE id = %s",
        [(*_stored(said[key], wanted[key][0]), there[key][0]) for key in changed],
    )
    relabelled = _write_answers(wanted, there)
    _count(images)
    return len({there[key][0] for key in changed} | relabelled)


def _wanted(images: dict[int, Drawn]) -> Wanted:
    """Return (object, annotator) -> the trial of the image, and the box that was drawn of the object in it, if one was.

    Whoever was asked for the class of the object, before they saw the image as a whole, has a trial of it already.
    """
    objects = [item.pk for drawn in images.values() for item in drawn.objects]
    asked = Trial.objects.filter(item__in=objects, look=1, purpose=Trial.Purpose.JUDGMENT, drawing__isnull=True)
    have = set(asked.values_list("item_id", "annotator_id"))
    wanted: dict[Key, tuple[Trial, DrawnBox | None]] = {}
    for drawn in images.values():
        box_of = {(box.object_id, box.trial_id): box for box in drawn.boxes}
        for item in drawn.objects:
            for trial in drawn.drawings:
                if (item.pk, trial.annotator_id) not in have:
                    wanted[item.pk, trial.annotator_id] = trial, box_of.get((item.pk, trial.pk))
    return wanted


def _said(drawing: Trial, box: DrawnBox | None) -> tuple[Any, ...]:
    """Return what a trial of an object has to say, in the order of `SAID`."""
    own: tuple[Any, ...] = (None, NOT_DRAWN, Trial.State.SKIPPED.value, NOT_DRAWN)
    if box is not None:
        own = (box.response_ms, box.null_reason, Trial.State.ANSWERED.value, "")
    return (*own, drawing.position, drawing.session_id, drawing.flags, drawing.pk)


def _stored(said: tuple[Any, ...], drawing: Trial) -> list[Any]:
    """Return the values of `SAID` and `DATED` as the database takes them."""
    values = [json.dumps(value) if name == "flags" else value for name, value in zip(SAID, said, strict=True)]
    return [*values, *(stored(getattr(drawing, name)) for name in DATED)]


def _there(wanted: Iterable[Key]) -> dict[Key, tuple[int, tuple[Any, ...]]]:
    """Return (object, annotator) -> the id of its trial, and what that says now."""
    trials = Trial.objects.filter(item__in={item for item, _ in wanted}, drawing__isnull=False).order_by()
    rows: Iterable[tuple[Any, ...]] = trials.values_list("pk", "item_id", "annotator_id", *SAID)
    return {(item, annotator): (pk, tuple(said)) for pk, item, annotator, *said in rows}


def _insert_trials(new: Mapping[Key, tuple[Any, ...]], wanted: Wanted) -> None:
    names = ("item_id", "annotator_id", "project_id", "source", *SAID, *DATED, *FIXED)
    rows = []
    for key, said in new.items():
        drawing = wanted[key][0]
        rows.append((*key, drawing.project_id, drawing.source, *_stored(said, drawing), *FIXED.values()))
    marks = ", ".join(["%s"] * len(names))
    execute_many(f"INSERT INTO annotations_trial ({', '.join(names)}) VALUES ({marks})", rows)


def _write_answers(wanted: Wanted, before: Mapping[Key, tuple[int, tuple[Any, ...]]]) -> set[int]:
    """Give every trial the class of its box as its answer; return the trials that were there and had another one."""
    now = _there(wanted) if any(key not in before for key in wanted) else before
    current = Annotation.objects.filter(trial__in=[pk for pk, _ in before.values()], is_current=True).order_by()
    answers: dict[int, tuple[int | None, int | None]] = {
        trial: (pk, label) for trial, pk, label in current.values_list("trial_id", "pk", "label_id")
    }
    made: list[tuple[Any, ...]] = []
    taken_back: list[tuple[Any, ...]] = []
    relabelled: set[int] = set()
    moment = stored(timezone.now())
    for key, (_, box) in wanted.items():
        trial = now[key][0]
        answer, label = answers.get(trial, (None, None))
        if label == (None if box is None else box.label_id):
            continue
        if key in before:
            relabelled.add(trial)
        if answer is not None:
            taken_back.append((False, answer))
        if box is not None:
            made.append((trial, box.label_id, str(uuid.uuid4()), True, answer, moment))
    execute_many("UPDATE annotations_annotation SET is_current = %s WHERE id = %s", taken_back)
    execute_many(
        "INSERT INTO annotations_annotation (trial_id, label_id, client_key, is_current, supersedes_id, created_at) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        made,
    )
    return relabelled


def _count(images: dict[int, Drawn]) -> None:
    """Let the counts of the objects say who drew them and who did not; judgments that were asked for stay open."""
    objects = [item for drawn in images.values() for item in drawn.objects]
    trials = Trial.objects.filter(item__in=objects, purpose=Trial.Purpose.JUDGMENT).order_by()
    rows: Iterable[tuple[Any, ...]] = trials.values_list("item_id", "state").annotate(n=Count("pk"))
    counts = Counter({(item, state): n for item, state, n in rows})
    changed = []
    for item in objects:
        before = (item.answered, item.skipped, item.taken, item.needed)
        asked_for = max(0, item.needed - item.taken)
        item.answered, item.skipped = counts[item.pk, Trial.State.ANSWERED], counts[item.pk, Trial.State.SKIPPED]
        item.taken = item.answered + counts[item.pk, Trial.State.ISSUED]
        item.needed = item.taken + asked_for
        after = (item.answered, item.skipped, item.taken, item.needed)
        if before != after:
            changed.append((*after, item.pk))
    execute_many(
        "UPDATE annotations_item SET answered = %s, skipped = %s, taken = %s, needed = %s WHERE id = %s", changed
    )
