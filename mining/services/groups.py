"""Take in groups of items: a column that says which of them belong together and must never straddle folds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from annotations.models import Project
from mining.group_files import groups_folder
from mining.prediction_checks import PredictionsRefused, Problem, refused

from .feature_sources import checked_name, matched_items, problems_of_items

if TYPE_CHECKING:
    import polars as pl

SUFFIXES = (".csv", ".parquet")


def read_groups(path: Path, *, column: str = "", name: str = "") -> tuple[pl.Series, pl.Series, int]:
    """Return items, values of the named (or only other) column, and the number of the first row, of CSV or Parquet."""
    import polars as pl

    name = name or path.name
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise refused(f"{name} must end in {', '.join(SUFFIXES)}.")
    try:
        table = pl.read_csv(path, infer_schema=False) if suffix == ".csv" else pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError, ValueError) as reason:
        raise refused(f"{name} cannot be read as {suffix[1:].upper()}: {reason}") from None
    others = [one for one in table.columns if one != "item"]
    if "item" not in table.columns or not others:
        raise refused(f"{name} needs the column 'item' and one with the groups; it has {table.columns[:10]}.")
    if not column and len(others) > 1:
        raise refused(f"{name} has several columns ({', '.join(others[:10])}): say which one holds the groups.")
    if column and column not in others:
        raise refused(f"{name} has no column {column!r}; there are {', '.join(others[:10])}.")
    values = table[column or others[0]].cast(pl.String)
    return table["item"].cast(pl.String).fill_null(""), values, 2 if suffix == ".csv" else 1


def store_groups(*, project: Project, name: str, paths: pl.Series, values: pl.Series, first_row: int = 1) -> int:
    """Check and keep groups; the same name again replaces the earlier ones. Returns how many groups there are.

    An empty value ties an item to nobody. Raises `PredictionsRefused`, and then nothing was stored.
    """
    import polars as pl

    checked_name(name)
    matched = matched_items(project, paths)
    problems = problems_of_items(matched, project.slug, first_row, "")
    if not len(paths):
        problems.append(Problem(0, "The file has no rows."))
    if problems:
        raise PredictionsRefused(problems, len(problems))
    table = pl.DataFrame({"item": matched["item"], "value": values}).filter(
        pl.col("value").is_not_null() & (pl.col("value") != "")
    )
    # Codes in the order of the words, so that the order of the rows does not matter.
    coded = table.select("item", group=(pl.col("value").rank("dense") - 1).cast(pl.Int64)).sort("item")
    groups_folder(project.pk).write_table(f"{name}.parquet", coded)
    return coded["group"].n_unique()


def drop_groups(*, project: Project, name: str) -> bool:
    """Forget groups; False where there were none of that name."""
    folder = groups_folder(project.pk)
    if not folder.exists(f"{checked_name(name)}.parquet"):
        return False
    folder.delete(f"{name}.parquet")
    return True
