"""One trial's events to its durations: each rule by an example with its exact result."""

from __future__ import annotations

import math
from typing import Any

import pytest

from annotations.timing import VERSION, Protocol, Reason, durations

E = dict[str, Any]


def at(t: float, kind: str, **detail: Any) -> E:
    return {"t": t, "kind": kind, **detail}


def whole_trial(*extra: E, onset: float = 1000.0, decision: float = 1640.0) -> list[E]:
    """A trial as the workbench records it, with other events put in by their time."""
    events = [
        at(100, "issued"),
        at(110, "fetch_start"),
        at(150, "fetch_end"),
        at(162, "decoded"),
        at(990, "placed"),
        at(onset, "onset", by="element"),
        at(decision, "key_down", key="3"),
        at(decision, "decision", by="key"),
        at(decision + 85, "key_up", key="3"),
        at(decision + 86, "frame", ms=16.7),
        *extra,
    ]
    return sorted(events, key=lambda e: e["t"])


def test_an_undisturbed_trial_has_every_duration():
    result = durations(whole_trial())
    assert result.response_ms == 640
    assert result.null_reason is None
    assert result.paid_ms == 640
    assert result.download_ms == 40
    assert result.decode_ms == 12
    assert result.paint_ms == 10
    assert result.first_input_ms == 640
    assert result.key_hold_ms == 85
    assert result.frame_ms == 16.7
    assert result.flags == ()
    assert result.version == VERSION
    assert result.censored_at_ms is None


@pytest.mark.parametrize(
    ("extra", "reason", "bound"),
    [
        ([at(1300, "hidden"), at(1400, "visible")], Reason.HIDDEN, 300),
        ([at(1300, "hidden")], Reason.HIDDEN, 300),
        ([at(1050, "hidden"), at(1400, "visible")], Reason.HIDDEN, None),  # 50 ms bound nothing: under the floor
        ([at(1200, "visible")], Reason.HIDDEN, None),
        ([at(1200, "blur"), at(1500, "focus")], Reason.BLURRED, 200),
        ([at(500, "blur"), at(1500, "focus")], Reason.BLURRED, None),
        ([at(1400, "idle"), at(1640, "idle_end")], Reason.IDLE, 400),
        ([at(1400, "suspended"), at(1400, "suspended_end")], Reason.SUSPENDED, 400),
        ([at(100, "resumed")], Reason.RESUMED, None),
        ([at(1200, "left")], Reason.REVISITED, None),
        ([at(1200, "onset")], Reason.REVISITED, None),
        ([at(100, "assisted")], Reason.ASSISTED, None),
        ([at(1100, "aside", what="classes"), at(1640, "decision", by="search")], Reason.SEARCHED, None),
        ([at(1400, "aside", what="classes"), at(1640, "decision", by="search")], Reason.SEARCHED, 400),
    ],
)
def test_what_happens_while_the_image_is_shown_costs_the_response_time(extra, reason, bound):
    events = whole_trial(*extra)
    if reason == Reason.SEARCHED:
        events = [e for e in events if e.get("by") != "key"]
    result = durations(events)
    assert result.response_ms is None
    assert result.null_reason == reason
    assert result.censored_at_ms == bound
    assert result.paid_ms == 640


@pytest.mark.parametrize(
    "extra",
    [
        [at(300, "hidden"), at(900, "visible")],  # hidden while the image waited its turn
        [at(1700, "hidden")],  # after the answer
        [at(1200, "blur"), at(1250, "focus")],  # a widget took the keyboard for a moment
        [at(1200, "offline"), at(1300, "online")],  # the image is there already
        [at(500, "early_key")],
    ],
)
def test_what_does_not_touch_looking_and_deciding_costs_nothing(extra):
    assert durations(whole_trial(*extra)).response_ms == 640


def test_flags_say_what_happened_even_where_the_time_is_kept():
    result = durations(whole_trial(at(500, "early_key"), at(1200, "offline"), at(1201, "nonsense")))
    assert result.flags == ("offline", "early_key")
    assert durations([at(0, "onset", by="frames"), at(500, "decision")]).flags == ("onset_by_frames",)


def test_a_skip_is_no_response_but_is_paid():
    events = [e for e in whole_trial() if e["kind"] not in ("decision", "key_down", "key_up")]
    result = durations([*events, at(4000, "skip")])
    assert (result.response_ms, result.null_reason, result.paid_ms) == (None, Reason.SKIPPED, 3000)


def test_paid_time_is_capped_and_the_response_time_is_not():
    result = durations(whole_trial(decision=1000 + 700_000), Protocol(paid_cap_ms=600_000))
    assert (result.response_ms, result.paid_ms) == (700_000, 600_000)


@pytest.mark.parametrize(("decision", "reason"), [(1149.9, Reason.TOO_FAST), (1150, None), (1000, Reason.OUT_OF_ORDER)])
def test_the_floor_and_what_lies_before_the_onset(decision, reason):
    result = durations(whole_trial(decision=decision))
    assert result.null_reason == reason
    assert result.response_ms == (150 if reason is None else None)


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([], Reason.MISSING_EVENTS),
        ([at(0, "onset")], Reason.MISSING_EVENTS),
        ([at(500, "decision")], Reason.NO_ONSET),
        ([at(0, "issued"), at(100, "decoded"), at(90, "placed"), at(200, "onset"), at(900, "decision")],
         Reason.CLOCK_BACK),
        ([at(0, "clock_back"), at(200, "onset"), at(900, "decision")], Reason.CLOCK_BACK),
        ([at(500, "placed"), at(200, "onset"), at(900, "decision")], Reason.OUT_OF_ORDER),
    ],
)  # fmt: skip
def test_events_that_cannot_be_believed_give_no_time(events, reason):
    result = durations(events)
    assert result.null_reason == reason
    assert result.response_ms is None


def test_order_of_recording_may_differ_from_order_in_time_for_inputs_and_paints():
    # Element timing reports a paint after the key that followed it was handled.
    events = [at(990, "placed"), at(1640, "decision"), at(1650, "visible"), at(1000, "onset")]
    assert durations([at(0, "hidden"), at(5, "visible"), *events[:2], events[3]]).response_ms == 640


@pytest.mark.parametrize(("bracket_ms", "reason"), [(1541, None), (1440, None), (1400, Reason.IMPLAUSIBLE_SPAN)])
def test_the_server_brackets_the_span_from_the_first_event_to_the_answer(bracket_ms, reason):
    result = durations(whole_trial(), Protocol(bracket_ms=bracket_ms))  # the browser's span is 1540 ms
    assert result.null_reason == reason
    if reason:
        assert result.paid_ms is None, "a time that is not believed is not paid either"


def test_what_the_server_knows_overrules_the_browser():
    assert durations(whole_trial(), Protocol(resumed=True)).null_reason == Reason.RESUMED
    assert durations(whole_trial(at(100, "unseen")), Protocol(resumed=True)).response_ms == 640
    assert durations(whole_trial(), Protocol(other_tab=True)).null_reason == Reason.OTHER_TAB


@pytest.mark.parametrize(
    "junk",
    [None, 3, "onset", [], {}, {"t": "1", "kind": "onset"}, {"t": math.nan, "kind": "onset"}, {"t": True, "kind": "x"},
     {"t": math.inf, "kind": "decision"}, {"t": 10**400, "kind": "decision"}, {"t": 5}],
)  # fmt: skip
def test_an_unreadable_event_is_passed_over_and_flagged(junk):
    result = durations([junk, *whole_trial()])
    assert result.response_ms == 640
    assert result.flags == ("unreadable_events",)


def test_every_reason_has_a_sentence():
    assert all(reason.sentence.endswith(".") for reason in Reason)
