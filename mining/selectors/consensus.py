"""Reads of the consensus labels as of now: which label people agree on for an item, and how sure that is."""

from __future__ import annotations

import io
from collections.abc import Sequence

from annotations.models import LabelClass, Project
from annotations.selectors.consensus import ConsensusLabel
from mining.artifacts import ArtifactMissing, Folder


def consensus_labels(project: Project, item_ids: Sequence[int]) -> dict[int, ConsensusLabel]:
    """Return item id -> its consensus, for those of these items that have one."""
    import polars as pl

    if not item_ids:
        return {}
    try:
        # Read at once, not scanned: the file is replaced every few seconds while people label.
        file = io.BytesIO(Folder(f"people/{project.pk}").read_bytes("consensus.parquet"))
    except ArtifactMissing:
        return {}
    rows = pl.scan_parquet(file).filter(pl.col("item").is_in(list(item_ids))).collect()
    names = dict(LabelClass.objects.filter(project=project).values_list("code", "name"))
    return {
        item: ConsensusLabel(names.get(label, "?"), confidence, n)
        for item, label, confidence, n in rows.select("item", "label", "confidence", "n_labels").iter_rows()
    }
