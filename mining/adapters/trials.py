"""Trials and annotators as columns."""

from __future__ import annotations

from typing import Any

import polars as pl
from django.db.models import FilteredRelation, Q

from annotations.models import Annotator, Project, Trial
from annotations.services.written_trials import MISSED

from .columns import CHUNK, OnChunk, read_columns

CENSORED_REASONS = (MISSED, "no_answer", "timed_out")
"""Reasons for a missing response time that say: it took longer than the limit."""

OVER = (Trial.State.ANSWERED, Trial.State.SKIPPED)

ROW_SCHEMA: dict[str, Any] = {
    "trial": pl.Int64,
    "item_id": pl.Int64,
    "annotator_id": pl.Int64,
    "look": pl.Int16,
    "purpose": pl.String,
    "source": pl.String,
    "state": pl.String,
    "position": pl.Int32,
    "session_id": pl.Int64,
    "session_name": pl.String,
    "response_ms": pl.Float64,
    "censored_at_ms": pl.Float64,
    "null_reason": pl.String,
    "label": pl.Int16,
    "assisted": pl.Boolean,
}
ROW_FIELDS = (
    "pk", "item_id", "annotator_id", "look", "purpose", "source", "state", "position", "session_id", "session_name",
    "response_ms", "censored_at_ms", "null_reason", "current__label__code", "flags",
)  # fmt: skip


def trial_table(
    project: Project, items: pl.DataFrame, *, where: Q | None = None, on_chunk: OnChunk | None = None
) -> pl.DataFrame:
    """Return every trial of the project that is over (and meets `where`), in the order of their ids.

    Columns: `trial` (id), `item` (row number in `items`), `annotator` (row number in `annotator_table`), `look`,
    `source`, `state`, `position`, `session`, `response_ms` (null where it cannot be trusted), `censored` (no answer
    before the limit: evidence of hardness), `censored_at_ms`, `null_reason`, `label` (class code, null without an
    answer), `assisted`, `purpose` ("" for a judgment, else training, gold or repeat), and `timed`: whether the trial
    may speak about time: first looks without assistance, and judgments only.
    """
    over = Trial.objects.filter(where or Q(), project=project, state__in=OVER)
    rows = (
        over.annotate(current=FilteredRelation("annotations", condition=Q(annotations__is_current=True)))
        .order_by("pk")
        .values_list(*ROW_FIELDS)
    )
    table = read_columns(
        ((*row[:-1], "assisted" in (row[-1] or ())) for row in rows.iterator(chunk_size=CHUNK)),
        ROW_SCHEMA,
        on_chunk=on_chunk,
    )
    number_of_item = items.select(pl.col("item").alias("item_id")).with_row_index("item")
    number_of_annotator = (
        annotator_table(project).select(pl.col("id").alias("annotator_id")).with_row_index("annotator")
    )
    joined = table.join(number_of_item, on="item_id", how="inner", maintain_order="left").join(
        number_of_annotator, on="annotator_id", how="inner", maintain_order="left"
    )
    return joined.with_columns(
        session=pl.when(pl.col("session_name") != "")
        .then(pl.col("session_name"))
        .otherwise(pl.col("session_id").cast(pl.String).fill_null("")),
        censored=pl.col("response_ms").is_null()
        & (pl.col("censored_at_ms").is_not_null() | pl.col("null_reason").is_in(CENSORED_REASONS)),
    ).select(
        "trial", "item", "annotator", "look", "purpose", "source", "state", "position", "session", "response_ms",
        "censored", "censored_at_ms", "null_reason", "label", "assisted",
        timed=(pl.col("look") == 1)
        & (pl.col("purpose") == "")
        & ~pl.col("assisted")
        & (pl.col("response_ms").is_not_null() | pl.col("censored")),
    )  # fmt: skip


def annotator_table(project: Project) -> pl.DataFrame:
    """Return `id`, `name` and `kind` of the project's annotators in the order of their ids."""
    rows = Annotator.objects.filter(project=project).order_by("pk").values_list("pk", "name", "kind")
    return read_columns(rows, {"id": pl.Int64, "name": pl.String, "kind": pl.String})
