"""Verbs for drawings: the boxes that an annotator drew in an image are the answer to its trial."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from annotations.models import Annotator, DrawnBox, EventBatch, Item, LabelClass, Trial
from annotations.timing import BoxTimes, Protocol, Reason, box_times

from .answers import AnswerRefused, Saved, Submission, end_columns, key_used, submit_once
from .statements import count_item, lock_annotator, save_locked
from .trials import OTHER_TAB, box_columns, protocol_of

BOXES_AT_MOST = 100
EDGE_TOLERANCE = 1e-6
LEAST_SIDE = 1e-5


@dataclass(frozen=True, slots=True)
class Box:
    """A box as it was drawn: in shares of the image's width and height, `label` the code of a class.

    `number` is the one that the trial's events name it by.
    """

    number: int
    x: float
    y: float
    width: float
    height: float
    label: int


def answer_with_boxes(*, trial: Trial, boxes: Sequence[Box], submission: Submission) -> Saved:
    """Save the boxes drawn in an image with their times, and hand out what comes next. No box says: nothing is here.

    `trial` as in `answer_trial`. The same submission again changes nothing. Raises AnswerRefused for a trial that has
    another answer, for one that is not of a whole image in a project with drawn boxes, and for a box that cannot be.
    """
    check_is_drawing(trial)
    labels = checked(boxes, trial.project_id)
    columns = end_columns(trial, submission)
    times = box_times(submission.events, [box.number for box in boxes], _protocol(trial, submission))

    def write(annotator: Annotator, from_state: str) -> None:
        write_boxes(trial_id=trial.pk, boxes=boxes, labels=labels, times=times)
        if not trial.purpose:
            count_item(trial.item_id, answered=1, taken=1 if from_state == Trial.State.ABANDONED else 0)
            Item.objects.filter(pk=trial.item_id).update(unmatched=True)
        annotator.n_answered += 1

    return submit_once(trial, {**columns, "state": Trial.State.ANSWERED}, submission, write)


def correct_boxes(*, trial: Trial, boxes: Sequence[Box], submission: Submission) -> Saved:
    """Put other boxes in the place of those drawn first. A box that was there keeps its times; a new one has none.

    The boxes of before are kept, not current. A trial that was skipped is answered by it.
    """
    check_is_drawing(trial)
    labels = checked(boxes, trial.project_id)
    try:
        with transaction.atomic():
            annotator = lock_annotator(trial.annotator_id)
            if EventBatch.objects.filter(trial=trial, client_key=submission.client_key).exists():
                return Saved(annotator=annotator, next=[], repeated=True)
            _answer_if_skipped(trial, annotator)
            there = {box.number: box for box in DrawnBox.objects.filter(trial=trial, is_current=True)}
            if not _same(there, boxes, labels):
                DrawnBox.objects.filter(pk__in=[box.pk for box in there.values()]).update(is_current=False)
                write_boxes(trial_id=trial.pk, boxes=boxes, labels=labels, times=_kept(there, boxes), before=there)
                if not trial.purpose:
                    Item.objects.filter(pk=trial.item_id).update(unmatched=True)
            EventBatch.objects.create(
                trial=trial, events=list(submission.events), client_key=submission.client_key, is_correction=True
            )
            return Saved(annotator=annotator, next=[])
    except IntegrityError as error:
        raise key_used() from error


def check_is_drawing(trial: Trial) -> None:
    """Raise AnswerRefused unless the trial showed a whole image of a project in which boxes are drawn."""
    if not trial.project.draws_boxes or Item.objects.filter(pk=trial.item_id, box_width__isnull=False).exists():
        raise AnswerRefused("This trial asks for a class, not for boxes: send it to …/answer.")


def checked(boxes: Sequence[Box], project_id: int) -> dict[int, int]:
    """Return code -> id of the classes; AnswerRefused names the first box that cannot be."""
    if len(boxes) > BOXES_AT_MOST:
        raise AnswerRefused(f"{len(boxes)} boxes: {BOXES_AT_MOST} is the most in one image.")
    labels = dict(LabelClass.objects.filter(project=project_id).values_list("code", "pk"))
    seen: set[int] = set()
    for box in boxes:
        if box.number in seen:
            raise AnswerRefused(f"Two boxes have the number {box.number}.")
        seen.add(box.number)
        if box.label not in labels:
            raise AnswerRefused(f"Box {box.number}: no class of this project has the code {box.label}.")
        if not all(math.isfinite(side) for side in (box.x, box.y, box.width, box.height)):
            raise AnswerRefused(f"Box {box.number}: its sides are numbers.")
        if not (box.width >= LEAST_SIDE and box.height >= LEAST_SIDE):
            raise AnswerRefused(f"Box {box.number} has no area.")
        far = 1 + EDGE_TOLERANCE
        if min(box.x, box.y) < -EDGE_TOLERANCE or box.x + box.width > far or box.y + box.height > far:
            raise AnswerRefused(f"Box {box.number} leaves the image: boxes are in shares of it, 0 to 1.")
    return labels


def write_boxes(
    *, trial_id: int, boxes: Sequence[Box], labels: dict[int, int], times: dict[int, BoxTimes],
    before: dict[int, DrawnBox] | None = None,
) -> None:  # fmt: skip
    """Write boxes that were checked, in the caller's transaction. `before`: the ones they stand in for, by number."""
    rows = []
    for box in boxes:
        x, y = max(box.x, 0.0), max(box.y, 0.0)
        was = (before or {}).get(box.number)
        row = DrawnBox(trial_id=trial_id, number=box.number, x=x, y=y, label_id=labels[box.label])
        row.width, row.height = min(box.width, 1 - x), min(box.height, 1 - y)
        row.object_id = None if was is None else was.object_id
        for name, value in box_columns(times[box.number]).items():
            setattr(row, name, value if was is None else getattr(was, name))
        rows.append(row)
    DrawnBox.objects.bulk_create(rows)


def _protocol(trial: Trial, submission: Submission) -> Protocol:
    other = bool(trial.session and submission.session_key and trial.session.client_key != submission.session_key)
    return protocol_of(trial, received_at=submission.received_at, remembered=[OTHER_TAB] if other else [])


def _answer_if_skipped(trial: Trial, annotator: Annotator) -> None:
    """Turn a skip into an answer; a trial without either is not corrected but answered."""
    state = Trial.objects.values_list("state", flat=True).get(pk=trial.pk)
    if state == Trial.State.ANSWERED:
        return
    if state != Trial.State.SKIPPED:
        raise AnswerRefused("This image has no answer yet that could be corrected.")
    Trial.objects.filter(pk=trial.pk).update(state=Trial.State.ANSWERED, skip_reason="")
    if not trial.purpose:
        count_item(trial.item_id, taken=1, answered=1, skipped=-1)
        Item.objects.filter(pk=trial.item_id).update(unmatched=True)
    annotator.n_answered += 1
    annotator.n_skipped = max(0, annotator.n_skipped - 1)
    save_locked(annotator)


def _same(there: dict[int, DrawnBox], boxes: Sequence[Box], labels: dict[int, int]) -> bool:
    if len(there) != len(boxes):
        return False
    return all(
        (was := there.get(box.number)) is not None
        and (*was.shares, was.label_id) == (box.x, box.y, box.width, box.height, labels[box.label])
        for box in boxes
    )


def _kept(there: dict[int, DrawnBox], boxes: Collection[Box]) -> dict[int, BoxTimes]:
    """Return times for boxes that come with a correction: none, since the image had been seen before."""
    return {box.number: BoxTimes(null_reason=Reason.REVISITED) for box in boxes}
