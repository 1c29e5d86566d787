"""Folds and the held-out test: groups stay together, classes are spread, the same seed gives the same deal."""

import warnings

import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from mining.learners.errors import LearnerError
from mining.learners.folds import ANY_FOLD, RareClassWarning, group_folds, unlearnable_classes
from mining.learners.holdout import held_out, missing_classes


def test_single_items_are_stratified_to_one():
    given = np.repeat([0, 1, 2], [50, 33, 17])
    fold = group_folds(given, n_folds=5, seed=3)
    counts = np.stack([np.bincount(fold[given == code], minlength=5) for code in range(3)])
    assert (counts.max(axis=1) - counts.min(axis=1) <= 1).all()
    assert np.ptp(np.bincount(fold)) <= 1


@settings(max_examples=60, deadline=None)
@for_all(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 5))
def test_groups_never_straddle_and_every_labelled_item_is_dealt(seed, n_folds, n_classes):
    generator = np.random.default_rng(seed)
    groups = generator.integers(0, 40, 200)
    given = generator.integers(-1, n_classes, 200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RareClassWarning)
        fold = group_folds(given, groups, n_folds, seed)
        again = group_folds(given, groups, n_folds, seed)
    np.testing.assert_array_equal(fold, again)
    assert all(len(np.unique(fold[groups == group])) == 1 for group in np.unique(groups))
    assert (fold[given >= 0] >= 0).all() and fold.max() < n_folds
    labelled_groups = np.unique(groups[given >= 0])
    assert (fold[~np.isin(groups, labelled_groups)] == ANY_FOLD).all()


def test_large_groups_are_spread():
    groups = np.repeat(np.arange(20), np.repeat([30, 3], 10))
    fold = group_folds(np.arange(len(groups)) % 2, groups, 5)
    assert np.bincount(fold).max() <= 1.4 * np.bincount(fold).min()


def test_a_rare_class_is_spread_first_and_warned_of():
    given = np.zeros(100, dtype=int)
    given[[3, 50]] = 1
    with pytest.warns(RareClassWarning, match="label code 1"):
        fold = group_folds(given, n_folds=5)
    assert fold[3] != fold[50]


def test_classes_in_one_group_cannot_be_learnt():
    given, groups = np.array([0, 0, 1, 1, 2, -1]), np.array([0, 1, 2, 2, 3, 4])
    assert unlearnable_classes(given, groups) == [1, 2]
    assert unlearnable_classes(given) == [2]


@pytest.mark.parametrize(
    ("given", "n_folds", "message"),
    [
        ([-1, -1], 2, "no item has a label"),
        ([0, 1], 1, "two folds or more"),
        ([0, 1, 0], 5, "5 folds need 5 separate groups of labelled items; there are 3"),
    ],
)
def test_what_cannot_be_dealt_is_said(given, n_folds, message):
    with pytest.raises(LearnerError, match=message):
        group_folds(np.array(given), n_folds=n_folds)


def _names(n, start=0):
    return [f"{number:064x}" for number in range(start, start + n)]


def test_held_out_share_is_about_right_and_stays_when_images_come():
    few, many = held_out(_names(500), 0.2), held_out(_names(5000), 0.2)
    np.testing.assert_array_equal(many[:500], few)
    assert 0.18 < many.mean() < 0.22
    assert 0.1 < (held_out(_names(5000), 0.2, salt="another") & many).mean() / many.mean() < 0.3


def test_a_larger_share_holds_the_smaller():
    assert (held_out(_names(1000), 0.1) <= held_out(_names(1000), 0.3)).all()


def test_objects_of_an_image_and_groups_stay_together():
    names = [name for name in _names(300) for _ in range(3)]
    held = held_out(names, 0.3).reshape(300, 3)
    assert (held.all(axis=1) == held.any(axis=1)).all()
    groups = np.arange(900) // 7
    grouped = held_out(names, 0.3, groups=groups)
    for codes in (groups, np.arange(900) // 3):
        assert all(len(np.unique(grouped[codes == code])) == 1 for code in np.unique(codes))


def test_large_groups_are_held_out_as_often_as_small_ones():
    names = _names(4000)
    groups = np.concatenate([np.arange(2000) // 20, 1000 + np.arange(2000)])  # a hundred of twenty, and single images
    held = held_out(names, 0.2, groups=groups)
    np.testing.assert_array_equal(held[2000:], held_out(names, 0.2)[2000:])
    assert 0.12 < held[:2000].mean() < 0.28
    # Another image changes the side of no group but by coming first in it.
    more = held_out([*names, "f" * 64], 0.2, groups=[*groups, 0])
    np.testing.assert_array_equal(more[:4000], held)


def test_missing_classes_are_named_on_both_sides():
    held = np.array([True, True, False, False])
    assert missing_classes(np.array([0, 1, 1, -1]), held, 3) == ([2], [0, 2])
    with pytest.raises(LearnerError, match="between 0 and 1"):
        held_out(_names(3), 1.0)
