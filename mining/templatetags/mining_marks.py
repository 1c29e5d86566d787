"""Small drawings in tables: a dot with its interval, the single results of seeds. Plain SVG, so no script is needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from django import template

from hardness_site.templatetags.site import change, figure, ms
from mining.human_words import in_text
from mining.selectors.predictions import IN_SAMPLE_WARNING, in_sample_learners

register = template.Library()

IN_SAMPLE_TEMPLATE = "mining/_in_sample.html"
WIDTH = 120.0
INSET = 4.0


@register.inclusion_tag("mining/_interval_mark.html")
def interval_mark(
    value: float | None, low: float | None, high: float | None, start: float, end: float
) -> dict[str, Any]:
    """Draw `value` with its interval on a scale from `start` to `end`, with a line at zero where that is inside."""
    scale = _Scale(start, end)
    return {
        "width": WIDTH,
        "value": scale.at(value),
        "low": scale.at(low),
        "high": scale.at(high),
        "zero": scale.at(0.0) if start <= 0 <= end else None,
        "crosses": low is not None and high is not None and low <= 0 <= high,
    }


@register.inclusion_tag("mining/_seeds_mark.html")
def seeds_mark(value: float | None, by_seed: Sequence[float | None], start: float, end: float) -> dict[str, Any]:
    """Draw the result of each seed as a faint dot and their mean as a line, on a scale from `start` to `end`."""
    scale = _Scale(start, end)
    return {
        "width": WIDTH,
        "value": scale.at(value),
        "seeds": [place for place in map(scale.at, by_seed) if place is not None],
    }


@register.inclusion_tag(IN_SAMPLE_TEMPLATE)
def in_sample(round_: Any) -> dict[str, Any]:
    """Warn of learners of the round that judged items that they were trained on; nothing where there is none."""
    return {"learners": in_sample_learners(round_), "warning": IN_SAMPLE_WARNING}


@register.inclusion_tag("mining/_practice_mark.html")
def practice_mark(curve: Sequence[dict[str, float]]) -> dict[str, str]:
    """Draw {place, ms} points on logarithmic scales, 96 x 24, fast at the bottom."""
    if len(curve) < 2:
        return {"points": ""}
    x, y = ([math.log(point[axis]) for point in curve] for axis in ("place", "ms"))
    # At least a factor of 1.5 from bottom to top, so that small changes look small.
    middle, half = (min(y) + max(y)) / 2, max(max(y) - min(y), math.log(1.5)) / 2
    span = (max(x) - min(x)) or 1.0
    places = [(2 + 92 * (at - min(x)) / span, 12 - 10 * (ms - middle) / half) for at, ms in zip(x, y, strict=True)]
    return {"points": " ".join(f"{at:.1f},{height:.1f}" for at, height in places)}


@register.filter
def log_percent(value: float | None) -> str:
    """Return a change of ln time in per cent with its sign: .05 is "+5 %"; a dash for None."""
    if value is None or not math.isfinite(value):
        return "–"
    return change(100 * math.expm1(min(value, 10.0)), 0) + "\u00a0%"


@register.filter(name="in_text")
def title_in_text(title: str) -> str:
    """Return a measure's title as it stands inside a sentence."""
    return in_text(title)


@register.filter
def lower_first(sentence: str) -> str:
    """Return a sentence as it goes on after a colon."""
    return sentence[:1].lower() + sentence[1:]


@register.filter
def human_figure(value: float | None, unit: str) -> str:
    """Return the value of a measure of people: milliseconds as times, all else with two decimals."""
    return ms(value) if unit == "ms" else figure(value)


@register.filter
def share_of(part: int | None, whole: int | None) -> float | None:
    """Return part / whole; None where there is no whole."""
    return None if not whole or part is None else part / whole


@register.filter
def beside(row: Sequence[Any], columns: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Return (column, value) pairs of a table's row."""
    return list(zip(columns, row, strict=True))


class _Scale:
    def __init__(self, start: float, end: float) -> None:
        self.start, self.span = float(start), (float(end) - float(start)) or 1.0

    def at(self, value: float | None) -> float | None:
        """Return the place on the drawing, kept inside it; None for what is not known."""
        if value is None or not math.isfinite(value):
            return None
        share = min(1.0, max(0.0, (value - self.start) / self.span))
        return round(INSET + share * (WIDTH - 2 * INSET), 1)
