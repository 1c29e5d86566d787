"""When the next attempt comes."""

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mining.webhooks.retries import pause_seconds, retry_after_seconds

PAUSES = [5.0, 30.0, 120.0]
NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@given(st.integers(0, 10**6))
def test_pauses_grow_and_never_overlap(seed):
    generator = random.Random(seed)
    drawn = [pause_seconds(n, PAUSES, generator=generator) for n in (1, 2, 3)]
    for pause, usual in zip(drawn, PAUSES, strict=True):
        assert 0.8 * usual <= pause <= 1.2 * usual
    assert drawn == sorted(drawn)


def test_after_the_last_pause_it_gives_up():
    assert pause_seconds(4, PAUSES) is None
    assert pause_seconds(1, []) is None
    assert pause_seconds(4, PAUSES, wish=10.0) is None


def test_the_target_may_ask_for_a_longer_pause_within_reason():
    assert pause_seconds(1, PAUSES, wish=77.0) == 77.0
    assert pause_seconds(1, PAUSES, wish=10**9) == 3600.0
    assert pause_seconds(3, PAUSES, wish=1.0) >= 96.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("77", 77.0), (" 0 ", 0.0), (None, None), ("", None), ("soon", None), ("-5", None), ("1" * 30, None),
        ("Thu, 01 Jan 2026 12:01:30 GMT", 90.0), ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0), ("²", None),
    ],
)  # fmt: skip
def test_retry_after_is_read_in_both_forms(header, seconds):
    assert retry_after_seconds(header, now=NOW) == seconds
