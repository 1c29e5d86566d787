"""Stretches of time between an event that opens them and one that closes them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .events import Event

Span = tuple[float, float]


def spans(events: Sequence[Event], opens: str, closes: str) -> list[Span]:
    """Return (start, end) for each stretch; one that was never closed lasts for ever.

    A close without an open says that the state was there before the first event.
    """
    found: list[Span] = []
    start: float | None = None
    seen = False
    for event in sorted((e for e in events if e.kind in (opens, closes)), key=lambda e: e.t):
        if event.kind == opens:
            start = event.t if start is None else start
        elif start is not None:
            found.append((start, event.t))
            start = None
        elif not seen:
            found.append((-math.inf, event.t))
        seen = True
    if start is not None:
        found.append((start, math.inf))
    return found


def overlap_ms(stretches: Sequence[Span], start: float, end: float) -> float:
    """Return how much of [start, end] the stretches cover. A stretch without length inside counts as the least time."""
    total = 0.0
    for opened, closed in stretches:
        low, high = max(opened, start), min(closed, end)
        if high > low:
            total += high - low
        elif opened == closed and start < opened < end:
            total += math.ulp(1.0)
    return total


def longest_bound(stretches: Sequence[Span], start: float, end: float) -> float | None:
    """Return the time from `start` to the first stretch that begins inside [start, end]; None if it had begun."""
    begins = [opened for opened, closed in stretches if closed > start and opened < end]
    if not begins or min(begins) <= start:
        return None
    return min(begins) - start
