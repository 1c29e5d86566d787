"""Take in what describes items: a network after it was tried, vectors after every row was checked."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from annotations.models import Item, ItemAlias, Project
from mining.artifacts import Folder
from mining.models import FeatureSource, Round
from mining.prediction_checks import MOST_PROBLEMS, PredictionsRefused, Problem, refused

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from mining.feature_files import FeatureTable

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
MOST_SIDE = 1024


def checked_name(name: str) -> str:
    """Return the name, or raise `PredictionsRefused`."""
    if not NAME.fullmatch(name):
        raise refused(f"{name!r} is no name: use small letters, digits, - and _, at most 40 of them.")
    return name


def store_network(
    *, project: Project, name: str, data: bytes, declared: dict[str, Any], created_by: Any = None
) -> FeatureSource:
    """Try an ONNX network in a process of its own and keep it; the same name again replaces the earlier one.

    `declared`: `normalisation` (one of `NORMALISATIONS`) and, where the network leaves them open, `width`, `height`,
    `output`. Raises `NetworkRefused` or `PredictionsRefused`, and then nothing was stored.
    """
    from mining.networks.process import NORMALISATIONS, NetworkProcess

    checked_name(name)
    if declared.get("normalisation") not in NORMALISATIONS:
        raise refused(f"normalisation is one of {', '.join(NORMALISATIONS)}, not {declared.get('normalisation')!r}.")
    with NetworkProcess(data, declared) as network:
        facts = network.facts
    sha256 = hashlib.sha256(data).hexdigest()
    Folder(f"networks/{project.pk}").write_bytes(f"{sha256}.onnx", data)
    return _kept(
        project, FeatureSource.Kind.NETWORK, name, created_by, sha256=sha256, dimension=facts["dimension"],
        n_items=None, n_bytes=len(data), facts={**facts, "declared": declared},
    )  # fmt: skip


def store_features(*, project: Project, name: str, table: FeatureTable, created_by: Any = None) -> FeatureSource:
    """Check every row of a file and keep its vectors; the same name again replaces the earlier ones.

    Items of the project that the file lacks are allowed. Raises `PredictionsRefused`, and then nothing was stored.
    """
    import numpy as np

    from mining.feature_files import folder_of_file
    from mining.feature_keys import bytes_of_words, words_of_ids
    from mining.feature_store import write_part

    checked_name(name)
    ids, problems = _ids(project, table)
    if not len(table):
        problems.append(Problem(0, "The file has no rows.", table.name))
    dimension, sha256, constant, more = _look_through(table, ids)
    problems = sorted([*problems, *more])
    if problems:
        raise PredictionsRefused(problems, len(problems))
    folder = folder_of_file(project.pk, sha256)
    n_bytes = 0
    for start, vectors in table.vectors():
        some = ids[start : start + len(vectors)]
        n_bytes += vectors.nbytes
        write_part(folder, bytes_of_words(words_of_ids(np.asarray(some))), vectors)
    return _kept(
        project, FeatureSource.Kind.FILE, name, created_by, sha256=sha256, dimension=dimension, n_items=len(table),
        n_bytes=n_bytes, facts={"constant": constant},
    )  # fmt: skip


def drop_source(*, source: FeatureSource) -> None:
    """Forget a network or a file. What rounds described with it stays with them."""
    others = FeatureSource.objects.filter(project=source.project, sha256=source.sha256).exclude(pk=source.pk)
    used = Round.objects.filter(project=source.project, params__feature_sha256=source.sha256)
    if source.kind == FeatureSource.Kind.NETWORK and not others.exists():
        folder, _, file = source.network_file.rpartition("/")
        Folder(folder).delete(file)
    elif source.kind == FeatureSource.Kind.FILE and not others.exists() and not used.exists():
        from mining.feature_files import folder_of_file

        parts = folder_of_file(source.project_id, source.sha256)
        for part in parts.names():
            parts.delete(part)
    source.delete()


def _kept(project: Project, kind: str, name: str, created_by: Any, **facts: Any) -> FeatureSource:
    source, _ = FeatureSource.objects.update_or_create(
        project=project, kind=kind, name=name, defaults={**facts, "created_by": created_by}
    )
    return source


def known_items(project: Project) -> pl.DataFrame:
    """Return the columns `path` and `item` (id) of all paths of the project; an item's own path before an alias."""
    import polars as pl

    from mining.adapters.columns import read_columns

    schema = {"path": pl.String, "item": pl.Int64}
    own = Item.objects.filter(project=project).order_by("ordinal").values_list("path", "pk")
    other = ItemAlias.objects.filter(project=project).values_list("path", "item_id")
    tables = [read_columns(rows.iterator(chunk_size=20_000), schema) for rows in (own, other)]
    return pl.concat(tables).unique("path", keep="first", maintain_order=True)


def matched_items(project: Project, paths: pl.Series) -> pl.DataFrame:
    """Return a row a path: `path`, `item` (id, null where unknown) and `earlier` (the row of the same item before)."""
    import polars as pl

    named = pl.DataFrame({"path": paths}).with_row_index("row")
    found = named.join(known_items(project), on="path", how="left", maintain_order="left")
    first = pl.col("row").min().over("item")
    return found.with_columns(earlier=pl.when(pl.col("item").is_not_null() & (first < pl.col("row"))).then(first))


def problems_of_items(matched: pl.DataFrame, slug: str, first_row: int, file: str) -> list[Problem]:
    """Return a problem for each path that is no item, or the item of an earlier row."""
    import polars as pl

    wrong = matched.filter(pl.col("item").is_null() | pl.col("earlier").is_not_null())
    return [
        Problem(
            row + first_row,
            f"{path!r} is no item of {slug}: use the path given at import."
            if item is None
            else f"{path!r} is the item of row {earlier + first_row} again.",
            file,
        )
        for row, path, item, earlier in wrong.select("row", "path", "item", "earlier").iter_rows()
    ]


def _ids(project: Project, table: FeatureTable) -> tuple[np.ndarray, list[Problem]]:
    matched = matched_items(project, table.paths)
    problems = problems_of_items(matched, project.slug, table.first_row, table.name)
    return matched["item"].fill_null(0).to_numpy(), problems


def _look_through(table: FeatureTable, ids: np.ndarray) -> tuple[int, str, list[int], list[Problem]]:
    """Return the width, the digest of items and vectors, constant columns, and rows that are not finite."""
    import numpy as np

    from mining.feature_files import MOST_DIMENSION

    digest = hashlib.sha256()
    problems: list[Problem] = []
    least = most = None
    width = 0
    for start, vectors in table.vectors():
        width = vectors.shape[1]
        if not 1 <= width <= MOST_DIMENSION:
            raise refused(f"There are {width:,} numbers an item; 1 to {MOST_DIMENSION:,} are possible.", table.name)
        finite = np.isfinite(vectors)
        for row in np.flatnonzero(~finite.all(axis=1))[: MOST_PROBLEMS - len(problems)]:
            column = int(np.argmin(finite[row]))
            text = f"number {column + 1} is {vectors[row, column]}, not finite"
            problems.append(Problem(start + int(row) + table.first_row, text, table.name))
        digest.update(np.ascontiguousarray(ids[start : start + len(vectors)]).tobytes() + vectors.tobytes())
        low, high = vectors.min(axis=0), vectors.max(axis=0)
        least = low if least is None else np.minimum(least, low)
        most = high if most is None else np.maximum(most, high)
    constant = [] if least is None else [int(place) for place in np.flatnonzero(least == most)]
    return width, digest.hexdigest(), constant, problems


__all__ = ["drop_source", "known_items", "matched_items", "problems_of_items", "store_features", "store_network"]
