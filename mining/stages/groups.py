"""Which items belong together: objects of one image, near-duplicates, a named column.

They never straddle folds, nor the held-out test.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from mining.group_files import stored_groups
from mining.hardness.near_duplicates import near_duplicate_groups
from mining.people import split_of

from .context import StageRun
from .features import hashes_of

NEAR_BITS = 2
"""Difference hashes that differ in so few of 64 bits: the same picture saved twice, not two pictures alike."""
LARGEST_SHARE = 0.02
"""Hashes of plain or tiny images are chained into large groups that are no copies: those are left alone."""
SMALLEST_LARGE = 5
"""So many copies of one picture are believed in any set; nine bottles on white are a kind of picture."""
GROUPS = "groups.parquet"


def deal_test(stage: StageRun, items: pl.DataFrame) -> pl.DataFrame:
    """Write groups.parquet, a row an item in the items' order, and return it: `group`, and `split`, train or test.

    The first of the stages that learn from labels calls it, before it looks at any: what is held out is never learnt.
    """
    groups = groups_of(stage, items)
    split = split_of(items["sha256"].to_list(), stage.params["test_share"], groups)
    table = pl.DataFrame({"group": groups, "split": split})
    stage.write_table(GROUPS, table)
    return table


def is_held_out(stage: StageRun) -> np.ndarray:
    """Return (n,) bool in the items' order: whether the item belongs to the held-out test of the round."""
    return (stage.folder.read_table(GROUPS, ["split"])["split"] == "test").to_numpy()


def groups_of(stage: StageRun, items: pl.DataFrame) -> np.ndarray:
    """Return (n,) group numbers: items that share an image, a near-duplicate or a value of the named column."""
    ties = [items["image"].to_numpy().astype(np.int64)]
    if stage.params.get("near_duplicates_together", True):
        ties += _near_duplicates(stage, items)
    name = stage.params.get("groups", "")
    if name:
        ties.append(_named(stage, name, items["item"].to_numpy()))
    return tied_together(ties)


def tied_together(ties: list[np.ndarray]) -> np.ndarray:
    """Return (n,) numbers of the groups that any of the partitions chain together; a negative value ties nothing."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n_items = len(ties[0])
    rows, columns, n_nodes = [], [], n_items
    for tie in ties:
        members = np.flatnonzero(tie >= 0)
        codes = np.unique(tie[members], return_inverse=True)[1]
        rows.append(members)
        columns.append(n_nodes + codes)
        n_nodes += int(codes.max(initial=-1)) + 1
    edge_rows, edge_columns = np.concatenate(rows), np.concatenate(columns)
    graph = coo_matrix((np.ones(len(edge_rows), dtype=np.int8), (edge_rows, edge_columns)), shape=(n_nodes, n_nodes))
    joined = connected_components(graph, directed=False)[1][:n_items]
    # Numbered by first appearance, so that the numbers do not depend on the library's order.
    _, first, inverse = np.unique(joined, return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int64)
    order[np.argsort(first, kind="stable")] = np.arange(len(first))
    return np.asarray(order[inverse])


def _near_duplicates(stage: StageRun, items: pl.DataFrame) -> list[np.ndarray]:
    hashes, known = hashes_of(stage, items)
    if not known.any():
        return []
    groups = np.full(len(items), -1, dtype=np.int64)
    # Objects of one image and copies share a region already; what is compared is one picture a region.
    groups[known] = near_duplicate_groups(hashes[known], NEAR_BITS)
    size = np.bincount(groups[known])
    too_large = np.flatnonzero(size > max(SMALLEST_LARGE, LARGEST_SHARE * known.sum()))
    groups[np.isin(groups, too_large)] = -1
    together = int((np.bincount(groups[groups >= 0], minlength=1) > 1).sum())
    if together:
        stage.run.note(f"{together:,} groups of near-duplicates are kept in one fold each.")
    if len(too_large):
        stage.run.note(
            f"{int(size[too_large].sum()):,} images look alike at a glance but are too many to be copies of each "
            "other: they are dealt to folds one by one."
        )
    return [groups]


def _named(stage: StageRun, name: str, item_ids: np.ndarray) -> np.ndarray:
    table = stored_groups(stage.round.project_id, name)
    if table is None:
        stage.lack(
            f"The groups {name} are no longer there.", "Import them again (import_groups) and start a new round."
        )
        return np.full(len(item_ids), -1, dtype=np.int64)
    found = pl.DataFrame({"item": item_ids}).join(table, on="item", how="left", maintain_order="left")["group"]
    missing = found.null_count()
    if missing:
        stage.lack(f"{missing:,} items have no value in the groups {name}.",
                   "Each of them was dealt to folds by itself; import groups for them too.")  # fmt: skip
    return found.fill_null(-1).to_numpy().astype(np.int64)
