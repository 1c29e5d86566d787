"""Classes as units: shares and means by hand, intervals against published figures and simulation."""

import numpy as np
import pytest

from mining.comparison.class_views import class_means, confused_pairs, differing_shares, share, wrong_shares


def test_wilsons_interval_as_published():
    # Newcombe 1998, table I: 81 of 263 is .3080 (.2553 to .3662); 0 of 20 is 0 to .1611.
    found = share(81, 263)
    assert (found.value, found.low, found.high) == pytest.approx((0.3080, 0.2553, 0.3662), abs=5e-5)
    assert (share(0, 20).low, share(0, 20).high) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert share(0, 0).value is None


def test_means_of_classes_by_hand():
    found = class_means([1.0, 2.0, 3.0, 9.0, np.nan, 5.0], [0, 0, 0, 1, 1, -1], 3)
    assert found[0].value == pytest.approx(2.0)
    assert found[0].high - found[0].value == pytest.approx(1.959964 / np.sqrt(3))
    assert (found[1].value, found[1].n, found[2].n) == (None, 1, 0)


def test_wrong_shares_by_hand():
    found = wrong_shares([0, 0, 0, 0, 1, 1, -1, 1], [0, 1, 1, 0, 1, 1, 0, -1], 2)
    assert [(one.value, one.n) for one in found] == [(0.5, 4), (0.0, 2)]


def test_answers_to_one_item_are_not_independent():
    item = np.repeat(np.arange(200), 10)
    given = np.zeros(200, dtype=int)
    generator = np.random.default_rng(0)
    alone = (generator.random(2000) < 0.2).astype(int)
    together = np.repeat((generator.random(200) < 0.2).astype(int), 10)
    width = [
        found[0].high - found[0].low
        for found in (differing_shares(item, answer, given, 2) for answer in (alone, together))
    ]
    assert width[1] / width[0] == pytest.approx(np.sqrt(10), rel=0.15)
    assert differing_shares(item, alone, given, 2)[0].value == pytest.approx(alone.mean())
    assert differing_shares(item, alone, given, 2)[1].value is None


def test_the_interval_of_differing_answers_covers_the_truth():
    generator = np.random.default_rng(1)
    covered = 0
    for _ in range(200):
        chance = generator.beta(1, 4, 150)
        answer = (generator.random((150, 6)) < chance[:, None]).astype(int).ravel()
        found = differing_shares(np.repeat(np.arange(150), 6), answer, np.zeros(150, dtype=int), 2)[0]
        covered += found.low <= 0.2 <= found.high
    assert 0.9 <= covered / 200 <= 0.99


def test_pairs_of_people_and_model_stand_beside_each_other():
    given = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    predicted = np.array([1, 1, 0, 0, 0, 1, 2, 2])
    counts = np.array([[2, 0, 0], [2, 0, 0], [2, 0, 0], [2, 0, 0], [0, 2, 0], [0, 1, 1], [0, 0, 2], [0, 0, 2]])
    first, second = confused_pairs(counts, given, predicted, 3)
    assert (first.first, first.second, first.model.value) == (0, 1, pytest.approx(3 / 6))
    assert (first.people.value, first.people.reason) == (0.0, "no item got both answers")
    assert (second.first, second.second, second.model.value) == (1, 2, 0.0)
    assert second.people.value == pytest.approx(2 * 1 / (3 + 5))
    assert confused_pairs(None, given, predicted, 3)[0].people.value is None
