"""Events of one trial to durations, or to null with a reason.

The response time runs from the first painted frame of the image to the time stamp of the key, click or touch. Any list
of events gives a result: never an exception, never a negative number, never a 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .events import INPUTS, STAMPED_WHEN_RECORDED, Event, read_events
from .protocol import Protocol
from .reasons import Reason
from .spans import longest_bound, overlap_ms, spans

VERSION = 3
"""Raised with every change of the rules; stored with each trial, so that old ones can be found and derived again."""

CLOCK_TOLERANCE_MS = 1.0
"""Browsers round times, and not all stamps alike: less than this is not a clock that goes back."""

PAINT_TOLERANCE_MS = 50.0
"""Paint times are rounded to whole frames; a paint may be dated up to this long before the picture was placed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """What a trial's events say. Milliseconds; None where something was not measured or cannot be trusted."""

    response_ms: float | None = None
    null_reason: Reason | None = None
    censored_at_ms: float | None = None
    """Where the time was lost on the way: the response took longer than this."""
    paid_ms: float | None = None
    download_ms: float | None = None
    decode_ms: float | None = None
    paint_ms: float | None = None
    """From placing the image in the page to its first frame."""
    first_input_ms: float | None = None
    """From the onset to the first sign of life, if that was before the answer."""
    key_hold_ms: float | None = None
    frame_ms: float | None = None
    exposure_ms: float | None = None
    """How long the image was to be seen before a mask took its place."""
    exposure_frames: int | None = None
    flags: tuple[str, ...] = ()
    version: int = VERSION


def durations(raw: Iterable[Any], protocol: Protocol | None = None) -> Durations:
    """Derive the durations of one trial.

    Parameters
    ----------
    raw : list of mappings with `t` (ms on the page's monotonic clock) and `kind`, in the order recorded.
        docs/timing.md lists the kinds; unknown ones are passed over.
    protocol : settings of the project and what the server knows about the trial.

    Examples
    --------
    >>> durations([{"t": 100, "kind": "onset"}, {"t": 850, "kind": "decision"}]).response_ms
    750.0
    >>> durations([{"t": 100, "kind": "onset"}]).null_reason
    <Reason.MISSING_EVENTS: 'missing_events'>
    """
    protocol = protocol or Protocol()
    events, unreadable = read_events(raw)
    onset = _first(events, "onset")
    end = _first(events, "decision") or _first(events, "skip") or _first(events, "out_of_time")
    reason = _reason(events, onset, end, protocol)
    # Times that contradict each other say nothing at all; the others still say what was paid, fetched and decoded.
    if reason in (Reason.CLOCK_BACK, Reason.OUT_OF_ORDER, Reason.IMPLAUSIBLE_SPAN):
        return Durations(null_reason=reason, flags=_flags(events, unreadable, onset))
    shown_ms = _between(onset, end)
    return Durations(
        response_ms=shown_ms if reason is None else None,
        null_reason=reason,
        censored_at_ms=_bound(events, onset, end, reason, protocol),
        paid_ms=None if shown_ms is None else min(shown_ms, protocol.paid_cap_ms),
        download_ms=_between(_first(events, "fetch_start"), _first(events, "fetch_end")),
        decode_ms=_between(_first(events, "fetch_end"), _first(events, "decoded")),
        paint_ms=_between(_first(events, "placed"), onset),
        first_input_ms=_first_input(events, onset, end),
        key_hold_ms=_key_hold(events, end),
        frame_ms=next((value for e in events if e.kind == "frame" and (value := e.number("ms"))), None),
        exposure_ms=_exposure(events, "ms"),
        exposure_frames=None if (frames := _exposure(events, "frames")) is None else min(round(frames), 30_000),
        flags=_flags(events, unreadable, onset),
    )


def _exposure(events: Sequence[Event], unit: str) -> float | None:
    masked = _first(events, "masked")
    return None if masked is None else masked.number(unit)


def _limit_ms(events: Sequence[Event]) -> float | None:
    """Return the time limit that the trial had: as it was then, whatever the project's is now."""
    limit = _first(events, "limit")
    return None if limit is None else limit.number("ms")


def _is_out_of_time(events: Sequence[Event], onset: Event, end: Event) -> bool:
    limit_ms = _limit_ms(events)
    return end.kind == "out_of_time" or (limit_ms is not None and end.t - onset.t > limit_ms)


def _first(events: Sequence[Event], kind: str) -> Event | None:
    return next((event for event in events if event.kind == kind), None)


def _between(start: Event | None, end: Event | None) -> float | None:
    """Return the time from one event to the other; None unless both are there and it is above 0."""
    if start is None or end is None:
        return None
    return _ms(end.t - start.t)


def _ms(difference: float) -> float | None:
    """Return a duration without the noise of floating point; None where nothing of it is left."""
    rounded = round(difference, 3)
    return rounded if rounded > 0 else None


def _reason(events: Sequence[Event], onset: Event | None, end: Event | None, protocol: Protocol) -> Reason | None:
    """Return the first reason that holds, in the order of `Reason`."""
    reason = reason_for_all(events, onset, end, protocol)
    if reason is not None or onset is None or end is None:
        return reason
    return disturbance(events, onset, end, protocol)


def reason_for_all(
    events: Sequence[Event], onset: Event | None, end: Event | None, protocol: Protocol
) -> Reason | None:
    """Return the first reason for which no time of the trial can be trusted, not even that of a part of it."""
    if end is None:
        return Reason.MISSING_EVENTS
    if _clock_went_back(events):
        return Reason.CLOCK_BACK
    if end.kind == "skip" or protocol.skipped:
        return Reason.SKIPPED
    if onset is None:
        return Reason.NO_ONSET
    if _impossible_order(events, onset, end):
        return Reason.OUT_OF_ORDER
    if _longer_than_the_server_saw(events, end, protocol):
        return Reason.IMPLAUSIBLE_SPAN
    kinds = {event.kind for event in events}
    if "resumed" in kinds or (protocol.resumed and "unseen" not in kinds):
        return Reason.RESUMED
    if "left" in kinds or sum(event.kind == "onset" for event in events) > 1:
        return Reason.REVISITED
    if protocol.other_tab:
        return Reason.OTHER_TAB
    if "assisted" in kinds:
        return Reason.ASSISTED
    return None


def disturbance(events: Sequence[Event], onset: Event, end: Event, protocol: Protocol) -> Reason | None:
    """Return what happened between onset and answer that makes the time another than that of looking and deciding.

    The two may also be those of a part of the trial, such as one box of several.
    """
    if overlap_ms(spans(events, "hidden", "visible"), onset.t, end.t) > 0:
        return Reason.HIDDEN
    if overlap_ms(spans(events, "blur", "focus"), onset.t, end.t) > protocol.blur_tolerance_ms:
        return Reason.BLURRED
    if overlap_ms(spans(events, "suspended", "suspended_end"), onset.t, end.t) > 0:
        return Reason.SUSPENDED
    if overlap_ms(spans(events, "idle", "idle_end"), onset.t, end.t) > 0:
        return Reason.IDLE
    if end.detail.get("by") == "search":
        return Reason.SEARCHED
    if _is_out_of_time(events, onset, end):
        return Reason.OUT_OF_TIME
    if (_between(onset, end) or 0.0) < protocol.floor_ms:
        return Reason.TOO_FAST
    return None


def _clock_went_back(events: Sequence[Event]) -> bool:
    latest = float("-inf")
    for event in events:
        if event.kind == "clock_back":
            return True
        if event.kind in STAMPED_WHEN_RECORDED:
            if event.t < latest - CLOCK_TOLERANCE_MS:
                return True
            latest = max(latest, event.t)
    return False


def _impossible_order(events: Sequence[Event], onset: Event, end: Event) -> bool:
    """Whether answer, onset, placing, decoding, download and issue contradict each other."""
    if _between(onset, end) is None:
        return True
    earlier: Event | None = None
    for kind in ("issued", "fetch_start", "fetch_end", "decoded", "placed"):
        event = _first(events, kind)
        if event is None:
            continue
        if earlier is not None and event.t < earlier.t - CLOCK_TOLERANCE_MS:
            return True
        earlier = event
    return earlier is not None and onset.t < earlier.t - PAINT_TOLERANCE_MS


def _longer_than_the_server_saw(events: Sequence[Event], end: Event, protocol: Protocol) -> bool:
    if protocol.bracket_ms is None:
        return False
    span = end.t - min(event.t for event in events)
    return span > max(0.0, protocol.bracket_ms) * (1 + protocol.bracket_drift) + protocol.bracket_tolerance_ms


def _bound(
    events: Sequence[Event], onset: Event | None, end: Event | None, reason: Reason | None, protocol: Protocol
) -> float | None:
    """Return how long the image was certainly looked at without an answer, where that is all that is known."""
    pairs = {
        Reason.HIDDEN: ("hidden", "visible"),
        Reason.BLURRED: ("blur", "focus"),
        Reason.SUSPENDED: ("suspended", "suspended_end"),
        Reason.IDLE: ("idle", "idle_end"),
    }
    if onset is None or end is None:
        return None
    if reason == Reason.OUT_OF_TIME:
        # The timer may come late, but the limit was passed when it was passed.
        shown_ms = _ms(min(end.t - onset.t, _limit_ms(events) or float("inf")))
        return shown_ms if shown_ms is not None and shown_ms >= protocol.floor_ms else None
    if reason == Reason.SEARCHED:
        # Until the search began there was no answer; what came then is typing as much as deciding.
        began = next((e.t for e in events if e.kind == "aside" and e.detail.get("what") == "classes"), None)
        bound = None if began is None else _ms(min(began, end.t) - onset.t)
        return bound if bound is not None and bound >= protocol.floor_ms else None
    if reason not in pairs:
        return None
    bound = longest_bound(spans(events, *pairs[reason]), onset.t, end.t)
    bound = None if bound is None else _ms(bound)
    return bound if bound is not None and bound >= protocol.floor_ms else None


def _first_input(events: Sequence[Event], onset: Event | None, end: Event | None) -> float | None:
    if onset is None or end is None:
        return None
    times = [event.t for event in events if event.kind in INPUTS and onset.t < event.t <= end.t]
    return _ms(min(times) - onset.t) if times else None


def _key_hold(events: Sequence[Event], end: Event | None) -> float | None:
    """Return how long the deciding key or pointer was down."""
    if end is None:
        return None
    pairs = (("key_down", "key_up"), ("pointer_down", "pointer_up"))
    for down_kind, up_kind in pairs:
        down = [e for e in events if e.kind == down_kind and e.t <= end.t + CLOCK_TOLERANCE_MS]
        if not down:
            continue
        up = [e for e in events if e.kind == up_kind and e.t > down[-1].t]
        if up:
            return _ms(up[0].t - down[-1].t)
    return None


_FLAGGED = (
    "hidden", "blur", "idle", "suspended", "offline", "resumed", "left", "assisted", "early_key", "repeat", "zoom",
    "adjusted", "second_click", "aside",
)  # fmt: skip


def _flags(events: Sequence[Event], unreadable: int, onset: Event | None) -> tuple[str, ...]:
    """Return what happened, whether or not it cost the response time."""
    kinds = {event.kind for event in events}
    flags = [kind for kind in _FLAGGED if kind in kinds]
    if onset is not None and onset.detail.get("by") == "frames":
        flags.append("onset_by_frames")
    if unreadable:
        flags.append("unreadable_events")
    return tuple(flags)
