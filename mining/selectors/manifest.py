"""A hard set as a trainer needs it: every item of its round with label, weight, split and fold, and who is a member.

Read a chunk at a time from the round's files, so that a million items cost no more memory than twenty thousand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mining.artifacts import ArtifactMissing, Folder
from mining.exports.records import manifest_of
from mining.models import HardSet
from mining.models.hard_set import NOT_TRAINED_ON

from .rounds import classes_of

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

ROWS_AT_ONCE = 20_000
N_FOLDS = 5
DEFAULT_WEIGHT = 2.0
MOST_WEIGHT = 100.0
MEASURE_COLUMNS = ("item", "path", "label", "label_from", "label_confidence", "split")
ITEM_COLUMNS = ("sha256", "box_x", "box_y", "box_width", "box_height")
GROUPS = "groups.parquet"
"""A column `group` in the items' order, where the round has one: items of a group never straddle folds."""
COLUMNS = (
    "item", "path", "sha256", "image", "box", "label", "label_from", "label_confidence", "split", "fold", "weight",
    "rank", "score", "reason", "verdict", "synthetic",
)  # fmt: skip


class NoManifest(Exception):
    """The files of the round are not there; the message says what to do."""


@dataclass(frozen=True)
class Manifest:
    """The items of a hard set's round, in the order of import; `only_members` leaves out the others.

    `weight` is what a member counts for in training that is neither suspected of a wrong label nor held out.
    """

    hard_set: HardSet
    weight: float = DEFAULT_WEIGHT
    only_members: bool = False

    def head(self) -> dict[str, Any]:
        """Return where it comes from and what its columns mean; raises `NoManifest`."""
        origin = manifest_of(self.hard_set)
        return origin | {
            "kind": "manifest", "n_items": self.n_rows, "only_members": self.only_members, "weight": self.weight,
            "n_folds": N_FOLDS, "label_source": self.hard_set.round.params.get("label_source", "people"),
            "columns": list(COLUMNS),
        }  # fmt: skip

    @property
    def etag(self) -> str:
        """A name for this content: hard sets and the files of a round that is over never change."""
        which = "members" if self.only_members else "all"
        return f"{self.hard_set.sha256[:40]}-{self.weight:g}-{which}"

    @property
    def n_rows(self) -> int:
        """How many items it has."""
        if self.only_members:
            return self.hard_set.n_members
        import polars as pl

        return int(self._scan("measures.parquet").select(pl.len()).collect().item())

    def chunks(self) -> Iterator[pl.DataFrame]:
        """Yield all rows, `ROWS_AT_ONCE` at a time."""
        for start in range(0, self.n_rows, ROWS_AT_ONCE):
            yield self.page(start, ROWS_AT_ONCE)

    def page(self, start: int, limit: int) -> pl.DataFrame:
        """Return rows `start` to `start + limit` as a table with the columns `COLUMNS`; raises `NoManifest`."""
        import polars as pl

        places = self._places(start, limit)
        measures = _rows(self._scan("measures.parquet"), MEASURE_COLUMNS, places)
        items = _rows(self._scan("items.parquet"), ITEM_COLUMNS, places)
        table = pl.concat([measures, items, self._groups(places, len(items))], how="horizontal")
        members = self._members(table["item"])
        table = table.join(members, on="item", how="left", maintain_order="left")
        return table.with_columns(**self._made_columns()).select(COLUMNS)

    def _made_columns(self) -> dict[str, Any]:
        import polars as pl

        slug = self.hard_set.round.project.slug
        classes = dict(enumerate(classes_of(self.hard_set.round)))
        held_out = pl.col("split") == "test"
        extra = pl.col("rank").is_not_null() & ~pl.col("verdict").is_in(NOT_TRAINED_ON)
        usable = pl.col("label").is_not_null() & ~held_out
        boxed = pl.col("box_x").is_not_null()
        return {
            "image": pl.format(f"/api/v1/projects/{slug}/images/{{}}", "sha256"),
            "box": pl.when(boxed).then(pl.concat_list("box_x", "box_y", "box_width", "box_height")),
            "label": pl.col("label").replace_strict(classes, default=None, return_dtype=pl.String),
            "fold": pl.when(~held_out).then(_fold()),
            "weight": pl.when(~usable).then(0.0).when(extra).then(self.weight).otherwise(1.0),
            "synthetic": pl.lit(self.hard_set.round.has_synthetic),
        }  # fmt: skip

    def _places(self, start: int, limit: int) -> tuple[int, int] | np.ndarray:
        """Return the rows to read: a stretch of the file, or for members only the places of theirs."""
        if not self.only_members:
            return start, limit
        import numpy as np

        ids = np.fromiter(self.hard_set.members.order_by().values_list("item_id", flat=True).iterator(), np.int64)
        everything = self._scan("measures.parquet").select("item").collect()["item"].to_numpy()
        return np.flatnonzero(np.isin(everything, ids))[start : start + limit]

    def _groups(self, places: tuple[int, int] | np.ndarray, n_rows: int) -> pl.DataFrame:
        """Return the groups (near-duplicates, a named column) that the round kept in one fold, null without any."""
        import polars as pl

        if not Folder(self.hard_set.round.folder).exists(GROUPS):
            return pl.DataFrame({"group": pl.Series([None] * n_rows, dtype=pl.Int64)})
        return _rows(self._scan(GROUPS), ("group",), places).cast(pl.Int64)

    def _members(self, items: pl.Series) -> pl.DataFrame:
        import polars as pl

        schema = {"item": pl.Int64, "rank": pl.Int64, "score": pl.Float64, "reason": pl.String, "verdict": pl.String}
        if len(items) == 0:
            return pl.DataFrame(schema=schema)
        # Ids of a stretch lie close together: two bounds are a shorter question than twenty thousand ids.
        rows = self.hard_set.members.filter(item_id__gte=items.min(), item_id__lte=items.max()).order_by()
        return pl.DataFrame(
            list(rows.values_list("item_id", "rank", "score", "reason", "verdict")), schema=schema, orient="row"
        )

    def _scan(self, name: str) -> pl.LazyFrame:
        try:
            return Folder(self.hard_set.round.folder).scan_table(name)
        except ArtifactMissing:
            number = self.hard_set.round.number
            raise NoManifest(f"The files of round {number} are no longer there: start a new round.") from None


def _fold() -> pl.Expr:
    """Deal folds by the group, else by the file's own hash: all objects of an image are in one fold and stay in it."""
    import polars as pl

    # Knuth's multiplicative hash: groups are numbered in the order of import, which may repeat the classes in turn.
    by_group = (pl.col("group") * 2_654_435_761 % 2**32 // 2**16) % N_FOLDS
    by_file = pl.col("sha256").str.slice(0, 8).str.to_integer(base=16, dtype=pl.Int64) % N_FOLDS
    return pl.when(pl.col("group").is_null()).then(by_file).otherwise(by_group)


def _rows(table: pl.LazyFrame, columns: tuple[str, ...], places: tuple[int, int] | np.ndarray) -> pl.DataFrame:
    wanted = table.select(columns)
    return wanted.slice(*places).collect() if isinstance(places, tuple) else wanted.collect()[places]
