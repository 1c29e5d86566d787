"""The course of one annotator's times: over all trials, and within a sitting. For drawing, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mining.hardness._trials import read_codes, read_positions

Array = NDArray[np.float64]
Z = 1.959963984540054
FEWEST = 3
"""Times that a bin needs for an interval."""
FEWEST_FOR_DRIFT = 10


@dataclass(frozen=True, slots=True)
class Course:
    """Bins in order, all (n_bins,). `low` and `high` are NaN in bins of fewer than three times."""

    place: Array
    """Mean position of the bin's trials (geometric, where the bins double)."""
    typical_ms: Array
    """Geometric mean time."""
    low: Array
    high: Array
    """95 % interval of `typical_ms`."""
    n: NDArray[np.int64]


def practice_course(position: ArrayLike, response_ms: ArrayLike, n_bins: int = 12) -> Course:
    """Times over all trials of one annotator, in bins that grow by the same factor.

    Args:
        position: 1-based order of the trials, shape (n_trials,).
        response_ms: NaN times are left aside.
    """
    times = np.asarray(response_ms, dtype=np.float64)
    place = read_positions(position, times.shape[0]).astype(np.float64)
    known = ~np.isnan(times)
    place, y = place[known], np.log(times[known])
    if not place.size:
        return _course(place, y, np.zeros(0, np.int64))
    edges = np.unique(np.round(np.geomspace(place.min(), place.max() + 1, n_bins + 1)))
    return _course(place, y, np.searchsorted(edges, place, side="right"), geometric=True)


def sitting_course(position: ArrayLike, session: ArrayLike, response_ms: ArrayLike, n_bins: int = 10) -> Course:
    """Times by place within the sitting, each sitting's own mean taken out: 1 is its first trial.

    Args:
        position, response_ms: as in `practice_course`.
        session: session codes, shape (n_trials,).
    """
    times = np.asarray(response_ms, dtype=np.float64)
    n = times.shape[0]
    order = read_positions(position, n).astype(np.float64)
    code = read_codes(session, "session", n).astype(np.int64)
    place = place_in_sitting(order, code)
    known = ~np.isnan(times)
    place, code, y = place[known], code[known], np.log(times[known])
    if not place.size:
        return _course(place, y, np.zeros(0, np.int64))
    count = np.bincount(code)
    mean = np.bincount(code, y) / np.maximum(count, 1)
    y = y - mean[code] + y.mean()
    edges = np.unique(np.round(np.linspace(1, place.max() + 1, n_bins + 1)))
    return _course(place, y, np.searchsorted(edges, place, side="right"))


def place_in_sitting(position: Array, session: NDArray[np.int64]) -> Array:
    """Return (n_trials,) the 1-based place of every trial in its session."""
    order = np.lexsort((position, session))
    sizes = np.bincount(session) if session.size else np.zeros(0, np.int64)
    sizes = sizes[sizes > 0]
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    place = np.empty(session.size)
    place[order] = np.arange(session.size) - starts + 1
    return place


def _course(place: Array, y: Array, bin_of: NDArray[np.integer], *, geometric: bool = False) -> Course:
    """Summarise the times of each bin; with `geometric` the bin's place is a geometric mean."""
    _, code = np.unique(bin_of, return_inverse=True)
    size = np.bincount(code).astype(np.int64)
    if not size.size:
        return Course(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0), size)
    where = np.bincount(code, np.log(place) if geometric else place) / size
    mean = np.bincount(code, y) / size
    squares = np.bincount(code, (y - mean[code]) ** 2)
    spread = np.sqrt(np.divide(squares, size - 1, out=np.full(size.shape, np.nan), where=size >= FEWEST))
    # Few times tell their own spread badly: Student's t by its first terms is near enough for a drawing.
    degrees = np.maximum(size - 1, 1)
    half = (Z + (Z**3 + Z) / (4 * degrees)) * spread / np.sqrt(size)
    return Course(np.exp(where) if geometric else where, np.exp(mean), np.exp(mean - half), np.exp(mean + half), size)


def sitting_drift(
    annotator: ArrayLike, session: ArrayLike, position: ArrayLike, response_ms: ArrayLike, n_annotators: int
) -> tuple[Array, Array, Array]:
    """Change of ln time over 100 trials within a sitting, with its 95 % interval; all (n_annotators,).

    Least squares within sittings, one slope an annotator; NaN with fewer than 10 times.

    Args:
        annotator, session: codes, shape (n_trials,).
        position: 1-based order of the annotator's trials.
        response_ms: NaN times are left aside.
    """
    times = np.asarray(response_ms, dtype=np.float64)
    n = times.shape[0]
    who = read_codes(annotator, "annotator", n, n_annotators).astype(np.int64)
    code = read_codes(session, "session", n).astype(np.int64)
    place = read_positions(position, n).astype(np.float64) / 100
    known = ~np.isnan(times)
    who, place, y = who[known], place[known], np.log(times[known])
    _, group = np.unique(who * (int(code.max(initial=0)) + 1) + code[known], return_inverse=True)
    size = np.maximum(np.bincount(group), 1)
    x, y = (part - (np.bincount(group, part) / size)[group] if part.size else part for part in (place, y))
    whose = np.zeros(size.size, np.int64)
    whose[group] = who
    sittings = np.bincount(whose, minlength=n_annotators)
    count, xx = np.bincount(who, minlength=n_annotators), np.bincount(who, x * x, n_annotators)
    degrees = count - sittings - 1
    enough = (count >= FEWEST_FOR_DRIFT) & (degrees > 0) & (xx > 1e-12)
    nothing = np.full(n_annotators, np.nan)
    slope = np.divide(np.bincount(who, x * y, n_annotators), xx, out=nothing.copy(), where=enough)
    rest = np.bincount(who, (y - np.nan_to_num(slope)[who] * x) ** 2, n_annotators)
    error = np.sqrt(np.divide(rest, degrees * xx, out=nothing.copy(), where=enough))
    return slope, slope - Z * error, slope + Z * error
