"""The one way drawn boxes become objects: items of their own, with a trial for everybody who saw the image.

Who drew an object has an answered trial of it, with the box's class and response time. Who saw the image and drew no
such box has a skipped one with the reason `not_drawn`: that is disagreement, not a time. Both point to the trial in
which the image was shown (`Trial.drawing`), and are made anew from the boxes whenever those change; the boxes
themselves are never touched. An object keeps its item while boxes come in; one that nobody draws any more stays, with
nobody who has seen it, for hard sets may name it.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from django.db import transaction
from django.db.models import F

from annotations.models import Annotation, DrawnBox, Item, Project, Trial
from annotations.objects import THRESHOLD, carry_over, match_boxes, median_boxes
from annotations.sql import execute_many

NOT_DRAWN = "not_drawn"
"""Both the reason why there is no time and that of the skip."""
IMAGES_AT_ONCE = 100
BOX = ("box_x", "box_y", "box_width", "box_height")


@dataclass
class ObjectSummary:
    """What an update did. `n_rewritten`: trials of objects that say something else now than they did."""

    n_images: int = 0
    n_new: int = 0
    n_rewritten: int = 0


@dataclass
class _Drawn:
    """One image: its own item, who saw it, what they drew, and the objects that it had."""

    whole: Item
    drawings: list[Trial] = field(default_factory=list)
    boxes: list[DrawnBox] = field(default_factory=list)
    objects: list[Item] = field(default_factory=list)


def update_objects(
    *,
    project: Project,
    threshold: float = THRESHOLD,
    every: bool = False,
    on_images: Callable[[int], None] | None = None,
) -> ObjectSummary:
    """Match the boxes of images in which some have come or changed (`every`: of all images) into objects.

    Safe to run at any time, several times at once, and to be killed: a hundred images are one transaction, and an
    image is done when nothing in it is new. `on_images(images so far)` may raise to stop.
    """
    summary = ObjectSummary()
    if not project.draws_boxes:
        return summary
    if every:
        whole = Item.objects.filter(project=project, box_width__isnull=True, answered__gt=0)
        whole.update(unmatched=True)
    while done := _update_some(project, threshold, summary):
        summary.n_images += done
        if on_images is not None:
            on_images(summary.n_images)
    return summary


@transaction.atomic
def _update_some(project: Project, threshold: float, summary: ObjectSummary) -> int:
    waiting = Item.objects.filter(project=project, unmatched=True).order_by("ordinal").values_list("pk", flat=True)
    chosen = list(waiting[:IMAGES_AT_ONCE])
    # Locked before the boxes are read: an answer that comes now waits, and marks the image again. Items before the
    # project, as everywhere where both are locked.
    whole = list(Item.objects.select_for_update().filter(pk__in=chosen, unmatched=True).order_by("pk"))
    images = _read(whole)
    groups = {image: _groups(drawn, threshold) for image, drawn in images.items()}
    # This lock makes it the only one that gives items of the project their ordinals.
    locked = Project.objects.select_for_update().get(pk=project.pk)
    summary.n_new += _write_items(locked, images, groups)
    _write_boxes(images, groups)
    summary.n_rewritten += _write_trials(images)
    Item.objects.filter(pk__in=[item.pk for item in whole]).update(unmatched=False)
    return len(chosen)


def _read(whole: Sequence[Item]) -> dict[int, _Drawn]:
    images = {item.image_id: _Drawn(item) for item in whole}
    image_of = {item.pk: item.image_id for item in whole}
    trials = Trial.objects.filter(item__in=image_of, state=Trial.State.ANSWERED, purpose=Trial.Purpose.JUDGMENT)
    latest: dict[tuple[int, int], Trial] = {}
    # Of somebody who was shown the image again, the latest look counts.
    for trial in trials.order_by("look", "pk"):
        latest[trial.item_id, trial.annotator_id] = trial
    for trial in sorted(latest.values(), key=lambda trial: trial.pk):
        images[image_of[trial.item_id]].drawings.append(trial)
    item_of = {trial.pk: trial.item_id for trial in latest.values()}
    for box in DrawnBox.objects.filter(trial__in=item_of, is_current=True).order_by("trial", "number"):
        images[image_of[item_of[box.trial_id]]].boxes.append(box)
    projects = {item.project_id for item in whole}
    objects = Item.objects.select_for_update().filter(project__in=projects, image__in=images, box_width__isnull=False)
    for item in sorted(objects.order_by("pk"), key=lambda item: item.ordinal):
        images[item.image_id].objects.append(item)
    return images


@dataclass(frozen=True)
class _Groups:
    code: np.ndarray
    boxes: np.ndarray
    goes_on: np.ndarray
    """(n_groups,) row of the object that each group goes on, -1 for a new one."""


def _groups(drawn: _Drawn, threshold: float) -> _Groups:
    annotator_of = {trial.pk: trial.annotator_id for trial in drawn.drawings}
    sides = [box.shares for box in drawn.boxes]
    code = match_boxes(sides, [annotator_of[box.trial_id] for box in drawn.boxes], threshold=threshold)
    boxes = median_boxes(sides, code, int(code.max()) + 1 if len(code) else 0)
    row_of = {item.pk: row for row, item in enumerate(drawn.objects)}
    before = [row_of.get(box.object_id or -1, -1) for box in drawn.boxes]
    old = [[getattr(item, side) for side in BOX] for item in drawn.objects]
    return _Groups(code, boxes, carry_over(code, before, boxes, old, threshold=threshold))


def _write_items(project: Project, images: dict[int, _Drawn], groups: dict[int, _Groups]) -> int:
    """Give every group its item: one that goes on with the new box, or a new one; return how many are new."""
    moved: list[Item] = []
    new: list[Item] = []
    for image, drawn in images.items():
        found = groups[image]
        for row, sides in enumerate(found.boxes.tolist()):
            old = int(found.goes_on[row])
            if old >= 0:
                item = drawn.objects[old]
                if [getattr(item, side) for side in BOX] == sides:
                    continue
                moved.append(item)
            else:
                path = f"{drawn.whole.path}#{len(drawn.objects) + 1}"
                item = Item(project=project, image_id=image, path=path, needed=0, ordinal=project.n_items + len(new))
                found.goes_on[row] = len(drawn.objects)
                drawn.objects.append(item)
                new.append(item)
            for side, value in zip(BOX, sides, strict=True):
                setattr(item, side, value)
    Item.objects.bulk_update(moved, BOX, batch_size=200)
    Item.objects.bulk_create(new, batch_size=500)
    if new:
        Project.objects.filter(pk=project.pk).update(n_items=F("n_items") + len(new))
    return len(new)


def _write_boxes(images: dict[int, _Drawn], groups: dict[int, _Groups]) -> None:
    changed = []
    for image, drawn in images.items():
        found = groups[image]
        for box, code in zip(drawn.boxes, found.code.tolist(), strict=True):
            item = drawn.objects[int(found.goes_on[code])]
            if box.object_id != item.pk:
                box.object_id = item.pk
                changed.append((item.pk, box.pk))
    execute_many("UPDATE annotations_drawnbox SET object_id = %s WHERE id = %s", changed)


_COPIED = ("response_ms", "null_reason", "state", "skip_reason", "position", "session_id", "flags")


def _write_trials(images: dict[int, _Drawn]) -> int:
    """Make the trials of the objects say what was drawn; return how many said something else before."""
    wanted = _wanted(images)
    there = {
        (trial.item_id, trial.annotator_id): trial
        for trial in Trial.objects.filter(item__in={item for item, _ in wanted}, drawing__isnull=False)
    }
    answers = {
        entry.trial_id: entry
        for entry in Annotation.objects.filter(trial__in=[trial.pk for trial in there.values()], is_current=True)
    }
    new = [_trial(item, *found) for (item, who), found in wanted.items() if (item, who) not in there]
    Trial.objects.bulk_create(new, batch_size=500)
    changed, relabelled = [], []
    for key, (drawing, box) in wanted.items():
        old = there.get(key)
        if old is None:
            continue
        fresh = _trial(key[0], drawing, box)
        if any(getattr(old, name) != getattr(fresh, name) for name in (*_COPIED, "drawing_id")):
            for name in (*_COPIED, "drawing_id", "issued_at", "received_at"):
                setattr(old, name, getattr(fresh, name))
            changed.append(old)
        answer = answers.get(old.pk)
        if (None if answer is None else answer.label_id) != (None if box is None else box.label_id):
            relabelled.append((old, answer, box))
    fields = [name.removesuffix("_id") for name in _COPIED] + ["drawing", "issued_at", "received_at"]
    Trial.objects.bulk_update(changed, fields, batch_size=200)
    _write_answers(new, relabelled, wanted)
    _count(images)
    return len({trial.pk for trial in changed} | {trial.pk for trial, _, _ in relabelled})


def _wanted(images: dict[int, _Drawn]) -> dict[tuple[int, int], tuple[Trial, DrawnBox | None]]:
    """Return (object, annotator) -> the trial of the image, and the box that was drawn of the object in it, if one was.

    Whoever was asked for the class of the object, before they saw the image as a whole, has a trial of it already.
    """
    objects = [item.pk for drawn in images.values() for item in drawn.objects]
    asked = Trial.objects.filter(item__in=objects, look=1, purpose=Trial.Purpose.JUDGMENT, drawing__isnull=True)
    have = set(asked.values_list("item_id", "annotator_id"))
    wanted: dict[tuple[int, int], tuple[Trial, DrawnBox | None]] = {}
    for drawn in images.values():
        box_of = {(box.object_id, box.trial_id): box for box in drawn.boxes}
        for item in drawn.objects:
            for trial in drawn.drawings:
                if (item.pk, trial.annotator_id) not in have:
                    wanted[item.pk, trial.annotator_id] = trial, box_of.get((item.pk, trial.pk))
    return wanted


def _trial(item_id: int, drawing: Trial, box: DrawnBox | None) -> Trial:
    return Trial(
        project_id=drawing.project_id,
        item_id=item_id,
        annotator_id=drawing.annotator_id,
        drawing=drawing,
        source=drawing.source,
        state=Trial.State.SKIPPED if box is None else Trial.State.ANSWERED,
        skip_reason=NOT_DRAWN if box is None else "",
        position=drawing.position,
        session_id=drawing.session_id,
        issued_at=drawing.issued_at,
        received_at=drawing.received_at,
        response_ms=None if box is None else box.response_ms,
        null_reason=NOT_DRAWN if box is None else box.null_reason,
        flags=drawing.flags,
    )


def _write_answers(
    new: Iterable[Trial],
    relabelled: Iterable[tuple[Trial, Annotation | None, DrawnBox | None]],
    wanted: dict[tuple[int, int], tuple[Trial, DrawnBox | None]],
) -> None:
    relabelled = list(relabelled)
    Annotation.objects.filter(pk__in=[old.pk for _, old, _ in relabelled if old is not None]).update(is_current=False)
    made = [
        Annotation(trial=trial, label_id=box.label_id, client_key=str(uuid.uuid4()), supersedes=old)
        for trial, old, box in (
            *((trial, None, wanted[trial.item_id, trial.annotator_id][1]) for trial in new),
            *relabelled,
        )
        if box is not None
    ]
    Annotation.objects.bulk_create(made, batch_size=500)


def _count(images: dict[int, _Drawn]) -> None:
    """Let the counts of the objects say who drew them and who did not; judgments that were asked for stay open."""
    objects = [item for drawn in images.values() for item in drawn.objects]
    counts = Counter(
        Trial.objects.filter(item__in=objects, purpose=Trial.Purpose.JUDGMENT).values_list("item_id", "state")
    )
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
