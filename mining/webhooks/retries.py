"""When to try again: pauses that grow, with jitter, so that a target that comes back is not run over."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

JITTER = 0.2
LONGEST_WISH_SECONDS = 3600.0
"""A target may ask for a longer pause (Retry-After), but not for more than this beyond the timetable's own."""


def pause_seconds(
    n_failed: int, pauses: Sequence[float], *, wish: float | None = None, generator: random.Random | None = None
) -> float | None:
    """Return the seconds until the next attempt after `n_failed` (1, 2, …) failed ones; None: give up.

    The pause is the timetable's, up to 20 % shorter or longer; never shorter than what the target asked for.
    """
    if n_failed > len(pauses):
        return None
    draw = (generator or random).uniform(1 - JITTER, 1 + JITTER)
    pause = pauses[n_failed - 1] * draw
    return pause if wish is None else max(pause, min(wish, LONGEST_WISH_SECONDS))


def retry_after_seconds(header: str | None, *, now: datetime) -> float | None:
    """Return what a Retry-After header asks for, in seconds; None where there is none that can be read."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit() and len(text) < 8:
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())
