"""Hardness of more than items: images, classes, pairs of classes that are confused, the project. Each with an interval.

Two questions are kept apart. Of the very objects in an image one asks how hard *they* are (`of_members`). Of a class
one asks how hard *such items* are, of which these are a sample (`of_kinds`): shrunken item effects would pull every
class towards the others, so that their shrinkage is taken out first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mining.hardness._trials import BadTrials, read_codes, read_labels

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Z = 1.959963984540054
"""The middle 95 % of a normal distribution end here."""
POOL = 4.0
"""The spread within a group counts for itself as its items say, and for this many items as that of all groups."""


@dataclass(frozen=True, slots=True)
class Units:
    """One row a group, all (n_groups,). Higher is harder; NaN where no item is known."""

    mean: Array
    se: Array
    low: Array
    """Ends of the 95 % interval of `mean`."""
    high: Array
    n_items: Counts
    """Items with a known hardness."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of classes that different people gave the same item; all (n_pairs,), the most confused first."""

    first: Counts
    second: Counts
    share: Array
    """Where one person answers one of the two, the chance that another answers the other one of the two."""
    low: Array
    high: Array
    n_items: Counts
    """Items that got both answers."""


@dataclass(frozen=True, slots=True)
class Typical:
    """A mean over trials with a 95 % interval over items and annotators."""

    value: float
    low: float
    high: float
    n_trials: int


def of_members(effect: ArrayLike, se: ArrayLike, group: ArrayLike, n_groups: int) -> Units:
    """Mean hardness of the members of each group, for instance of the objects in an image.

    Args:
        effect, se: (n_items,) hardness and its standard error; NaN where not judged.
        group: (n_items,) group codes, -1 for none.
    """
    b, s, code = _known(effect, se, group, n_groups)
    n = np.bincount(code, minlength=n_groups).astype(np.int64)
    mean = _ratio(np.bincount(code, b, n_groups), n)
    error = _ratio(np.sqrt(np.bincount(code, s * s, n_groups)), n)
    return Units(mean, error, mean - Z * error, mean + Z * error, n)


def hardest_member(effect: ArrayLike, group: ArrayLike, n_groups: int) -> Counts:
    """Return (n_groups,) the row number of the hardest known item of each group, -1 where none is known."""
    b, code = np.asarray(effect, dtype=np.float64), read_labels(group, np.asarray(effect).shape[0])
    rows = np.flatnonzero(~np.isnan(b) & (code >= 0))
    rows = rows[np.argsort(b[rows], kind="stable")]
    out = np.full(n_groups, -1, dtype=np.int64)
    out[code[rows]] = rows  # of several the last assignment stays: the hardest
    return out


def of_kinds(effect: ArrayLike, se: ArrayLike, item_sd: float, group: ArrayLike, n_groups: int) -> Units:
    """Hardness of the kind of items that each group is a sample of, for instance of a class.

    Args:
        effect, se: (n_items,) from a fit without labels, shrunken towards 0; NaN where not judged.
        item_sd: SD of true hardness between items, from the same fit.
        group: (n_items,) group codes, -1 for none.

    Random effects within each group: the variance by moments, partly pooled over groups; intervals by Student's t.
    """
    b, s, code = _known(effect, se, group, n_groups)
    if not item_sd > 0:
        return of_members(np.full(0, np.nan), np.full(0, np.nan), np.zeros(0, np.int64), n_groups)
    reliability = np.clip(1 - s**2 / item_sd**2, 1e-6, 1)
    raw, noise = b / reliability, s**2 / reliability
    n = np.bincount(code, minlength=n_groups).astype(np.int64)
    # Weights that do not depend on the group's own spread, so that it can be estimated from them.
    weight = 1 / (item_sd**2 + noise)
    total = np.bincount(code, weight, n_groups)
    mean = _ratio(np.bincount(code, weight * raw, n_groups), total)
    spread = np.bincount(code, weight * (raw - mean[code]) ** 2, n_groups)
    squares = _ratio(np.bincount(code, weight**2, n_groups), total)
    due = np.bincount(code, weight * noise, n_groups) - _ratio(np.bincount(code, weight**2 * noise, n_groups), total)
    over, room = np.nan_to_num(spread - due), np.nan_to_num(total - squares)
    pooled = max(float(over.sum() / room.sum()), 0.0) if room.sum() > 0 else item_sd**2
    own = _ratio(over, room, otherwise=pooled)
    degrees = np.maximum(n - 1, 0)
    between = np.maximum((degrees * own + POOL * pooled) / (degrees + POOL), 0)
    weight = 1 / np.maximum(between[code] + noise, 1e-12)
    total = np.bincount(code, weight, n_groups)
    mean = _ratio(np.bincount(code, weight * raw, n_groups), total)
    error = np.sqrt(_ratio(np.ones(n_groups), total))
    half = _student(degrees + POOL) * error
    return Units(mean, error, mean - half, mean + half, n)


def confusion_pairs(counts: ArrayLike) -> Pairs:
    """How often two people asked about the same item give one answer of a pair each, and in which interval.

    Args:
        counts: (n_items, n_classes) labels given to every item; items with fewer than two say nothing.

    No consensus is needed, so that the share does not depend on how many people were asked. It is a ratio of sums over
    items (each item's pairs of answers weigh 1 / (labels - 1), as in Krippendorff's alpha); the interval is that of
    such a ratio. Pairs that never occurred are left out.
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or (table < 0).any():
        raise BadTrials("not_counts", "`counts` must be (n_items, n_classes) and hold no negative number.")
    size = table.sum(axis=1)
    table = table[size >= 2]
    mixed = (table > 0).sum(axis=1) > 1
    n_classes, totals = table.shape[1], table.sum(axis=0)
    split = table[mixed]
    weight = 1 / np.maximum(split.sum(axis=1) - 1, 1)
    together = (split * weight[:, None]).T @ split
    both = (split > 0).astype(np.float64)
    n_both = both.T @ both
    first, second = np.triu_indices(n_classes, 1)
    occurred = n_both[first, second] > 0
    first, second = first[occurred], second[occurred]
    share = 2 * together[first, second] / (totals[first] + totals[second])
    # Over all items: sum of (2 o - share (n_a + n_b))^2 where the first part is zero outside the mixed items.
    squares = table.T @ table
    of_pair = squares[first, first] + squares[second, second] + 2 * squares[first, second]
    cross = np.zeros(first.size)
    own = np.zeros(first.size)
    by_class = np.ascontiguousarray(split.T)
    for at, (a, b) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        here = 2 * by_class[a] * by_class[b] * weight
        own[at] = here @ here
        cross[at] = here @ (by_class[a] + by_class[b])
    variance = np.maximum(own - 2 * share * cross + share**2 * of_pair, 0)
    error = np.sqrt(variance) / (totals[first] + totals[second])
    low, high = _share_interval(share, error)
    order = np.argsort(-share, kind="stable")
    first, second = first[order], second[order]
    return Pairs(
        first=first.astype(np.int64),
        second=second.astype(np.int64),
        share=share[order],
        low=low[order],
        high=high[order],
        n_items=n_both[first, second].astype(np.int64),
    )


def typical_time(item: ArrayLike, annotator: ArrayLike, response_ms: ArrayLike) -> Typical:
    """Geometric mean response time in ms, with an interval for other items *and* other annotators.

    Sandwich variance clustered both ways (Cameron, Gelbach & Miller 2011). NaN times are left aside.
    """
    times = np.asarray(response_ms, dtype=np.float64)
    item = read_codes(item, "item", times.shape[0])
    annotator = read_codes(annotator, "annotator", times.shape[0])
    known = ~np.isnan(times)
    y, i, j = np.log(times[known]), item[known], annotator[known]
    n = y.size
    if n == 0:
        return Typical(float("nan"), float("nan"), float("nan"), 0)
    mean = float(y.mean())
    rest = y - mean
    parts = (_clustered(rest, i), _clustered(rest, j))
    n_people, n_items = (int(np.count_nonzero(np.bincount(code))) for code in (j, i))
    # Of one annotator nothing can be said about others.
    if min(n_people, n_items) < 2:
        return Typical(float(np.exp(mean)), float("nan"), float("nan"), n)
    variance = max(sum(parts) - float(rest @ rest) / n**2, max(parts))
    half = float(_student(np.array([n_people - 1.0]))[0]) * variance**0.5
    return Typical(float(np.exp(mean)), float(np.exp(mean - half)), float(np.exp(mean + half)), n)


def _clustered(rest: Array, code: NDArray[np.integer]) -> float:
    sums = np.bincount(code, rest)
    groups = max(int(np.count_nonzero(np.bincount(code))), 2)
    return float(sums @ sums) / rest.size**2 * groups / (groups - 1)


def _share_interval(share: Array, error: Array) -> tuple[Array, Array]:
    """Interval of a share on the logit scale, so that it stays between 0 and 1."""
    inside = np.clip(share, 1e-9, 1 - 1e-9)
    logit, scale = np.log(inside / (1 - inside)), error / (inside * (1 - inside))
    low, high = (1 / (1 + np.exp(-np.clip(logit + side * Z * scale, -40, 40))) for side in (-1, 1))
    return low, high


def _student(degrees: NDArray[np.generic]) -> Array:
    """Upper 97.5 % point of Student's t (Cornish-Fisher; within 2 % from 3 degrees of freedom on)."""
    d = np.maximum(np.asarray(degrees, dtype=np.float64), 1.0)
    return np.asarray(
        Z + (Z**3 + Z) / (4 * d) + (5 * Z**5 + 16 * Z**3 + 3 * Z) / (96 * d**2)
        + (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / (384 * d**3)
    )  # fmt: skip


def _known(effect: ArrayLike, se: ArrayLike, group: ArrayLike, n_groups: int) -> tuple[Array, Array, Counts]:
    b, s = np.asarray(effect, dtype=np.float64), np.asarray(se, dtype=np.float64)
    code = read_labels(group, b.shape[0])
    if s.shape != b.shape:
        raise BadTrials("length_mismatch", f"`se` has shape {s.shape} where `effect` has {b.shape}.")
    if code.size and int(code.max()) >= n_groups:
        raise BadTrials("code_out_of_range", f"`group` holds {int(code.max())}, but there are {n_groups}.")
    use = ~(np.isnan(b) | np.isnan(s)) & (code >= 0)
    return b[use], s[use], code[use].astype(np.int64)


def _ratio(part: NDArray[np.generic], whole: NDArray[np.generic], otherwise: float = float("nan")) -> Array:
    out = np.full(np.shape(whole), otherwise)
    return np.asarray(np.divide(part, whole, out=out, where=np.asarray(whole) > 1e-300))
