"""What the response times of a file look like before one of them is written: wrong units, times of whole pages."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice, pairwise
from statistics import median

MOST_ROWS = 1_000_000
FEWEST_TIMES = 5
"""Times of one annotator from which on their unit can be told."""
SECONDS_BELOW = 30.0
"""Nobody answers within so few milliseconds: a column like that holds seconds."""
LONG_ABOVE_MS = 600_000.0
"""Nobody takes ten minutes an image: a column like that may hold microseconds."""
PAGE_SHARE = 0.45
FEWEST_FOR_PAGES = 10


@dataclass(frozen=True, slots=True)
class TimesSurvey:
    """Medians in the file's own unit; annotators by name."""

    typical_ms: float | None = None
    """Of all times; None where there is none."""
    page_share: float = 0.0
    """Share of times that equal the same annotator's one before, beyond chance: high where a page was timed."""
    like_seconds: dict[str, float] = field(default_factory=dict)
    """Annotators whose times must be seconds, with their medians."""
    very_long: dict[str, float] = field(default_factory=dict)
    """Annotators whose times are too long to be milliseconds."""

    @property
    def is_of_pages(self) -> bool:
        return self.page_share > PAGE_SHARE


def survey_times(times: Iterable[tuple[str, float, float]]) -> TimesSurvey:
    """Look at (annotator, place in their order, response time) of the first million trials that have a time."""
    places: dict[str, array[float]] = {}
    values: dict[str, array[float]] = {}
    for annotator, place, value in islice(times, MOST_ROWS):
        places.setdefault(annotator, array("d")).append(place)
        values.setdefault(annotator, array("d")).append(value)
    if not values:
        return TimesSurvey()
    medians = {name: median(own) for name, own in values.items() if len(own) >= FEWEST_TIMES}
    return TimesSurvey(
        typical_ms=median([value for own in values.values() for value in own]),
        page_share=_page_share(places, values),
        like_seconds={name: value for name, value in medians.items() if value < SECONDS_BELOW},
        very_long={name: value for name, value in medians.items() if value > LONG_ABOVE_MS},
    )


def _page_share(places: dict[str, array[float]], values: dict[str, array[float]]) -> float:
    """Share of equal neighbours beyond what chance gives: times rounded to seconds are often equal, and no pages."""
    same = compared = chance = 0.0
    for name, own in values.items():
        if len(set(own)) < 2:
            continue  # one time for everything is no page, and says nothing either way
        ordered = [value for _, value in sorted(zip(places[name], own, strict=True))]
        pairs = len(own) - 1
        same += sum(one == other for one, other in pairwise(ordered))
        chance += pairs * sum(n * (n - 1) for n in Counter(own).values()) / (len(own) * pairs)
        compared += pairs
    if compared < FEWEST_FOR_PAGES or chance >= compared:
        return 0.0
    return max(0.0, (same - chance) / (compared - chance))
