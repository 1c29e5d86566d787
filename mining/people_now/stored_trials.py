"""A project's trials as a table on disk, to which only what is new is added.

`base.parquet` holds the trials that the last whole fit was made from, `new.parquet` what has come or changed since.
A trial gets its answer after its id, and may be corrected later: so besides ids above the highest one seen, those that
were open and those with new annotations are read again. Once a day everything is, for whatever changed in other ways.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import polars as pl
from django.db.models import Max, Q
from django.utils import timezone

from annotations.models import Annotation, Item, Project, Trial
from mining.adapters import annotator_table, item_table, trial_table
from mining.adapters.columns import OnChunk
from mining.adapters.trials import OVER
from mining.artifacts import ArtifactMissing, Folder

OVERLAP = 1000
"""Ids that are read twice: on PostgreSQL a lower id may be committed after a higher one."""
READ_ALL_AFTER = timedelta(days=1)
CHUNK = 10_000


@dataclass(frozen=True)
class StoredTrials:
    """`trials`: all of them; `base`: those of the last whole fit; `new`: what came or changed since."""

    items: pl.DataFrame
    annotators: pl.DataFrame
    base: pl.DataFrame
    new: pl.DataFrame
    mark: dict[str, Any]

    @cached_property
    def trials(self) -> pl.DataFrame:
        return _put_over(self.base, self.new)


def people_folder(project_id: int) -> Folder:
    """Return the folder of what people say of a project as of now."""
    return Folder(f"people/{project_id}")


def bring_up_to_date(project: Project, *, on_chunk: OnChunk | None = None) -> StoredTrials:
    """Read what is new since the last time, or everything where that is called for, and keep it."""
    folder = people_folder(project.pk)
    annotators = annotator_table(project)
    try:
        mark = folder.read_json("trials.json")
        items = _more_items(project, folder)
        # What an object's trials say is made anew from the boxes, under the same ids.
        if project.draws_boxes:
            raise ArtifactMissing
        known = annotators["id"].to_list()[: len(mark["annotators"])]
        stale = timezone.now() - datetime.fromisoformat(mark["read_at"]) > READ_ALL_AFTER
        if stale or items is None or known != mark["annotators"]:
            raise ArtifactMissing
    except ArtifactMissing:
        return _read_all(project, folder, annotators, on_chunk)
    seen = _highest(project)
    changed, still_open = _changes(project, items, mark)
    base, before = _read(folder, "base.parquet"), _read(folder, "new.parquet")
    new = _put_over(before, _not_the_same(changed, _put_over(base.filter(_among(changed)), before)))
    _write(folder, "new.parquet", new)
    mark = {**mark, **seen, "open": still_open, "annotators": annotators["id"].to_list()}
    folder.write_json("trials.json", mark)
    return StoredTrials(items, annotators, base, new, mark)


def make_base(project: Project, stored: StoredTrials) -> StoredTrials:
    """Make all trials the base of the next updates, just before a whole fit of them."""
    folder = people_folder(project.pk)
    base, none = stored.trials, stored.new.clear()
    _write(folder, "base.parquet", base)
    _write(folder, "new.parquet", none)
    mark = {**stored.mark, "base_made_at": timezone.now().isoformat()}
    folder.write_json("trials.json", mark)
    return StoredTrials(stored.items, stored.annotators, base, none, mark)


def read_stored(project: Project) -> StoredTrials:
    """Return what is on disk, without looking for more. Raises ArtifactMissing while there is nothing."""
    folder = people_folder(project.pk)
    mark = folder.read_json("trials.json")
    # In this order: trials that move from one file to the other in between are then seen twice, and never lost.
    new, base = _read(folder, "new.parquet"), _read(folder, "base.parquet")
    return StoredTrials(_read(folder, "items.parquet"), annotator_table(project), base, new, mark)


def read_newer(project: Project, then: StoredTrials) -> StoredTrials:
    """Return what is on disk by now, with `new`: at least all that is not in ``then``."""
    folder = people_folder(project.pk)
    new = _read(folder, "new.parquet")
    # In this order: of a base made in between the mark would tell.
    mark = folder.read_json("trials.json")
    if mark.get("base_made_at") == then.mark.get("base_made_at"):
        return StoredTrials(_read(folder, "items.parquet"), then.annotators, then.base, new, mark)
    now = read_stored(project)
    return replace(now, new=_not_the_same(now.trials, then.trials))


def _read_all(project: Project, folder: Folder, annotators: pl.DataFrame, on_chunk: OnChunk | None) -> StoredTrials:
    seen = _highest(project)
    items = item_table(project).select("item", "image", "given")
    trials = trial_table(project, items, on_chunk=on_chunk)
    still_open = Trial.objects.filter(project=project).exclude(state__in=OVER).values_list("pk", flat=True)
    mark = {
        **seen, "open": list(still_open), "annotators": annotators["id"].to_list(),
        "read_at": timezone.now().isoformat(), "base_made_at": timezone.now().isoformat(),
    }  # fmt: skip
    _write(folder, "items.parquet", items)
    _write(folder, "new.parquet", trials.clear())
    _write(folder, "base.parquet", trials)
    folder.write_json("trials.json", mark)
    return StoredTrials(items, annotators, trials, trials.clear(), mark)


def _highest(project: Project) -> dict[str, int]:
    """Highest ids; to be read before the rows, so that what comes in between is read again the next time."""
    return {
        "last_trial": Trial.objects.filter(project=project).aggregate(n=Max("pk"))["n"] or 0,
        "last_annotation": Annotation.objects.aggregate(n=Max("pk"))["n"] or 0,
    }


def _more_items(project: Project, folder: Folder) -> pl.DataFrame | None:
    """Return the items on disk with those imported since; None where the two do not fit together."""
    items = _read(folder, "items.parquet")
    n_items = Item.objects.filter(project=project).count()
    if len(items) < n_items:
        items = pl.concat([items, item_table(project, from_ordinal=len(items)).select("item", "image", "given")])
        _write(folder, "items.parquet", items)
    return items if len(items) == n_items else None


def _changes(project: Project, items: pl.DataFrame, mark: dict[str, Any]) -> tuple[pl.DataFrame, list[int]]:
    since = mark["last_trial"] - OVERLAP
    # The project is compared here: asked for it, SQLite would go through all trials of the project.
    late = Annotation.objects.filter(pk__gt=mark["last_annotation"] - OVERLAP).values_list("trial", "trial__project")
    again = sorted(set(mark["open"]).union(trial for trial, of in late.iterator() if of == project.pk))
    parts = [trial_table(project, items, where=Q(pk__gt=since))]
    young = Trial.objects.filter(project=project, pk__gt=since).exclude(state__in=OVER)
    open_ids = set(young.values_list("pk", flat=True))
    for start in range(0, len(again), CHUNK):
        some = again[start : start + CHUNK]
        parts.append(trial_table(project, items, where=Q(pk__in=some)))
        rows = Trial.objects.filter(project=project, pk__in=some).exclude(state__in=OVER)
        open_ids.update(rows.values_list("pk", flat=True))
    return pl.concat(parts).unique("trial", keep="last", maintain_order=True), sorted(open_ids)


def _put_over(table: pl.DataFrame, newer: pl.DataFrame) -> pl.DataFrame:
    """Return `table` with the rows of `newer`, which replace those of the same trial."""
    if newer.is_empty():
        return table
    return pl.concat([table.join(newer.select("trial"), on="trial", how="anti", maintain_order="left"), newer])


def _among(changed: pl.DataFrame) -> pl.Expr:
    return pl.col("trial").is_in(changed["trial"].implode())


def _not_the_same(changed: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that are not known as they are."""
    return changed.join(known, on=changed.columns, how="anti", nulls_equal=True, maintain_order="left")


def _read(folder: Folder, name: str) -> pl.DataFrame:
    return folder.read_table(name)


def _write(folder: Folder, name: str, table: pl.DataFrame) -> None:
    # Written often and read by nobody else: speed counts, not size.
    buffer = io.BytesIO()
    table.write_parquet(buffer, compression="lz4")
    folder.write_bytes(name, buffer.getvalue())
