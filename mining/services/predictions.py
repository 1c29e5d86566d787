"""Take in predictions of a model from elsewhere: check every row, store them, or say what is wrong with each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from annotations.models import Item, ItemAlias, Project
from mining.artifacts import project_folder
from mining.selectors.choices import FILE_PREFIX

if TYPE_CHECKING:
    import numpy as np

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
SUM_TOLERANCE = 1e-3
MOST_PROBLEMS = 1000


class PredictionsRefused(Exception):
    """Nothing was stored. `problems` lists each as (row, what is wrong); row 0 is the file as a whole."""

    def __init__(self, problems: list[tuple[int, str]], n_problems: int | None = None) -> None:
        self.problems = problems
        self.n_problems = len(problems) if n_problems is None else n_problems
        first = problems[0]
        where = f"row {first[0]}: " if first[0] else ""
        more = f" ({self.n_problems - 1} more problems)" if self.n_problems > 1 else ""
        super().__init__(f"{where}{first[1]}{more}")


@dataclass(frozen=True)
class PredictionTable:
    """What a reader makes of a file: paths of items (n,), names of classes, and values (n, K)."""

    paths: list[str]
    classes: list[str]
    values: np.ndarray
    first_row: int = field(default=1)
    """Number of the first row, as the user's program shows it."""


@dataclass(frozen=True)
class ImportedPredictions:
    learner: str
    n_items: int
    n_without: int
    """Items of the project for which the file has no prediction."""
    out_of_fold: bool


def store_predictions(
    *, project: Project, name: str, table: PredictionTable, out_of_fold: bool, logits: bool = False
) -> ImportedPredictions:
    """Check and store predictions: from then on they are the learner `file:<name>`, in place of earlier ones.

    With `logits` the values are turned into probabilities by softmax. Raises `PredictionsRefused`, and then nothing was
    stored.
    """
    import numpy as np

    if not NAME.fullmatch(name):
        raise PredictionsRefused([(0, f"{name!r} is no name: use small letters, digits, - and _, at most 40 of them.")])
    codes = _class_codes(project, table)
    items, problems = _item_ids(project, table)
    values, more = _probabilities(table, logits=logits)
    problems = sorted(problems + more)
    if problems:
        raise PredictionsRefused(problems[:MOST_PROBLEMS], len(problems))
    probabilities = np.zeros((len(values), len(codes)), dtype=np.float32)
    probabilities[:, [codes[label] for label in table.classes]] = values
    order = np.argsort(items, kind="stable")
    folder = project_folder("predictions", project.pk)
    sha256 = folder.write_arrays(f"{name}.npz", {"item": items[order], "probabilities": probabilities[order]})
    n_items = Item.objects.filter(project=project).count()
    about = {
        "name": name, "learner": f"{FILE_PREFIX}{name}", "n_items": len(items), "n_without": n_items - len(items),
        "out_of_fold": out_of_fold, "logits": logits, "sha256": sha256,
    }  # fmt: skip
    folder.write_json(f"{name}.json", about)
    return ImportedPredictions(f"{FILE_PREFIX}{name}", len(items), n_items - len(items), out_of_fold)


def _class_codes(project: Project, table: PredictionTable) -> dict[str, int]:
    """Return class name -> code of all the project's classes; the file's columns must be exactly these."""
    codes = dict(project.classes.order_by("code").values_list("name", "code"))
    problems = [
        (0, f"The column {name!r} is no class of {project.slug}.") for name in table.classes if name not in codes
    ]
    problems += [(0, f"There is no column for the class {name!r}.") for name in codes if name not in table.classes]
    doubled = sorted({name for name in table.classes if table.classes.count(name) > 1})
    problems += [(0, f"The column {name!r} comes twice.") for name in doubled]
    if problems:
        raise PredictionsRefused(problems)
    if not table.paths:
        raise PredictionsRefused([(0, "The file has no rows.")])
    return codes


def _item_ids(project: Project, table: PredictionTable) -> tuple[np.ndarray, list[tuple[int, str]]]:
    """Return the items' ids (n,) and a problem for each path that is unknown or comes twice."""
    import numpy as np

    known: dict[str, int] = {}
    for rows in (
        ItemAlias.objects.filter(project=project).values_list("path", "item_id"),
        Item.objects.filter(project=project).order_by("-ordinal").values_list("path", "pk"),
    ):
        known.update(rows.iterator(chunk_size=20_000))
    ids = np.zeros(len(table.paths), dtype=np.int64)
    problems: list[tuple[int, str]] = []
    row_of: dict[int, int] = {}
    for number, path in enumerate(table.paths):
        row = number + table.first_row
        item = known.get(path)
        if item is None:
            problems.append((row, f"{path!r} is no item of {project.slug}: use the path given at import."))
        elif item in row_of:
            problems.append((row, f"{path!r} is the item of row {row_of[item]} again."))
        else:
            row_of[item] = row
            ids[number] = item
    return ids, problems


def _probabilities(table: PredictionTable, *, logits: bool) -> tuple[np.ndarray, list[tuple[int, str]]]:
    """Return probabilities (n, K) that sum to one, and a problem for each row that holds something else."""
    import numpy as np

    values = np.asarray(table.values, dtype=np.float64)
    unknown = ~np.isfinite(values)
    problems = _of_rows(table, unknown.any(axis=1), "{0} is not a number or not finite", values, unknown)
    values = np.where(unknown, 0.0, values)
    if logits:
        shifted = np.exp(values - values.max(axis=1, keepdims=True))
        return shifted / shifted.sum(axis=1, keepdims=True), problems
    outside = ((values < 0) | (values > 1 + SUM_TOLERANCE)) & ~unknown
    problems += _of_rows(table, outside.any(axis=1), "{0} is {1:g}, no probability", values, outside)
    total = values.sum(axis=1)
    wrong = (np.abs(total - 1) > SUM_TOLERANCE) & ~unknown.any(axis=1) & ~outside.any(axis=1)
    problems += [
        (int(row) + table.first_row, f"the probabilities sum to {total[row]:.4g}, not to 1 (for logits say --logits)")
        for row in np.flatnonzero(wrong)
    ]
    return values / np.where(total > 0, total, 1.0)[:, None], problems


def _of_rows(
    table: PredictionTable, rows: Any, sentence: str, values: np.ndarray, where: np.ndarray
) -> list[tuple[int, str]]:
    import numpy as np

    found: list[tuple[int, str]] = []
    for row in np.flatnonzero(rows):
        column = int(np.argmax(where[row]))
        found.append((int(row) + table.first_row, sentence.format(table.classes[column], values[row, column])))
    return found
