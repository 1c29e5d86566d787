"""What is wrong with predictions from elsewhere: every problem with its file and row. Nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

SUM_TOLERANCE = 1e-3
MOST_PROBLEMS = 1000


class Problem(NamedTuple):
    """One thing that is wrong. Row 0 is the file as a whole, an empty file the only one, or all of them."""

    row: int
    text: str
    file: str = ""

    def __str__(self) -> str:
        where = ", ".join([*([self.file] if self.file else []), *([f"row {self.row}"] if self.row else [])])
        return f"{where}: {self.text}" if where else self.text


class PredictionsRefused(Exception):
    """Nothing was stored. `problems` holds the first MOST_PROBLEMS of `n_problems`."""

    def __init__(self, problems: list[Problem], n_problems: int | None = None) -> None:
        self.problems = problems[:MOST_PROBLEMS]
        self.n_problems = len(problems) if n_problems is None else n_problems
        more = f" ({self.n_problems - 1:,} more problems)" if self.n_problems > 1 else ""
        super().__init__(f"{problems[0]}{more}")


def refused(text: str, file: str = "") -> PredictionsRefused:
    """Return the refusal of a file, or of all of them, as a whole."""
    return PredictionsRefused([Problem(0, text, file)])


@dataclass(frozen=True)
class PredictionTable:
    """What a reader makes of a file: paths of items (n,), names of classes, and values (n, K)."""

    paths: list[str]
    classes: list[str]
    values: np.ndarray
    first_row: int = field(default=1)
    """Number of the first row, as the user's program shows it."""
    file: str = field(default="")
    """Its name, where there are several."""
    logits: bool | None = field(default=None)
    """Whether the file itself says that its values are logits, or that they are not."""


def class_problems(table: PredictionTable, codes: Mapping[str, int], slug: str) -> list[Problem]:
    """Return what is wrong with the columns: they must be exactly the project's classes."""
    named = set(table.classes)
    found = [f"The column {name!r} is no class of {slug}." for name in table.classes if name not in codes]
    found += [f"There is no column for the class {name!r}." for name in codes if name not in named]
    found += [f"The column {name!r} comes twice." for name in sorted(named) if table.classes.count(name) > 1]
    if not found and not table.paths:
        found.append("The file has no rows.")
    return [Problem(0, text, table.file) for text in found]


def item_ids(
    table: PredictionTable, known: Mapping[str, int], slug: str, seen: dict[int, str]
) -> tuple[np.ndarray, list[Problem]]:
    """Return the items' ids (n,) and a problem for each path that is unknown or comes twice.

    `seen` says where each item was found so far, and is added to: folds of one model must not share items.
    """
    import numpy as np

    ids = np.zeros(len(table.paths), dtype=np.int64)
    problems: list[Problem] = []
    for number, path in enumerate(table.paths):
        row = number + table.first_row
        item = known.get(path)
        if item is None:
            problems.append(Problem(row, f"{path!r} is no item of {slug}: use the path given at import.", table.file))
        elif item in seen:
            problems.append(Problem(row, f"{path!r} is the item of {seen[item]} again.", table.file))
        else:
            seen[item] = f"{table.file}, row {row}" if table.file else f"row {row}"
            ids[number] = item
    return ids, problems


def checked_probabilities(table: PredictionTable, *, logits: bool) -> tuple[np.ndarray, list[Problem]]:
    """Return probabilities (n, K) that sum to one, and a problem for each row that holds something else."""
    import numpy as np

    values = np.asarray(table.values, dtype=np.float64)
    unknown = ~np.isfinite(values)
    no_number = "the value of {0!r} is not a number, or not finite"
    problems = _of_rows(table, unknown.any(axis=1), no_number, values, unknown)
    values = np.where(unknown, 0.0, values)
    if logits:
        shifted = np.exp(values - values.max(axis=1, keepdims=True))
        return shifted / shifted.sum(axis=1, keepdims=True), problems
    outside = ((values < 0) | (values > 1 + SUM_TOLERANCE)) & ~unknown
    no_probability = "the value of {0!r} is {1:g}, no probability (if they are logits, say so)"
    problems += _of_rows(table, outside.any(axis=1), no_probability, values, outside)
    total = values.sum(axis=1)
    wrong = (np.abs(total - 1) > SUM_TOLERANCE) & ~unknown.any(axis=1) & ~outside.any(axis=1)
    problems += [
        Problem(
            int(row) + table.first_row,
            f"the probabilities sum to {total[row]:.4g}, not to 1 (if they are logits, say so)",
            table.file,
        )
        for row in np.flatnonzero(wrong)
    ]
    return values / np.where(total > 0, total, 1.0)[:, None], problems


def _of_rows(table: PredictionTable, rows: Any, sentence: str, values: np.ndarray, where: np.ndarray) -> list[Problem]:
    import numpy as np

    found: list[Problem] = []
    for row in np.flatnonzero(rows):
        column = int(np.argmax(where[row]))
        text = sentence.format(table.classes[column], values[row, column])
        found.append(Problem(int(row) + table.first_row, text, table.file))
    return found


def missing_items(
    table: PredictionTable, ids: np.ndarray, first: np.ndarray, paths: Mapping[int, str]
) -> list[Problem]:
    """Return a problem for every item that the first file has and this one lacks, or the other way round.

    `ids` and `first` (n,) are sorted; `paths` names the items.
    """
    import numpy as np

    lacking = [f"there is no row for {paths[int(one)]!r}, which the first file has" for one in np.setdiff1d(first, ids)]
    beyond = [f"{paths[int(one)]!r} is not in the first file" for one in np.setdiff1d(ids, first)]
    return [Problem(0, text, table.file) for text in (*lacking, *beyond)]
