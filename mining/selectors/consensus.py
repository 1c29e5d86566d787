"""Reads of the consensus labels as of now: which label people agree on for an item, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

from annotations.models import LabelClass, Project
from annotations.selectors.consensus import ConsensusLabel
from mining.artifacts import ArtifactMissing, Folder


def consensus_labels(project: Project, item_ids: Sequence[int]) -> dict[int, ConsensusLabel]:
    """Return item id -> its consensus, for those of these items that have one. Reads the rows it needs only."""
    import polars as pl

    if not item_ids:
        return {}
    try:
        table = Folder(f"people/{project.pk}").scan_table("consensus.parquet")
        rows = table.filter(pl.col("item").is_in(list(item_ids))).collect()
    except ArtifactMissing:
        return {}
    names = dict(LabelClass.objects.filter(project=project).values_list("code", "name"))
    return {
        item: ConsensusLabel(names.get(label, "?"), confidence, n)
        for item, label, confidence, n in rows.select("item", "label", "confidence", "n_labels").iter_rows()
    }
