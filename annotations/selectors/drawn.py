"""Reads about drawn boxes and the objects made from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count

from annotations.models import DrawnBox, Item, Project, Trial


def n_drawn_objects(projects: Iterable[Project]) -> dict[int, int]:
    """Return project id -> number of objects, for those of the projects in which boxes are drawn."""
    drawing = [project for project in projects if project.draws_boxes]
    if not drawing:
        return {}
    rows = Item.objects.filter(project__in=drawing, box_width__isnull=False).order_by().values_list("project_id")
    return dict(rows.annotate(n=Count("pk")))


def images_to_search(project: Project) -> int | None:
    """Return how many images are handed out for drawing; None where boxes are not drawn."""
    if not project.draws_boxes:
        return None
    return project.n_items - n_drawn_objects([project]).get(project.pk, 0)


@dataclass(frozen=True, slots=True)
class ShownBox:
    """A box as a page draws it: in pixels of the image. `item` is set where it leads to an object's own page."""

    x: float
    y: float
    width: float
    height: float
    title: str
    kind: str
    item: int | None = None


def boxes_in_image(item: Item) -> list[ShownBox]:
    """Return what is to be drawn over the image of an item.

    Of an object: its box, and what annotators drew of it. Of a whole image: the objects in it, or what was drawn while
    they are not matched yet.
    """
    if item.box_width is not None:
        drawn = DrawnBox.objects.filter(object=item, is_current=True).select_related("trial__annotator", "label")
        boxes = [_drawn(item, box) for box in drawn.defer("trial__annotator__drawn").order_by("pk")]
        return [*boxes, _shown(item, item, item.path, "object")]
    objects = list(
        Item.objects.filter(project=item.project_id, image=item.image_id, box_width__isnull=False).order_by("ordinal")
    )
    if objects:
        return [_shown(item, found, found.path, "object", found.pk) for found in objects]
    drawn = DrawnBox.objects.filter(trial__item=item, is_current=True).select_related("trial__annotator", "label")
    return [_drawn(item, box) for box in drawn.defer("trial__annotator__drawn").order_by("pk")]


def _shown(item: Item, of: Item, title: str, kind: str, leads_to: int | None = None) -> ShownBox:
    width, height = item.image.width, item.image.height
    x, y, w, h = (float(side or 0) for side in (of.box_x, of.box_y, of.box_width, of.box_height))
    return ShownBox(x * width, y * height, w * width, h * height, title, kind, leads_to)


def _drawn(item: Item, box: DrawnBox) -> ShownBox:
    width, height = item.image.width, item.image.height
    words = f"{box.trial.annotator.name}: {box.label.name}"
    return ShownBox(box.x * width, box.y * height, box.width * width, box.height * height, words, "drawn")


def add_drawn_boxes(item: Item, trials: Sequence[Trial]) -> None:
    """Give each trial `drawn`: the boxes drawn in it, of an object only the one that was matched to it; one query."""
    found: dict[int, list[DrawnBox]] = {}
    if item.project.draws_boxes:
        drawings = {trial.drawing_id or trial.pk for trial in trials}
        boxes = DrawnBox.objects.filter(trial__in=drawings, is_current=True).select_related("label")
        boxes = boxes.filter(object=item) if item.box_width is not None else boxes
        for box in boxes.order_by("trial", "number"):
            found.setdefault(box.trial_id, []).append(box)
    for trial in trials:
        # For the page alone: no field of the model.
        trial.drawn = found.get(trial.drawing_id or trial.pk, [])  # type: ignore[attr-defined]
