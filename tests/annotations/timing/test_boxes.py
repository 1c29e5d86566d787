"""Times of boxes from the events of a drawing: exact figures, each reason, and any stream."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.timing import Protocol, Reason, box_times
from annotations.timing.boxes import ACTS


def act(kind, t, box=1, **detail):
    return {"t": t, "kind": f"box_{kind}", "box": box, **detail}


def drawing(*acts, onset=1000, end=9000, more=()):
    events = [{"t": onset, "kind": "onset", "by": "element"}, *acts, *more, {"t": end, "kind": "decision", "by": "key"}]
    return sorted(events, key=lambda event: event["t"])


ONE = (act("begin", 1800, by="mouse"), act("end", 2500), act("class", 2900, label=0))
TWO = (act("begin", 3900, 2, by="key"), act("end", 4400, 2), act("class", 5000, 2, label=1))


def test_the_clock_of_a_box_starts_where_the_one_before_it_stopped():
    times = box_times(drawing(*ONE, *TWO), [1, 2])
    first, second = times[1], times[2]
    assert (first.response_ms, first.search_ms, first.draw_ms, first.class_ms) == (1900.0, 800.0, 700.0, 400.0)
    assert (second.response_ms, second.search_ms, second.draw_ms, second.class_ms) == (2100.0, 1000.0, 500.0, 600.0)
    assert (first.drawn_by, second.drawn_by) == ("mouse", "key")
    assert (first.null_reason, first.n_edits, first.edit_ms) == (None, 0, None)


def test_edits_are_counted_and_timed_and_end_the_drawing_when_they_come_before_the_class():
    edit = {"kind": "box_edit", "box": 1, "what": "move"}
    before, after = {**edit, "t": 2700, "from": 2600}, {**edit, "t": 6300, "from": 6000}
    times = box_times(drawing(*ONE, *TWO, before, after), [1, 2])
    assert (times[1].n_edits, times[1].edit_ms) == (2, 400.0)
    assert (times[1].class_ms, times[1].response_ms) == (200.0, 1900.0)
    assert times[2].response_ms == 2100.0


def test_the_first_class_is_the_decision():
    assert box_times(drawing(*ONE, act("class", 7000, label=1)), [1])[1].response_ms == 1900.0


def test_a_deleted_box_before_is_where_the_next_one_starts():
    times = box_times(drawing(*ONE, act("delete", 3400), *TWO), [2])
    assert times[2].search_ms == 500.0


def test_with_one_class_there_is_no_decision_to_time():
    box = box_times(drawing(act("begin", 1800), act("end", 2500), act("class", 2500, by="only")), [1])[1]
    assert (box.response_ms, box.class_ms, box.null_reason) == (1500.0, None, None)


INTERLEAVED = (act("begin", 1800), act("end", 2500), *TWO, act("class", 5600, label=0))


@pytest.mark.parametrize(
    ("acts", "more", "reason"),
    [
        (INTERLEAVED, (), Reason.INTERLEAVED),
        (ONE[:2], (), Reason.MISSING_EVENTS),
        ((), (), Reason.MISSING_EVENTS),
        ((act("begin", 500), *ONE[1:]), (), Reason.OUT_OF_ORDER),
        ((ONE[0], act("end", 1700), ONE[2]), (), Reason.OUT_OF_ORDER),
        (ONE, ({"t": 2000, "kind": "hidden"}, {"t": 2100, "kind": "visible"}), Reason.HIDDEN),
        (ONE, ({"t": 2000, "kind": "blur"}, {"t": 2200, "kind": "focus"}), Reason.BLURRED),
        (ONE, ({"t": 2000, "kind": "idle"}, {"t": 2200, "kind": "idle_end"}), Reason.IDLE),
        (ONE, ({"t": 900, "kind": "resumed"},), Reason.RESUMED),
        (ONE, ({"t": 2000, "kind": "left"}, {"t": 2100, "kind": "onset"}), Reason.REVISITED),
        (ONE, ({"t": 1500, "kind": "assisted"},), Reason.ASSISTED),
        ((act("begin", 1020), act("end", 1060), act("class", 1100)), (), Reason.TOO_FAST),
    ],
)
def test_each_reason_for_no_time(acts, more, reason):
    box = box_times(drawing(*acts, more=more), [1])[1]
    assert (box.response_ms, box.null_reason) == (None, reason)


def test_what_disturbs_one_box_costs_the_others_nothing():
    hidden = ({"t": 4100, "kind": "hidden"}, {"t": 4200, "kind": "visible"})
    times = box_times(drawing(*ONE, *TWO, more=hidden), [1, 2])
    assert (times[1].response_ms, times[2].null_reason) == (1900.0, Reason.HIDDEN)
    left = ({"t": 3000, "kind": "left"}, {"t": 3200, "kind": "onset"})
    times = box_times(drawing(*ONE, *TWO, more=left), [1, 2])
    assert (times[1].response_ms, times[2].null_reason) == (1900.0, Reason.REVISITED)


def test_times_that_the_server_cannot_have_seen_are_not_believed():
    assert box_times(drawing(*ONE), [1], Protocol(bracket_ms=3000))[1].null_reason == Reason.IMPLAUSIBLE_SPAN
    assert box_times(drawing(*ONE), [1], Protocol(bracket_ms=9000))[1].null_reason is None


KINDS = [
    *sorted(ACTS),
    "onset",
    "decision",
    "hidden",
    "visible",
    "blur",
    "focus",
    "left",
    "idle",
    "idle_end",
    "unknown",
]
TIMES = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.integers(-100, 5000), st.none())
EVENTS = st.lists(
    st.fixed_dictionaries(
        {"t": TIMES, "kind": st.sampled_from(KINDS)},
        optional={"box": st.integers(0, 3), "from": TIMES, "by": st.one_of(st.text(max_size=12), st.none())},
    ),
    max_size=40,
)


@settings(max_examples=500, deadline=None)
@given(EVENTS)
def test_any_stream_gives_times_or_a_reason(events):
    for number, box in box_times(events, [1, 2]).items():
        assert number in (1, 2)
        assert (box.response_ms is None) == (box.null_reason is not None)
        for ms in (box.response_ms, box.search_ms, box.draw_ms, box.class_ms, box.edit_ms):
            assert ms is None or (ms > 0 and math.isfinite(ms))
        assert len(box.drawn_by) <= 8
