"""What the answers to an item foretell of its time: the prior mean of its effect.

Items on which people disagree, and items of a class that takes long, are slow for the next annotator too. With two
or three judgments an item that is worth as much as several more judgments::

    b_i ~ N(d_i beta + sum_c share_ic gamma_c, tau^2),    gamma_c ~ N(0, tau_c^2)

``d_i`` is the disagreement of the item's labels, shrunken; ``share_ic`` the share of its labels that name class c.
Wrong answers take longer than right ones: ``beta`` carries that difference as well as the item's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mining.hardness import _prior_kernels as kernels
from mining.hardness._layout import Parts
from mining.hardness._variances import mean_above_zero

Array = NDArray[np.float64]
MOST_CLASSES = 500
BLOCK = 65_536
MOST_DENSE = 50_000_000
"""Up to so many numbers and so few columns the design is a plain array, and its regression is compiled."""
MOST_COMPILED_COLUMNS = 40
FEWEST_TRIALS_A_CELL = 1
"""Where a table of items and classes has fewer trials a cell, labels are counted in sparse rows."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Labels given, by item."""

    disagreement: Array
    """(n_items,) 1 - (most frequent + 1/K) / (labels + 1), centred; 0 where nobody answered."""
    share: sparse.csr_array
    """(n_items, n_classes) share of every class among the item's labels; beyond 500 the rarest count as one."""
    plurality: NDArray[np.int64]
    """(n_items,) most frequent label, -1 for none."""


def read_answers(item: NDArray[np.integer], label: NDArray[np.integer], n_items: int) -> Answers:
    """Count (n_trials,) labels by item; -1 is no answer."""
    given = label >= 0
    if not given.any():
        nothing = sparse.csr_array((n_items, 1))
        return Answers(np.zeros(n_items), nothing, np.full(n_items, -1, np.int64))
    classes = np.bincount(label if given.all() else label[given])
    n_classes = int(np.count_nonzero(classes))
    rank = np.empty(classes.size, np.int32)
    rank[np.lexsort((np.arange(classes.size), -classes))] = np.arange(classes.size)
    rank = np.minimum(rank, MOST_CLASSES)
    column = label if given.all() else label[given]
    column = column if classes.size <= MOST_CLASSES else rank[column]
    width = int(min(classes.size, MOST_CLASSES + 1))
    counts = _count(item[given] if not given.all() else item, column, n_items, width)
    total = np.asarray(counts.sum(axis=1)).ravel()
    most, first = np.zeros(n_items), np.zeros(n_items, np.int64)
    kernels.most_frequent(counts.indptr, counts.indices, counts.data, most, first)
    disagreement = np.where(total > 0, 1 - (most + 1 / max(n_classes, 2)) / (total + 1), 0.0)
    answered = total > 0
    disagreement[answered] -= disagreement[answered].mean()
    share = sparse.csr_array(sparse.diags_array(1 / np.maximum(total, 1)) @ counts)
    return Answers(disagreement, share, np.where(answered, first, -1).astype(np.int64))


def _count(item: NDArray[np.integer], column: NDArray[np.integer], n_items: int, width: int) -> sparse.csr_array:
    """Return (n_items, width) how often each column was named on each item."""
    if n_items * width * FEWEST_TRIALS_A_CELL <= item.size:
        table = np.zeros((n_items, width), np.float32)
        kernels.count_labels(item, column, table)
        return sparse.csr_array(table)
    counts = sparse.csr_array(
        (np.ones(column.size, np.float32), (item, column)), shape=(n_items, width), dtype=np.float32
    )
    counts.sum_duplicates()
    return counts


Design: TypeAlias = Array | sparse.csr_array
"""(n_items, 2 + n_classes) what the answers to each item say."""


def _rows_times(design: Design, factor: Array) -> Design:
    """Return the product of elements."""
    return design * factor if isinstance(design, np.ndarray) else sparse.csr_array(design.multiply(factor))


class LabelPrior:
    """Prior means of item effects from answers, refitted as the effects move."""

    def __init__(self, answers: Answers, on: NDArray[np.bool_]) -> None:
        plain = sparse.csr_array(np.stack([np.ones(on.size), answers.disagreement], axis=1))
        design = sparse.csr_array(sparse.hstack([plain, answers.share]))
        few = design.shape[1] <= MOST_COMPILED_COLUMNS and design.shape[0] * design.shape[1] <= MOST_DENSE
        self.design: Design = design.toarray() if few else design
        self.on = on
        self.class_variance = 0.0
        self.mean = np.zeros(on.size)
        self.rest = 0.0
        self.coefficients = np.zeros(self.design.shape[1])
        self._inverse = np.zeros((self.design.shape[1], self.design.shape[1]))

    def fit(self, score: Array, information: Array, squares: Array, pairs: Array, t: float, floor: float) -> None:
        """Regress what each item says alone on its answers; leave in `rest` the variance that they do not foretell.

        Args:
            score: (n_items,) scores at b = 0. information: what the item's judgments tell. squares: sum of squared
            scores of single judgments. pairs: information^2 less the sum of squares of what each tells.
            t: the variance between items without labels.
            floor: the least variance.
        """
        on = self.on & (information > 0)
        rest, spread = self.rest or 0.5 * t, self.class_variance or 0.25 * t
        told = (score[on], information[on], squares[on], pairs[on], t, floor, rest, spread)
        design = self.design if on.all() else self.design[on]
        turned = _fit_compiled(design, *told) if isinstance(design, np.ndarray) else _fit_sparse(design, *told)
        self.rest, self.class_variance, self.coefficients, self._inverse = turned
        self.mean = np.where(self.on, np.asarray(self.design @ self.coefficients), 0.0)

    def variance(self, information: Array) -> Array:
        """Return (n_items,) variances of the effects, the doubt about the prior means included."""
        share = 1 / (1 + information * self.rest)
        doubt = np.zeros(share.size)
        for first in range(0, share.size, BLOCK):
            rows = self.design[first : first + BLOCK]
            doubt[first : first + BLOCK] = np.asarray(_rows_times(rows, rows @ self._inverse).sum(axis=1)).ravel()
        return np.asarray(self.rest * share + share**2 * doubt)


def _fit_compiled(
    design: Array, score: Array, told: Array, squares: Array, pairs: Array, t: float, floor: float,
    rest: float, spread: float,
) -> tuple[float, float, Array, Array]:  # fmt: skip
    width = design.shape[1]
    inverse, coefficients = np.zeros((width, width)), np.zeros(2 * width)
    rest, spread = kernels.fit_prior(design, score, told, squares, pairs, t, floor, rest, spread, inverse, coefficients)
    return float(rest), float(spread), coefficients[:width], inverse


def _fit_sparse(
    design: sparse.csr_array, score: Array, told: Array, squares: Array, pairs: Array, t: float, floor: float,
    rest: float, spread: float,
) -> tuple[float, float, Array, Array]:  # fmt: skip
    alone, n_fixed = score / told, kernels.N_FIXED
    n_classes = design.shape[1] - n_fixed
    for _ in range(kernels.MOST_TURNS):
        weight = 1 / (rest + 1 / told)
        weighted = sparse.csr_array(design.multiply(weight[:, None]))
        penalty = np.concatenate([np.full(n_fixed, kernels.RIDGE * weight.sum()), np.full(n_classes, 1 / spread)])
        inverse = np.linalg.inv((design.T @ weighted).toarray() + np.diag(penalty))
        coefficients = inverse @ np.asarray(weighted.T @ alone)
        mean = np.asarray(design @ coefficients)
        known = float(np.sum(1 - np.diag(inverse)[n_fixed:] / spread))
        new_spread = max(float(np.sum(coefficients[n_fixed:] ** 2)) / max(known, 1e-9), 1e-4 * t)
        raw, doubt = kernels.left_over(mean, score, told, squares, pairs, rest)
        new_rest = max(min(mean_above_zero(raw, doubt), 2 * t), floor)
        still = abs(new_rest - rest) < 1e-4 * rest and abs(new_spread - spread) < 1e-3 * spread
        rest, spread = new_rest, new_spread
        if still:
            break
    return rest, spread, coefficients, inverse


def wrong_answer_effect(
    item: NDArray[np.integer],
    annotator: NDArray[np.integer],
    times: NDArray[np.floating],
    label: NDArray[np.integer],
    answers: Answers,
    parts: Parts,
) -> float:
    """Return how much longer, in ln seconds, an answer takes that is not the item's most frequent one, within items."""
    edges = np.linspace(0, item.shape[0], parts.n_parts + 1).astype(np.int64)
    log_times = np.empty(item.shape[0], times.dtype)
    told = np.zeros((parts.n_parts, int(annotator.max()) + 1 if annotator.size else 0, 2))
    parts.run(lambda k: kernels.add_times(edges[k], edges[k + 1], annotator, times, label, log_times, told[k]))
    total, n = told.sum(axis=0).T
    typical = total / np.maximum(n, 1)
    tables = np.zeros((parts.n_parts, answers.plurality.size, 4))
    parts.run(
        lambda k: kernels.add_wrong_answers(
            edges[k], edges[k + 1], item, annotator, log_times, label, answers.plurality, typical, tables[k]
        )
    )
    table = tables.sum(axis=0)
    judged, wrong, y, product = table[table[:, 0] > 0].T
    # within items: the share of wrong answers and the mean time of each are taken off
    varied = float(wrong.sum() - wrong @ (wrong / judged))
    return (float(product.sum()) - float(y @ (wrong / judged))) / varied if varied > 1e-9 else float("nan")
