"""Browsers' clocks against the server's: a warning for each annotator whose clock runs at another speed."""

from __future__ import annotations

from typing import Any

from annotations.models import Project
from mining.adapters.clocks import sittings_of
from mining.hardness.clock_rate import clock_rate

TOLERANCE = 0.01
"""Machines' clocks part by less than a thousandth: one in a hundred is a broken clock or a machine that is halted."""


def clock_cautions(project: Project) -> list[dict[str, Any]]:
    """Return {"name", "message", "annotators"} of the clocks that run fast or slow; of several sittings the worst."""
    worst: dict[int, tuple[float, float, float]] = {}
    for annotator, client_ms, server_ms in sittings_of(project):
        found = clock_rate(client_ms, server_ms)
        off = found.low > 1 + TOLERANCE or found.high < 1 - TOLERANCE
        if off and abs(found.rate - 1) > abs(worst.get(annotator, (1.0,))[0] - 1):
            worst[annotator] = (found.rate, found.low, found.high)
    return [
        {
            "name": "clock_rate", "annotators": [annotator],
            "message": f"A browser's clock runs {abs(rate - 1):.1%} {'fast' if rate > 1 else 'slow'} against the "
            f"server's (95 % interval {low - 1:+.1%} to {high - 1:+.1%}): all its times are off by as much. "
            "Hardness compares times of the same annotator and is hardly harmed; speeds are.",
        }
        for annotator, (rate, low, high) in sorted(worst.items())
    ]  # fmt: skip
