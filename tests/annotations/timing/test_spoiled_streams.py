"""A real trial's events, spoiled on their way: shuffled, lost, doubled, dated wildly. A true time, or a reason."""

from __future__ import annotations

import dataclasses
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.timing import Protocol, box_times, durations

REAL = [
    {"t": 1000.0, "kind": "issued"},
    {"t": 1001.0, "kind": "fetch_start"},
    {"t": 1041.5, "kind": "fetch_end"},
    {"t": 1049.25, "kind": "decoded"},
    {"t": 5000.0, "kind": "placed"},
    {"t": 5016.125, "kind": "onset", "by": "element"},
    {"t": 5016.125, "kind": "limit", "ms": 4000},
    {"t": 5600.5, "kind": "input"},
    {"t": 5700.75, "kind": "key_down", "key": "1"},
    {"t": 5700.75, "kind": "decision", "by": "key"},
    {"t": 5701.0, "kind": "frame", "ms": 16.67},
    {"t": 5780.0, "kind": "key_up"},
]
DRAWN = [
    *REAL[:6],
    {"t": 5300.0, "kind": "box_begin", "box": 1, "by": "mouse"},
    {"t": 5400.0, "kind": "box_end", "box": 1},
    {"t": 5500.0, "kind": "box_class", "box": 1, "label": 0},
    {"t": 5550.0, "from": 5520.0, "kind": "box_edit", "box": 1, "what": "move"},
    *REAL[7:],
]
RESPONSE_MS = 684.625

wild_time = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.integers(-(10**400), 10**400), st.floats(-6000, 6000),
    st.booleans(), st.none(), st.text(max_size=4), st.sampled_from([-0.0, 5e-324, 1e308, -1e308, 1e11, 2**63]),
)  # fmt: skip
act = st.one_of(
    st.tuples(st.just("lose"), st.integers(0, 40), st.none()),
    st.tuples(st.just("double"), st.integers(0, 40), st.integers(0, 40)),
    st.tuples(st.just("move"), st.integers(0, 40), st.integers(0, 40)),
    st.tuples(st.sampled_from(["t", "ms", "from", "kind"]), st.integers(0, 40), wild_time),
    st.tuples(st.just("later"), st.integers(0, 40), st.floats(-1e4, 1e4)),
)
protocols = st.builds(Protocol, floor_ms=st.floats(0, 1000), bracket_ms=st.none() | st.floats(-1e3, 1e5))


def spoil(events, acts):
    """Return the events after each of the acts: what, at which place, with what."""
    found = [dict(event) for event in events]
    for what, place, value in acts:
        at = place % max(1, len(found))
        if not found:
            break
        if what == "lose":
            found.pop(at)
        elif what == "double":
            found.insert(value % (len(found) + 1), dict(found[at]))
        elif what == "move":
            found.insert(value % len(found), found.pop(at))
        elif what == "later":
            if isinstance(found[at].get("t"), float):
                found[at]["t"] += value
        else:
            found[at][what] = value
    return found


def first(events, kind):
    """Return the time of the first event of the kind that can be read as one."""
    for event in events:
        t = event.get("t")
        if event.get("kind") == kind and isinstance(t, int | float) and not isinstance(t, bool) and -1e11 < t < 1e11:
            return float(t)
    return None


def test_unspoiled_it_is_the_time_from_onset_to_decision():
    assert durations(REAL).response_ms == RESPONSE_MS
    assert box_times(DRAWN, [1])[1].response_ms == 483.875


@settings(max_examples=400, deadline=None)
@given(st.lists(act, max_size=8), protocols)
def test_a_spoiled_stream_gives_the_true_difference_or_a_reason(acts, protocol):
    stream = spoil(REAL, acts)
    result = durations(stream, protocol)
    for field in dataclasses.fields(result):
        value = getattr(result, field.name)
        if field.name.endswith("_ms") and value is not None:
            assert math.isfinite(value) and value > 0, field.name
    if result.response_ms is None:
        assert result.null_reason is not None
        return
    assert result.null_reason is None
    # Never another number than the one between the two events that define it, however the rest was spoiled.
    onset, decision = first(stream, "onset"), first(stream, "decision")
    assert onset is not None and decision is not None
    assert result.response_ms == round(decision - onset, 3) >= protocol.floor_ms
    assert result.paid_ms == min(result.response_ms, protocol.paid_cap_ms)
    assert result.first_input_ms is None or result.first_input_ms <= result.response_ms
    if protocol.bracket_ms is not None:
        assert result.response_ms <= max(0, protocol.bracket_ms) * 1.001 + 100


@settings(max_examples=400, deadline=None)
@given(st.lists(act, max_size=8), protocols)
def test_a_spoiled_drawing_gives_times_of_its_box_or_a_reason(acts, protocol):
    box = box_times(spoil(DRAWN, acts), [1], protocol)[1]
    assert (box.response_ms is None) == (box.null_reason is not None)
    for ms in (box.response_ms, box.search_ms, box.draw_ms, box.class_ms, box.edit_ms):
        assert ms is None or (math.isfinite(ms) and ms > 0)
    if box.response_ms is not None:
        assert box.response_ms >= protocol.floor_ms


@given(st.permutations(REAL))
def test_whatever_the_order_of_arrival_a_time_is_the_true_one(stream):
    assert durations(stream).response_ms in (RESPONSE_MS, None)
