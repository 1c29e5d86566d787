"""Which attributes explain hardness, and classes as units."""

import numpy as np
import pytest

from mining.comparison.classes import class_hardness, confusion_pairs
from mining.comparison.explanations import explain_hardness


def test_a_cause_is_told_from_what_merely_goes_with_it():
    generator = np.random.default_rng(0)
    cause = generator.normal(size=600)
    companion = cause + generator.normal(size=600)
    found = explain_hardness(
        cause + 0.5 * generator.normal(size=600),
        {"companion": companion, "cause": cause, "nothing": generator.normal(size=600), "constant": np.ones(600)},
        n_resamples=200,
    )
    assert [each.attribute for each in found][:2] == ["cause", "companion"]
    by_name = {each.attribute: each for each in found}
    assert by_name["cause"].beside_others.low > 0.5
    assert by_name["companion"].alone.low > 0.4
    assert by_name["companion"].beside_others.low < 0 < by_name["companion"].beside_others.high
    assert by_name["constant"].alone.value is None and "same for all" in by_name["constant"].beside_others.reason


def test_class_hardness_by_hand():
    ranked = class_hardness([1.0, 3.0, 5.0, np.nan, 9.0], [0, 0, 2, 2, -1])
    assert [(each.code, each.n_items, each.mean) for each in ranked] == [(2, 1, 5.0), (0, 2, 2.0)]
    assert np.isnan(ranked[0].standard_error) and ranked[1].standard_error == pytest.approx(1.0)
    assert class_hardness([np.nan], [0]) == []


def test_confusion_pairs_by_share_of_the_class():
    given = np.array([0] * 10 + [1] * 4 + [2, -1])
    predicted = np.array([0] * 7 + [1] * 3 + [1, 1, 0, 0] + [2, 0])
    pairs = confusion_pairs(given, predicted, 3)
    assert [(pair.given, pair.predicted, pair.count) for pair in pairs] == [(1, 0, 2), (0, 1, 3)]
    assert pairs[0].share == 0.5 and pairs[1].share == 0.3
    assert len(confusion_pairs(given, predicted, 3, most=1)) == 1
