"""The curve over rounds and the advice to stop."""

import numpy as np
import pytest

from mining.hardness.share_interval import share_interval
from mining.strategies.learning_curve import RoundAnswers, learning_curve, stop_advice

ITEMS = np.arange(400)
TRUTH = ITEMS % 4


def answers(number, share, *, n_hard=50, n_new=0, seed=0):
    generator = np.random.default_rng(seed)
    wrong = generator.permutation(400)[: round(400 * (1 - share))]
    predicted = TRUTH.copy()
    predicted[wrong] = (predicted[wrong] + 1) % 4
    return RoundAnswers(number, ITEMS, predicted, n_hard, 0 if number == 1 else n_hard, n_new)


def advise(*rounds):
    return stop_advice(learning_curve(rounds, ITEMS, TRUTH))


def test_points_have_accuracy_intervals_and_paired_changes():
    points = learning_curve([answers(1, 0.8), answers(2, 0.9, n_new=10)], ITEMS, TRUTH)
    assert [point.accuracy for point in points] == [0.8, 0.9]
    assert points[0].low == pytest.approx(0.758, abs=5e-4) and points[0].high == pytest.approx(0.836, abs=5e-4)
    assert points[0].change is None and points[1].change.value == pytest.approx(0.1)
    assert points[1].change.low > 0 and (points[1].n_hard, points[1].new_share) == (50, 0.2)


def test_all_rounds_are_judged_by_the_newest_labels():
    points = learning_curve([answers(1, 1.0)], ITEMS, np.where(ITEMS < 100, (TRUTH + 1) % 4, TRUTH))
    assert points[0].accuracy == 0.75


def test_items_that_came_later_do_not_count_as_a_change():
    early = RoundAnswers(1, ITEMS[:200], TRUTH[:200], 10)
    points = learning_curve([early, answers(2, 1.0)], ITEMS, TRUTH)
    assert (points[0].n_test, points[1].n_test, points[1].change.value) == (200, 400, 0.0)


def test_two_rounds_that_changed_nothing_say_stop():
    advice = advise(answers(1, 0.9), answers(2, 0.9), answers(3, 0.9))
    assert advice.verdict == "stop"
    assert advice.text.startswith("Stop: the last 2 rounds changed nothing. Accuracy stands at 90.0 %")


def test_empty_hard_sets_are_nothing_new():
    advice = advise(*(answers(number, 0.9, n_hard=0) for number in (1, 2, 3)))
    assert advice.verdict == "stop" and "the hard sets are empty" in advice.text


def test_a_gain_new_items_and_too_few_rounds_do_not():
    assert advise(answers(1, 0.9), answers(2, 0.9)).verdict == "too early"
    gain = advise(answers(1, 0.8), answers(2, 0.8), answers(3, 0.9))
    assert (gain.verdict, gain.text) == ("go on", "Go on: in round 3 accuracy rose by 10.0 points.")
    fresh = advise(answers(1, 0.9), answers(2, 0.9), answers(3, 0.9, n_new=20))
    assert fresh.verdict == "go on" and "40 % new hard items" in fresh.text
    worse = advise(answers(1, 0.9), answers(2, 0.9), answers(3, 0.8))
    assert worse.verdict == "go on" and "accuracy fell by 10.0 points" in worse.text


def test_noise_alone_says_go_on_seldom():
    generator = np.random.default_rng(1)
    stopped = 0
    for _ in range(20):
        rounds = []
        for number in (1, 2, 3):
            wrong = generator.random(400) < 0.1
            rounds.append(RoundAnswers(number, ITEMS, np.where(wrong, (TRUTH + 1) % 4, TRUTH), 50, 50, 0))
        stopped += advise(*rounds).verdict == "stop"
    assert stopped >= 15


def test_rounds_without_the_held_out_items_are_left_out():
    assert learning_curve([RoundAnswers(1, ITEMS + 1000, TRUTH, 5)], ITEMS, TRUTH) == []
    assert stop_advice([]).verdict == "too early"


def test_wilson_by_its_published_figures():
    low, high = share_interval(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert share_interval(0, 10)[0] == 0.0 and share_interval(10, 10)[1] == pytest.approx(1.0)
