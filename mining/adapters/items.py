"""Items and classes as columns."""

from __future__ import annotations

from typing import Any

import polars as pl
from django.db.models import QuerySet

from annotations.models import Item, LabelClass, Project

from .columns import CHUNK, OnChunk, read_columns

ITEM_SCHEMA: dict[str, Any] = {
    "item": pl.Int64,
    "ordinal": pl.Int32,
    "path": pl.String,
    "given": pl.Int16,
    "image": pl.Int64,
    "sha256": pl.String,
    "file": pl.String,
    "width": pl.Int32,
    "height": pl.Int32,
    "box_x": pl.Float64,
    "box_y": pl.Float64,
    "box_width": pl.Float64,
    "box_height": pl.Float64,
}
ITEM_FIELDS = (
    "pk", "ordinal", "path", "given__code", "image_id", "image__sha256", "image__file", "image__width",
    "image__height", "box_x", "box_y", "box_width", "box_height",
)  # fmt: skip
CLASS_FIELDS = ("code", "id", "name")


def judged_items(project: Project) -> QuerySet[Item]:
    """Return the items that hardness is of. Where annotators draw the objects, images are only what is searched."""
    items = Item.objects.filter(project=project)
    return items.filter(box_width__isnull=False) if project.draws_boxes else items


def item_table(project: Project, *, from_ordinal: int = 0, on_chunk: OnChunk | None = None) -> pl.DataFrame:
    """Return the items of the project from an ordinal on, in the order of their ordinals, columns as in `ITEM_SCHEMA`.

    `given` is the code of the label that came with the import, null where none did. The row's number is the item's
    code in all arrays of a round.
    """
    rows = judged_items(project).filter(ordinal__gte=from_ordinal).order_by("ordinal").values_list(*ITEM_FIELDS)
    return read_columns(rows.iterator(chunk_size=CHUNK), ITEM_SCHEMA, on_chunk=on_chunk)


def read_classes(project: Project) -> list[dict[str, Any]]:
    """Return code, id and name of every class, in the order of their codes."""
    return list(LabelClass.objects.filter(project=project).order_by("code").values(*CLASS_FIELDS))
