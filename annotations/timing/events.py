"""What the browser saw during a trial, as the rules read it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

# Stamped with the clock when they are recorded, so that among them the clock can be seen to run back. All others carry
# the time of an input or of a paint, which lies before the moment they are recorded at.
STAMPED_WHEN_RECORDED = frozenset(
    {"issued", "fetch_start", "fetch_end", "decoded", "placed", "hidden", "visible", "blur", "focus",
     "idle_end", "left", "offline", "online"}
)  # fmt: skip

INPUTS = frozenset({"input", "key_down", "pointer_down", "decision", "skip"})
"""Kinds that show that somebody did something."""

FURTHEST_MS = 1e11
"""Three years on a page's clock: beyond it a time is not one."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: when, on the page's monotonic clock in ms, and what."""

    t: float
    kind: str
    detail: Mapping[str, Any]

    def number(self, name: str) -> float | None:
        """Return a detail as a finite number above 0, or None."""
        value = self.detail.get(name)
        if not _is_time(value):
            return None
        number = float(value)
        return number if number > 0 else None


def _is_time(value: Any) -> TypeGuard[float]:
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and -FURTHEST_MS < value < FURTHEST_MS
        and math.isfinite(value)
    )


def read_events(raw: Iterable[Any]) -> tuple[list[Event], int]:
    """Return the events that can be read, in the order recorded, and the number of those that cannot."""
    events: list[Event] = []
    unreadable = 0
    for entry in raw:
        if isinstance(entry, Mapping) and isinstance(entry.get("kind"), str) and _is_time(entry.get("t")):
            events.append(Event(t=float(entry["t"]), kind=entry["kind"], detail=entry))
        else:
            unreadable += 1
    return events, unreadable
