"""The course of times, hidden repeats, and intervals of shares: small cases by hand and known truth by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from mining.hardness._trials import BadTrials
from mining.hardness.annotator_course import place_in_sitting, practice_course, sitting_course, sitting_drift
from mining.hardness.retest import retest
from mining.hardness.share_interval import correlation_interval, wilson_interval


def test_wilson_interval_is_the_published_one():
    low, high = wilson_interval([0, 1, 9, 10, 0], [10, 10, 10, 10, 0])
    assert low[:4] == pytest.approx([0, 0.01787, 0.59585, 0.72247], abs=1e-4)
    assert high[:4] == pytest.approx([0.27753, 0.40415, 0.98213, 1.0], abs=1e-4)
    assert np.isnan([low[4], high[4]]).all()


def test_correlation_interval_is_fishers():
    assert correlation_interval(0.5, 28) == pytest.approx((0.1560, 0.7358), abs=2e-4)
    assert np.isnan(correlation_interval(0.5, 3)).all()
    low, high = correlation_interval(1.0, 10)
    assert low <= 1.0 == pytest.approx(high)


def test_a_repeat_is_compared_with_the_first_judgment_of_the_same_person():
    found = retest(
        annotator=[0, 0, 0, 0, 1, 1], item=[7, 8, 7, 8, 7, 9], label=[1, 0, 1, 1, 0, 0],
        response_ms=[1000, 800, 900, np.nan, 700, 700], is_repeat=[0, 0, 1, 1, 1, 0], n_annotators=3,
    )  # fmt: skip
    assert found.n_repeats.tolist() == [2, 0, 0], "person 1 has no first judgment of item 7"
    assert (found.n_labelled[0], found.n_same[0], found.n_timed[0]) == (2, 1, 1)
    assert found.log_change[0] == pytest.approx(np.log(0.9))
    assert np.isnan(found.correlation).all()
    with pytest.raises(BadTrials, match="is_repeat"):
        retest([0], [0], [0], [1.0], [True, False], 1)


def test_steadiness_is_found_again():
    generator = np.random.default_rng(3)
    n, people = 3000, 3
    steady = np.array([0.9, 0.5, 0.0])
    who = np.repeat(np.arange(people), n)
    item = np.tile(np.arange(n), people)
    first = generator.normal(0, 1, people * n)
    second = steady[who] * first + np.sqrt(1 - steady[who] ** 2) * generator.normal(0, 1, people * n)
    found = retest(
        np.tile(who, 2), np.tile(item, 2), np.zeros(2 * people * n, int),
        1000 * np.exp(0.3 * np.append(first, second - 0.5)), np.repeat([False, True], people * n), people,
    )  # fmt: skip
    assert found.correlation == pytest.approx(steady, abs=0.08)
    assert (found.correlation_low < steady).all()
    assert (found.correlation_high > steady).all()
    assert found.log_change == pytest.approx([-0.15] * 3, abs=0.05)
    assert found.n_same.tolist() == [n] * 3


def test_place_in_a_sitting_starts_anew_in_each():
    assert place_in_sitting(np.array([5.0, 1, 9, 2, 7]), np.array([1, 0, 1, 0, 1])).tolist() == [1, 1, 3, 2, 2]


def test_practice_course_follows_the_power_law_it_was_made_by():
    position = np.arange(1, 2001)
    generator = np.random.default_rng(0)
    course = practice_course(position, 2000 * position**-0.2 * np.exp(generator.normal(0, 0.1, 2000)))
    truth = 2000 * course.place**-0.2
    assert course.n.sum() == 2000
    assert course.typical_ms == pytest.approx(truth, rel=0.12)
    inside = (course.low < truth) & (truth < course.high)
    assert inside[course.n >= 20].mean() > 0.7
    assert np.isnan(course.low[course.n < 3]).all()


def test_a_sitting_that_tires_climbs_whatever_the_level_of_each_sitting():
    session = np.repeat(np.arange(4), 100)
    place = np.tile(np.arange(1, 101), 4)
    times = np.exp(6 + 0.5 * session + 0.002 * place)
    course = sitting_course(np.arange(1, 401), session, times)
    assert np.log(course.typical_ms[-1] / course.typical_ms[0]) == pytest.approx(
        0.002 * (course.place[-1] - course.place[0])
    )


def test_nothing_has_no_course():
    for course in (practice_course([1], [np.nan]), sitting_course([1], [0], [np.nan])):
        assert course.place.size == course.n.size == 0


def test_drift_is_found_within_its_interval_and_not_made_of_differences_between_sittings():
    generator = np.random.default_rng(1)
    n, truth = 600, np.array([0.0, 0.1, -0.05])
    who = np.repeat(np.arange(3), n)
    position = np.tile(np.arange(1, n + 1), 3)
    session = (position - 1) // 100 + 6 * who
    log_times = 6.5 + 0.3 * session + truth[who] * position / 100 + generator.normal(0, 0.2, 3 * n)
    slope, low, high = sitting_drift(who, session, position, np.exp(log_times), 4)
    assert slope[:3] == pytest.approx(truth, abs=0.08)
    assert ((low[:3] < truth) & (truth < high[:3])).all()
    assert np.isnan([slope[3], low[3], high[3]]).all()
