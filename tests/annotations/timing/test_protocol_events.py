"""Time limit and flash: what they make of a trial's durations."""

from __future__ import annotations

import pytest

from annotations.timing import Protocol, Reason, durations
from tests.annotations.timing.test_durations import at, whole_trial


def out_of_time(*extra, end=1810.0, limit_ms=800):
    events = [event for event in whole_trial(*extra) if event["t"] <= 1000]
    rest = [event for event in extra if event["t"] > 1000]
    return sorted([*events, at(1000, "limit", ms=limit_ms), *rest, at(end, "out_of_time")], key=lambda e: e["t"])


def test_out_of_time_is_null_with_that_reason_and_censored_at_the_limit():
    result = durations(out_of_time())
    assert (result.response_ms, result.null_reason, result.censored_at_ms) == (None, Reason.OUT_OF_TIME, 800)
    assert result.paid_ms == 810
    assert result.download_ms == 40


def test_an_answer_after_the_limit_is_out_of_time_too():
    assert durations(whole_trial(at(1000, "limit", ms=600))).censored_at_ms == 600
    assert durations(whole_trial(at(1000, "limit", ms=600))).null_reason == Reason.OUT_OF_TIME
    assert durations(whole_trial(at(1000, "limit", ms=641))).response_ms == 640


def test_without_a_limit_among_the_events_the_bound_is_what_was_seen():
    events = [event for event in out_of_time() if event["kind"] != "limit"]
    assert durations(events).censored_at_ms == 810


@pytest.mark.parametrize(
    ("extra", "reason", "bound"),
    [
        ([at(1300, "hidden"), at(1400, "visible")], Reason.HIDDEN, 300),
        ([at(1200, "blur"), at(1500, "focus")], Reason.BLURRED, 200),
        ([at(500, "resumed")], Reason.RESUMED, None),
        ([at(500, "assisted")], Reason.ASSISTED, None),
    ],
)
def test_what_disturbed_the_trial_says_more_than_the_limit(extra, reason, bound):
    result = durations(out_of_time(*extra))
    assert (result.response_ms, result.null_reason, result.censored_at_ms) == (None, reason, bound)


def test_a_claim_to_have_run_out_of_time_at_once_bounds_nothing():
    assert durations(out_of_time(end=1020)).censored_at_ms is None


def test_out_of_time_longer_than_the_server_saw_is_not_believed():
    assert durations(out_of_time(), Protocol(bracket_ms=500)).null_reason == Reason.IMPLAUSIBLE_SPAN


def test_the_frames_really_shown_are_kept():
    result = durations(whole_trial(at(1066.8, "masked", ms=66.8, frames=4, wanted=3)))
    assert (result.exposure_ms, result.exposure_frames, result.response_ms) == (66.8, 4, 640)
    assert durations(whole_trial()).exposure_frames is None
    assert durations(whole_trial(at(1066, "masked", ms="x", frames=1e9))).exposure_frames == 30_000
