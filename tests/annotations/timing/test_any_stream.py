"""Any stream of events gives a duration or a reason: never an exception, never a negative, never a 0."""

from __future__ import annotations

import dataclasses
import math

from hypothesis import given
from hypothesis import strategies as st

from annotations.timing import Protocol, Reason, durations

KINDS = [
    "issued", "fetch_start", "fetch_end", "decoded", "placed", "onset", "key_down", "key_up", "decision", "skip",
    "pointer_down", "pointer_up", "hidden", "visible", "blur", "focus", "idle", "idle_end", "limit", "suspended",
    "masked", "out_of_time",
    "suspended_end", "left", "resumed", "unseen", "assisted", "frame", "early_key", "repeat", "offline", "clock_back",
]  # fmt: skip

near_times = st.one_of(st.integers(-10, 5000), st.floats(-10, 5000))
likely = st.fixed_dictionaries({"t": near_times, "kind": st.sampled_from(KINDS)}, optional={"ms": st.floats()})
wild = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["t", "kind", "ms", "by"]), inner),
    max_leaves=6,
)
streams = st.lists(likely | wild, max_size=25)
protocols = st.builds(
    Protocol,
    floor_ms=st.floats(0, 500),
    bracket_ms=st.none() | st.floats(-1000, 1e7),
    resumed=st.booleans(),
    other_tab=st.booleans(),
)


@given(streams, protocols)
def test_any_stream_gives_a_duration_or_a_reason(stream, protocol):
    result = durations(stream, protocol)
    assert (result.response_ms is None) == (result.null_reason is not None)
    for field in dataclasses.fields(result):
        value = getattr(result, field.name)
        if field.name.endswith("_ms") and value is not None:
            assert value > 0
            assert math.isfinite(value)
    if result.response_ms is not None:
        assert result.response_ms >= protocol.floor_ms


@given(streams, protocols)
def test_the_same_events_give_the_same_durations(stream, protocol):
    assert durations(stream, protocol) == durations(list(stream), protocol)


@given(
    st.floats(0, 1e6), st.floats(200, 60_000),
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from(["hidden", "suspended", "idle"])), min_size=1, max_size=4),
)  # fmt: skip
def test_a_disturbance_between_onset_and_answer_never_leaves_a_time(onset, response, disturbances):
    stream = [{"t": onset, "kind": "onset"}, {"t": onset + response, "kind": "decision"}]
    stream += [{"t": onset + share * response * 0.999, "kind": kind} for share, kind in disturbances]
    result = durations(sorted(stream, key=lambda e: e["t"]))
    assert result.null_reason in (Reason.HIDDEN, Reason.SUSPENDED, Reason.IDLE)
    assert result.censored_at_ms is None or result.censored_at_ms <= response


@given(st.floats(0, 1e6), st.floats(150.001, 60_000), st.floats(0, 5000))
def test_download_and_waiting_never_enter_the_response_time(onset, response, wait):
    stream = [
        {"t": onset, "kind": "fetch_start"},
        {"t": onset + wait, "kind": "fetch_end"},
        {"t": onset + wait, "kind": "onset"},
        {"t": onset + wait + response, "kind": "decision"},
    ]
    assert math.isclose(durations(stream).response_ms, response, rel_tol=0, abs_tol=1e-3)
