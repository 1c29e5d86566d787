"""Events of a drawing to the times of each box, or to null with a reason.

In a drawing trial the annotator looks for objects, draws a box around each and gives it a class. The clock of a box
starts where the one before it stopped: at the onset of the image for the first, then at the last thing done to any
box. Its response time ends with the first class that it got, so that it holds the search, the drawing and the
decision; each of them is kept apart as well. What is done to the box after that counts as editing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .durations import _first, _ms, disturbance, reason_for_all
from .events import Event, read_events
from .protocol import Protocol
from .reasons import Reason

BOXES_VERSION = 1
"""Raised with every change of these rules; stored with each box."""

ACTS = frozenset({"box_begin", "box_end", "box_class", "box_edit", "box_delete"})
"""What is done to a box. `box_edit` is dated at its end and says in `from` when it began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxTimes:
    """What the events say of one box. Milliseconds; None where something was not measured or cannot be trusted."""

    response_ms: float | None = None
    """From the onset, or from the last thing done to another box, to the first class of this one."""
    null_reason: Reason | None = None
    search_ms: float | None = None
    """From the same start to the pointer or key that began the box."""
    draw_ms: float | None = None
    class_ms: float | None = None
    """From the end of the box, or of its last edit before, to its class."""
    edit_ms: float | None = None
    n_edits: int = 0
    drawn_by: str = ""
    """key, mouse, touch or pen."""
    version: int = BOXES_VERSION


def box_times(raw: Iterable[Any], numbers: Collection[int], protocol: Protocol | None = None) -> dict[int, BoxTimes]:
    """Derive the times of the boxes with these numbers.

    Parameters
    ----------
    raw : events of the whole trial, as for `durations`.
    numbers : the boxes of the answer, as the browser numbered them.
    protocol : as for `durations`.

    Examples
    --------
    >>> events = [{"t": 0, "kind": "onset"}, {"t": 900, "kind": "box_begin", "box": 1},
    ...           {"t": 1500, "kind": "box_end", "box": 1}, {"t": 1900, "kind": "box_class", "box": 1},
    ...           {"t": 2500, "kind": "decision"}]
    >>> times = box_times(events, [1])[1]
    >>> times.response_ms, times.search_ms, times.draw_ms, times.class_ms
    (1900.0, 900.0, 600.0, 400.0)
    """
    protocol = protocol or Protocol()
    events, _ = read_events(raw)
    acts = sorted((event for event in events if event.kind in ACTS), key=lambda event: event.t)
    return {number: _times(number, events, acts, protocol) for number in numbers}


def _times(number: int, events: Sequence[Event], acts: Sequence[Event], protocol: Protocol) -> BoxTimes:
    own = [act for act in acts if act.detail.get("box") == number]
    begin, end, choice = (_first(own, kind) for kind in ("box_begin", "box_end", "box_class"))
    edits = [(since, act.t) for act in own if act.kind == "box_edit" and (since := act.number("from")) is not None]
    lasted = [ms for since, stop in edits if (ms := _ms(stop - since)) is not None]
    by = str(begin.detail.get("by", ""))[:8] if begin is not None else ""
    edited: dict[str, Any] = {"edit_ms": round(sum(lasted), 3) if lasted else None, "n_edits": len(edits)}
    onset = _first(events, "onset")
    start = _start(number, acts, onset, begin)
    reason = _reason(events, acts, number, (onset, start, begin, end, choice), protocol)
    if reason in (Reason.CLOCK_BACK, Reason.OUT_OF_ORDER, Reason.IMPLAUSIBLE_SPAN):
        return BoxTimes(null_reason=reason, drawn_by=by)
    before = [stop for _, stop in edits if end is not None and choice is not None and end.t < stop <= choice.t]
    made = max([end.t, *before]) if end is not None else None
    return BoxTimes(
        response_ms=_between(start, choice) if reason is None else None,
        null_reason=reason,
        search_ms=_between(start, begin),
        draw_ms=_between(begin, end),
        class_ms=None if made is None or choice is None else _ms(choice.t - made),
        drawn_by=by,
        **edited,
    )


def _start(number: int, acts: Sequence[Event], onset: Event | None, begin: Event | None) -> Event | None:
    """Return where the time of the box starts: the last thing done to another one before it, or the onset."""
    if onset is None or begin is None:
        return None
    earlier = [act for act in acts if act.detail.get("box") != number and onset.t < act.t <= begin.t]
    return earlier[-1] if earlier else onset


def _reason(
    events: Sequence[Event],
    acts: Sequence[Event],
    number: int,
    marks: tuple[Event | None, Event | None, Event | None, Event | None, Event | None],
    protocol: Protocol,
) -> Reason | None:
    onset, start, begin, end, choice = marks
    over = _first(events, "decision") or _first(events, "skip") or _first(events, "out_of_time")
    reason = reason_for_all(events, onset, over, protocol)
    if reason == Reason.REVISITED and choice is not None:
        # What was done before the image was left for the first time was done on the first visit.
        left = next((event for event in events if event.kind == "left"), None)
        reason = None if left is not None and choice.t <= left.t else reason
    if reason is not None:
        return reason
    if start is None or begin is None or end is None or choice is None:
        return Reason.MISSING_EVENTS
    if not start.t <= begin.t <= end.t <= choice.t or not start.t < choice.t:
        return Reason.OUT_OF_ORDER
    if any(act.detail.get("box") != number and begin.t < act.t < choice.t for act in acts):
        return Reason.INTERLEAVED
    return disturbance(events, start, choice, protocol)


def _between(start: Event | None, end: Event | None) -> float | None:
    return None if start is None or end is None else _ms(end.t - start.t)
