"""The one way drawn boxes become objects: items of their own, with a trial for everybody who saw the image.

Who drew an object has an answered trial of it, with the box's class and response time. Who saw the image and drew no
such box has a skipped one with the reason `not_drawn`: that is disagreement, not a time. Both point to the trial in
which the image was shown (`Trial.drawing`), and are made anew from the boxes whenever those change; the boxes
themselves are never touched. An object keeps its item while boxes come in; one that nobody draws any more stays, with
nobody who has seen it, for hard sets may name it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import transaction
from django.db.models import F

from annotations.models import DrawnBox, Item, Project, Trial
from annotations.objects import THRESHOLD, carry_over, match_boxes, median_boxes
from annotations.sql import execute_many

from .object_trials import NOT_DRAWN, Drawn, write_trials

__all__ = ["NOT_DRAWN", "ObjectSummary", "update_objects"]

IMAGES_AT_ONCE = 100
BOX = ("box_x", "box_y", "box_width", "box_height")


@dataclass
class ObjectSummary:
    """What an update did. `n_rewritten`: trials of objects that say something else now than they did."""

    n_images: int = 0
    n_new: int = 0
    n_rewritten: int = 0


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
    summary.n_rewritten += write_trials(images)
    Item.objects.filter(pk__in=[item.pk for item in whole]).update(unmatched=False)
    return len(chosen)


def _read(whole: Sequence[Item]) -> dict[int, Drawn]:
    images = {item.image_id: Drawn(item) for item in whole}
    image_of = {item.pk: item.image_id for item in whole}
    trials = Trial.objects.filter(item__in=image_of, state=Trial.State.ANSWERED, purpose=Trial.Purpose.JUDGMENT).only(
        "project_id", "item_id", "annotator_id", "look", "source", "position", "session_id", "issued_at", "received_at",
        "flags",
    )  # fmt: skip
    latest: dict[tuple[int, int], Trial] = {}
    # Of somebody who was shown the image again, the latest look counts.
    for trial in trials.order_by("look", "pk"):
        latest[trial.item_id, trial.annotator_id] = trial
    for trial in sorted(latest.values(), key=lambda trial: trial.pk):
        images[image_of[trial.item_id]].drawings.append(trial)
    item_of = {trial.pk: trial.item_id for trial in latest.values()}
    boxes = DrawnBox.objects.filter(trial__in=item_of, is_current=True).only(
        "trial_id", "x", "y", "width", "height", "label_id", "object_id", "response_ms", "null_reason"
    )
    for box in boxes.order_by("trial", "number"):
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


def _groups(drawn: Drawn, threshold: float) -> _Groups:
    annotator_of = {trial.pk: trial.annotator_id for trial in drawn.drawings}
    sides = [box.shares for box in drawn.boxes]
    code = match_boxes(sides, [annotator_of[box.trial_id] for box in drawn.boxes], threshold=threshold)
    boxes = median_boxes(sides, code, int(code.max()) + 1 if len(code) else 0)
    row_of = {item.pk: row for row, item in enumerate(drawn.objects)}
    before = [row_of.get(box.object_id or -1, -1) for box in drawn.boxes]
    old = [[getattr(item, side) for side in BOX] for item in drawn.objects]
    return _Groups(code, boxes, carry_over(code, before, boxes, old, threshold=threshold))


def _write_items(project: Project, images: dict[int, Drawn], groups: dict[int, _Groups]) -> int:
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


def _write_boxes(images: dict[int, Drawn], groups: dict[int, _Groups]) -> None:
    changed = []
    for image, drawn in images.items():
        found = groups[image]
        for box, code in zip(drawn.boxes, found.code.tolist(), strict=True):
            item = drawn.objects[int(found.goes_on[code])]
            if box.object_id != item.pk:
                box.object_id = item.pk
                changed.append((item.pk, box.pk))
    execute_many("UPDATE annotations_drawnbox SET object_id = %s WHERE id = %s", changed)
