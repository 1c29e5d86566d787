"""Compiled passes that bring trials into the order of annotators, of blocks of items, and of items; see `_layout`."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math

import numpy as np

from mining.hardness._kernels import kernel


@kernel
def count_trials(annotator, start, stop, counts):
    """Add to ``counts`` the trials of every annotator in the range."""
    for t in range(start, stop):
        counts[annotator[t]] += 1


@kernel
def place_trials(item, annotator, times, bounds, limit, start, stop, cursor, item_out, log_out, order):
    """Copy trials to their annotator's place as ln(seconds); ``order`` (may be empty) keeps where they came from."""
    keep_order = order.shape[0] > 0
    for t in range(start, stop):
        j = annotator[t]
        place = cursor[j]
        cursor[j] = place + 1
        ms = times[t]
        if math.isnan(ms):
            ms = bounds[t] if bounds.shape[0] else limit[j]
            item_out[place] = ~item[t]
        else:
            item_out[place] = item[t]
        log_out[place] = math.log(ms / 1000.0)
        if keep_order:
            order[place] = t


@kernel
def place_course(first, last, offsets, order, course, out, means):
    """Copy a course to the annotators' places, less each annotator's mean, which is kept in ``means``."""
    for j in range(first, last):
        lo, hi = offsets[j], offsets[j + 1]
        total = 0.0
        for t in range(lo, hi):
            value = course[order[t]]
            out[t] = value
            total += value
        means[j] = total / max(hi - lo, 1)
        for t in range(lo, hi):
            out[t] -= means[j]


@kernel
def sort_by_blocks(first, last, offsets, bits, item, log_times, courses, cells):
    """Put each annotator's trials in the order of blocks of 2^bits items, in place; ``cells``: where each begins."""
    n_blocks = cells.shape[0] - 1
    cursor = np.empty(n_blocks, np.int64)
    for j in range(first, last):
        lo, hi = offsets[j], offsets[j + 1]
        cursor[:] = 0
        for t in range(lo, hi):
            i = item[t]
            cursor[(i if i >= 0 else ~i) >> bits] += 1
        at = lo
        for k in range(n_blocks):
            cells[k, j] = at
            at += cursor[k]
            cursor[k] = cells[k, j] - lo
        cells[n_blocks, j] = at
        old_item, old_times, old_courses = item[lo:hi].copy(), log_times[lo:hi].copy(), courses[:, lo:hi].copy()
        for t in range(hi - lo):
            i = old_item[t]
            k = (i if i >= 0 else ~i) >> bits
            place = lo + cursor[k]
            cursor[k] += 1
            item[place] = i
            log_times[place] = old_times[t]
            for d in range(courses.shape[0]):
                courses[d, place] = old_courses[d, t]


@kernel
def count_items(first, last, cells, item, seen_by, counts):
    """Count (n_items, 2) trials and censored trials of every item; return how many show their annotator an item again.

    seen_by (n_items,): -1.
    """
    again = 0
    for k in range(cells.shape[0] - 1):
        for j in range(first, last):
            for t in range(cells[k, j], cells[k + 1, j]):
                i = item[t]
                code = i if i >= 0 else ~i
                counts[code, 0] += 1
                if i < 0:
                    counts[code, 1] += 1
                again += seen_by[code] == j
                seen_by[code] = j
    return again


@kernel
def turn_annotators(first, last, cells, item, cursor, out):
    """Put the annotators' codes, ~code for a censored trial, in the order of items; ``cursor``: the next place."""
    for k in range(cells.shape[0] - 1):
        for j in range(first, last):
            for t in range(cells[k, j], cells[k + 1, j]):
                i = item[t]
                code = i if i >= 0 else ~i
                out[cursor[code]] = j if i >= 0 else ~j
                cursor[code] += 1


@kernel
def turn_values(first, last, cells, item, cursor, values, out):
    """Put (n_trials,) ``values`` in the order of items."""
    for k in range(cells.shape[0] - 1):
        for j in range(first, last):
            for t in range(cells[k, j], cells[k + 1, j]):
                i = item[t]
                code = i if i >= 0 else ~i
                out[cursor[code]] = values[t]
                cursor[code] += 1


@kernel
def longest_times(annotator, times, start, stop, longest):
    for t in range(start, stop):
        if times[t] > longest[annotator[t]]:
            longest[annotator[t]] = times[t]


@kernel
def centre_times(first, last, offsets, log_times, centre):
    """Take every annotator's ``centre`` off their times, in place."""
    for j in range(first, last):
        for t in range(offsets[j], offsets[j + 1]):
            log_times[t] -= centre[j]


@kernel
def count_sampled(first, last, offsets, item, step, counts):
    """Count every annotator's trials of each ``step``-th item."""
    for j in range(first, last):
        n = 0
        for t in range(offsets[j], offsets[j + 1]):
            i = item[t]
            n += (i if i >= 0 else ~i) % step == 0
        counts[j] = n


@kernel
def copy_sampled(first, last, offsets, item, y, x, step, new_offsets, item_out, y_out, x_out):
    """Copy the trials of each ``step``-th item; those are numbered anew."""
    for j in range(first, last):
        place = new_offsets[j]
        for t in range(offsets[j], offsets[j + 1]):
            i = item[t]
            code = i if i >= 0 else ~i
            if code % step != 0:
                continue
            code //= step
            item_out[place] = code if i >= 0 else ~code
            y_out[place] = y[t]
            for d in range(x.shape[0]):
                x_out[d, place] = x[d, t]
            place += 1


@kernel
def add_course(first, last, cells, item, course, totals, squares):
    """Add up a course over the trials of every item, (n_items,) ``totals``, and its squares over those of every
    annotator, (n_annotators,).
    """
    for k in range(cells.shape[0] - 1):
        for j in range(first, last):
            square = 0.0
            for t in range(cells[k, j], cells[k + 1, j]):
                i, value = item[t], float(course[t])
                totals[i if i >= 0 else ~i] += value
                square += value * value
            squares[j] += square
