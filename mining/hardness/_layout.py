"""Trials laid out for the sweeps: sorted by annotator, in as few bytes as the answer needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mining.hardness import _kernels, _layout_kernels

Array = NDArray[np.float64]
LARGE = 1_000_000
"""From here on times are kept in single precision (7 digits of ln seconds): half the memory."""
TRIALS_A_PART = 100_000
MOST_PARTS = 4
BLOCK_BITS = 16
"""Two to this many items a block: what the sweeps know of them (8 bytes an item) fits one processor's cache."""
TRIALS_A_CELL = 256
"""At least so many trials an annotator has in a block on average: less would be all bookkeeping."""
NO_FLOATS: Array = np.zeros(0)


class Parts:
    """Splits work on trials into a fixed number of parts and runs them in threads."""

    def __init__(self, n_trials: int) -> None:
        self.n_parts = max(1, min(MOST_PARTS, n_trials // TRIALS_A_PART))
        self._pool: ThreadPoolExecutor | None = None

    @contextmanager
    def open(self) -> Iterator[None]:
        workers = min(self.n_parts, os.cpu_count() or 1)
        if workers == 1:
            yield
            return
        with ThreadPoolExecutor(workers) as self._pool:
            yield
        self._pool = None

    def run(self, work: Callable[[int], object]) -> None:
        """Call ``work(part)`` for every part and wait."""
        if self._pool is None:
            for part in range(self.n_parts):
                work(part)
        else:
            list(self._pool.map(work, range(self.n_parts)))


@dataclass(frozen=True, slots=True)
class ByItem:
    """The trials in the order of items; item i has the places ``starts[i]`` to ``starts[i + 1]``."""

    starts: NDArray[np.int64]
    cursors: NDArray[np.int64]
    """(n_parts, n_items) where the trials of an item by the annotators of a part begin."""
    annotator: NDArray[np.int32]
    """(n_trials,) annotator codes; that of a censored trial is ~code."""
    courses: NDArray[np.floating]
    """(n_courses, n_trials) as in `Layout`."""
    splits: NDArray[np.int64]
    """(n_parts + 1,) first item of every part."""


@dataclass(slots=True)
class Layout:
    """Trials sorted by annotator; annotator j has the places ``offsets[j]`` to ``offsets[j + 1]``."""

    n_items: int
    n_annotators: int
    offsets: NDArray[np.int64]
    item: NDArray[np.int32]
    """(n_trials,) item codes; a censored trial is ~item."""
    log_times: NDArray[np.floating]
    """(n_trials,) ln seconds, or that of the bound; that of `NO_BOUND_MS` where a censored trial has none."""
    courses: NDArray[np.floating]
    """(n_courses, n_trials) what times change with besides the item, centred for each annotator: ln(position), trials
    since the last break; (0, n_trials) without positions."""
    parts: Parts
    splits: NDArray[np.int64]
    """(n_parts + 1,) first annotator of every part."""
    cells: NDArray[np.int64]
    """(n_blocks + 1, n_annotators) where the annotator's trials of every block of items begin; see `sort_by_blocks`."""
    typical_position: Array
    """(n_annotators,) mean ln(position); (0,) where the order of trials is unknown, or not told from hardness."""
    again: int = 0
    """Trials that show an item to an annotator who has seen it; known after `count_items`."""
    _counts: NDArray[np.int32] | None = None
    _by_item: ByItem | None = None

    @property
    def n_trials(self) -> int:
        return int(self.item.shape[0])

    @property
    def annotators(self) -> NDArray[np.int64]:
        """(n_trials,) annotator codes."""
        return np.repeat(np.arange(self.n_annotators), np.diff(self.offsets))

    @property
    def codes(self) -> NDArray[np.int32]:
        """(n_trials,) item codes, of censored trials as well."""
        return np.where(self.item >= 0, self.item, ~self.item)

    def centre(self, means: Array) -> None:
        """Take (n_annotators,) ``means`` off the annotators' ln times, in place."""
        self.parts.run(
            lambda k: _layout_kernels.centre_times(
                self.splits[k], self.splits[k + 1], self.offsets, self.log_times, means
            )
        )

    def positions(self) -> Array | None:
        """Return (n_trials,) the order in which each annotator saw the items; None where it is of no use."""
        if self.typical_position.shape[0] == 0:
            return None
        return np.asarray(np.rint(np.exp(self.courses[0] + self.typical_position[self.annotators])), dtype=np.float64)

    def sample(self, step: int) -> Layout:
        """Return the trials of every ``step``-th item, for choices that do not need them all."""
        kept = np.zeros(self.n_annotators, np.int64)
        self.parts.run(
            lambda k: _layout_kernels.count_sampled(
                self.splits[k], self.splits[k + 1], self.offsets, self.item, step, kept
            )
        )
        offsets = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
        n = int(offsets[-1])
        item, log_times = np.empty(n, np.int32), np.empty(n, self.log_times.dtype)
        courses = np.empty((self.courses.shape[0], n), self.courses.dtype)
        self.parts.run(
            lambda k: _layout_kernels.copy_sampled(
                self.splits[k], self.splits[k + 1], self.offsets, self.item, self.log_times, self.courses, step,
                offsets, item, log_times, courses,
            )
        )  # fmt: skip
        return Layout(
            -(-self.n_items // step), self.n_annotators, offsets, item, log_times, courses, self.parts, self.splits,
            np.stack([offsets[:-1], offsets[1:]]), self.typical_position,
        )  # fmt: skip

    def sort_by_blocks(self) -> None:
        """Put every annotator's trials in the order of blocks of items, in place; in small data there is one block."""
        most, bits = self.n_trials // (max(self.n_annotators, 1) * TRIALS_A_CELL), BLOCK_BITS
        while self.n_items >> bits >= max(most, 1):
            bits += 1
        n_blocks = (self.n_items >> bits) + 1
        if n_blocks < 2:
            return
        cells = np.empty((n_blocks + 1, self.n_annotators), np.int64)
        self.parts.run(
            lambda k: _layout_kernels.sort_by_blocks(
                self.splits[k], self.splits[k + 1], self.offsets, bits, self.item, self.log_times, self.courses, cells
            )
        )
        self.cells = cells

    def count_items(self) -> NDArray[np.int32]:
        """Return (n_parts, n_items, 2) trials and censored trials of every item, by the annotators of every part."""
        if self._counts is None:
            counts = np.zeros((self.parts.n_parts, self.n_items, 2), np.int32)
            again = np.zeros(self.parts.n_parts, np.int64)

            def count(k: int) -> None:
                seen_by = np.full(self.n_items, -1, np.int32)
                again[k] = _layout_kernels.count_items(
                    self.splits[k], self.splits[k + 1], self.cells, self.item, seen_by, counts[k]
                )

            self.parts.run(count)
            self.again, self._counts = int(again.sum()), counts
        return self._counts

    def add_course(self, d: int) -> tuple[Array, Array]:
        """Return sums of a course over the trials of every item, and its squares over those of every annotator."""
        totals, squares = np.zeros((self.parts.n_parts, self.n_items)), np.zeros(self.n_annotators)
        self.parts.run(
            lambda k: _layout_kernels.add_course(
                self.splits[k], self.splits[k + 1], self.cells, self.item, self.courses[d], totals[k], squares
            )
        )
        return totals.sum(axis=0), squares

    def by_item(self) -> ByItem:
        """Return the order of items, which is made once: blocks and courses must stand by then."""
        if self._by_item is None:
            counts = self.count_items()[:, :, 0].astype(np.int64)
            self._counts = None
            starts = np.concatenate([[0], np.cumsum(counts.sum(axis=0))]).astype(np.int64)
            cursors = starts[:-1] + np.cumsum(counts, axis=0) - counts
            annotator, courses = np.empty(self.n_trials, np.int32), np.empty_like(self.courses)
            order = ByItem(starts, cursors, annotator, courses, even_splits(starts, self.parts.n_parts))
            self.parts.run(
                lambda k: _layout_kernels.turn_annotators(
                    self.splits[k], self.splits[k + 1], self.cells, self.item, cursors[k].copy(), annotator
                )
            )
            self._by_item = order
            for course, out in zip(self.courses, courses, strict=True):
                out[:] = self.turned(course)
        return self._by_item

    def turned(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return (n_trials,) values in the order of items."""
        cursors, out = self.by_item().cursors, np.empty_like(values)
        self.parts.run(
            lambda k: _layout_kernels.turn_values(
                self.splits[k], self.splits[k + 1], self.cells, self.item, cursors[k].copy(), values, out
            )
        )
        return out

    def rank_scores(self) -> NDArray[np.floating]:
        """Return (n_trials,) normal quantiles of every annotator's times."""
        score = np.empty_like(self.log_times)
        self.parts.run(
            lambda k: _kernels.score_by_rank(
                self.splits[k], self.splits[k + 1], self.offsets, self.item, self.log_times, score
            )
        )
        return score


def even_splits(starts: NDArray[np.int64], n_parts: int) -> NDArray[np.int64]:
    """Return (n_parts + 1,) first annotator (or item) of parts with about as many trials each."""
    splits = np.searchsorted(starts, np.linspace(0, starts[-1], n_parts + 1)).astype(np.int64)
    splits[0], splits[-1] = 0, starts.size - 1
    return splits


def lay_out(
    item: NDArray[np.integer],
    annotator: NDArray[np.integer],
    times: NDArray[np.floating],
    bounds: NDArray[np.floating],
    courses: list[NDArray[np.floating]],
    n_items: int,
    parts: Parts,
) -> Layout:
    """Sort trials by annotator (a counting sort, in threads) and take logarithms.

    Args:
        bounds: (n_trials,) in ms for censored trials, or (0,): then the longest time of the annotator.
        courses: arrays (n_trials,) of what times change with, see `Layout.courses`.
    """
    n = int(item.shape[0])
    n_annotators = int(annotator.max()) + 1 if n else 0
    edges = np.linspace(0, n, parts.n_parts + 1).astype(np.int64)
    counts = np.zeros((parts.n_parts, n_annotators), np.int64)
    longest = np.full((parts.n_parts, n_annotators), -np.inf)

    def count(k: int) -> None:
        _layout_kernels.count_trials(annotator, edges[k], edges[k + 1], counts[k])
        if bounds.shape[0] == 0:
            _layout_kernels.longest_times(annotator, times, edges[k], edges[k + 1], longest[k])

    parts.run(count)
    limit = longest.max(axis=0)
    limit[limit < 0] = _kernels.NO_BOUND_MS
    offsets = np.concatenate([[0], np.cumsum(counts.sum(axis=0))]).astype(np.int64)
    cursors = offsets[:-1] + np.cumsum(counts, axis=0) - counts
    dtype: type[np.float64] | type[np.float32] = np.float64 if n < LARGE else np.float32
    item_out, log_out = np.empty(n, np.int32), np.empty(n, dtype)
    order = np.empty(n if courses else 0, np.int64)

    def place(k: int) -> None:
        _layout_kernels.place_trials(
            item, annotator, times, bounds, limit, edges[k], edges[k + 1], cursors[k], item_out, log_out, order
        )

    parts.run(place)
    splits = even_splits(offsets, parts.n_parts)
    sorted_courses, means = np.empty((len(courses), n), dtype), np.zeros((len(courses), n_annotators))

    def place_course(course: NDArray[np.floating], row: NDArray[np.floating], middle: Array) -> None:
        parts.run(lambda k: _layout_kernels.place_course(splits[k], splits[k + 1], offsets, order, course, row, middle))

    for course, row, middle in zip(courses, sorted_courses, means, strict=True):
        place_course(course, row, middle)
    typical_position = means[0] if courses else NO_FLOATS
    cells = np.stack([offsets[:-1], offsets[1:]])
    return Layout(
        n_items, n_annotators, offsets, item_out, log_out, sorted_courses, parts, splits, cells, typical_position
    )
