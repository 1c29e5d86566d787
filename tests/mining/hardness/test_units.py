"""Roll-ups of hardness: exact on small cases, and right in the long run where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from mining.hardness import units
from mining.hardness._trials import BadTrials


def test_an_image_is_as_hard_as_its_objects_on_average():
    image = units.of_members([0.2, 0.4, -1.0, np.nan], [0.3, 0.4, 0.1, np.nan], [0, 0, 1, 1], 3)
    assert image.mean[:2] == pytest.approx([0.3, -1.0])
    assert image.se[:2] == pytest.approx([0.25, 0.1])
    assert image.low[0] == pytest.approx(0.3 - 1.959964 * 0.25)
    assert image.n_items.tolist() == [2, 1, 0]
    assert np.isnan(image.mean[2])


def test_the_hardest_object_of_an_image():
    assert units.hardest_member([0.2, 0.4, np.nan, -1.0], [0, 0, 1, 2], 4).tolist() == [1, -1, 3, -1]


def simulated_classes(rng, n_classes=12, n_items=30, item_sd=0.3):
    """Return truth (class means) and shrunken effects as a fit gives them; judgments differ by item."""
    truth = rng.normal(0, 0.25, n_classes)
    group = np.repeat(np.arange(n_classes), n_items)
    sd = rng.uniform(0.1, 0.4, n_classes)[group]
    value = truth[group] + rng.normal(0, 1, group.size) * sd
    total = float(np.sqrt(truth.var() + (sd**2).mean()))
    noise = 0.4 / np.sqrt(rng.integers(1, 6, group.size))
    reliability = total**2 / (total**2 + noise**2)
    effect = reliability * (value + rng.normal(0, 1, group.size) * noise)
    return truth, group, effect, noise * np.sqrt(reliability), total


def test_classes_are_not_pulled_together_and_their_intervals_hold():
    rng = np.random.default_rng(3)
    inside, slopes, shrunken = [], [], []
    for _ in range(60):
        truth, group, effect, se, item_sd = simulated_classes(rng)
        found = units.of_kinds(effect, se, item_sd, group, 12)
        inside.append((found.low <= truth) & (truth <= found.high))
        slopes.append(np.polyfit(truth, found.mean, 1)[0])
        shrunken.append(np.polyfit(truth, units.of_members(effect, se, group, 12).mean, 1)[0])
    assert 0.93 <= np.mean(inside) <= 0.98
    assert np.mean(slopes) == pytest.approx(1, abs=0.03)
    assert np.mean(shrunken) < 0.75  # what would be shown without taking the shrinkage out


def test_more_items_make_a_class_surer_and_nothing_known_stays_nothing():
    few = units.of_kinds([0.1, 0.2], [0.1, 0.1], 0.3, [0, 0], 1)
    many = units.of_kinds([0.1, 0.2] * 50, [0.1] * 100, 0.3, [0] * 100, 1)
    assert many.se[0] < few.se[0]
    none = units.of_kinds([np.nan, 0.1], [np.nan, 0.1], float("nan"), [0, 1], 2)
    assert np.isnan(none.mean).all()
    assert none.n_items.tolist() == [0, 0]


def test_a_pair_of_two_answers_each():
    # Three items: A A, A B, B B. Of the 6 answers each has one other: A-B and B-A are 2 of 6.
    found = units.confusion_pairs([[2, 0, 0], [1, 1, 0], [0, 2, 0], [1, 0, 0]])
    assert (found.first.tolist(), found.second.tolist()) == ([0], [1])
    assert found.share == pytest.approx([2 / 6])
    assert found.n_items.tolist() == [1]
    assert 0 < found.low[0] < 2 / 6 < found.high[0] < 1


@pytest.mark.parametrize("n_labels", [2, 5])
def test_pairs_recover_how_people_confuse_classes_however_many_are_asked(n_labels):
    confusion = np.array([[0.8, 0.2, 0.0], [0.1, 0.85, 0.05], [0.0, 0.05, 0.95]])
    true_share = 2 * np.mean(confusion[:, 0] * confusion[:, 1]) / (np.mean(confusion[:, 0]) + np.mean(confusion[:, 1]))
    rng = np.random.default_rng(5)
    shares, inside = [], []
    for _ in range(100):
        counts = np.array([rng.multinomial(n_labels, confusion[i % 3]) for i in range(240)])
        found = units.confusion_pairs(counts)
        at = int(np.flatnonzero((found.first == 0) & (found.second == 1))[0])
        shares.append(found.share[at])
        inside.append(found.low[at] <= true_share <= found.high[at])
    assert np.mean(shares) == pytest.approx(true_share, rel=0.06)
    assert 0.88 <= np.mean(inside) <= 1


def test_pairs_do_not_care_how_classes_are_numbered():
    counts = np.random.default_rng(1).multinomial(4, [0.5, 0.3, 0.15, 0.05], 50)
    one, other = units.confusion_pairs(counts), units.confusion_pairs(counts[:, ::-1])
    assert sorted(one.share) == pytest.approx(sorted(other.share))
    assert sorted(one.high) == pytest.approx(sorted(other.high))


def test_no_pair_where_all_agree_or_nobody_was_asked_twice():
    assert units.confusion_pairs([[3, 0], [0, 2], [1, 0]]).share.size == 0
    assert units.confusion_pairs(np.zeros((0, 3))).share.size == 0


def test_the_interval_of_a_projects_time_counts_items_and_annotators():
    rng = np.random.default_rng(7)
    inside = []
    for _ in range(150):
        slow, hard = rng.normal(0, 0.3, 12), rng.normal(0, 0.3, 80)
        item, annotator = np.repeat(np.arange(80), 12), np.tile(np.arange(12), 80)
        times = 1000 * np.exp(hard[item] + slow[annotator] + rng.normal(0, 0.3, item.size))
        found = units.typical_time(item, annotator, times)
        inside.append(found.low <= 1000 <= found.high)
    assert 0.9 <= np.mean(inside) <= 0.99


def test_of_one_annotator_there_is_a_time_and_no_interval():
    found = units.typical_time([0, 1, 2], [0, 0, 0], [1000.0, 1000.0, np.nan])
    assert found.value == pytest.approx(1000)
    assert np.isnan(found.low)
    assert found.n_trials == 2


def test_codes_that_do_not_fit_are_named():
    with pytest.raises(BadTrials, match="code_out_of_range"):
        units.of_members([0.1], [0.1], [3], 2)
    with pytest.raises(BadTrials, match="not_counts"):
        units.confusion_pairs([[-1, 2]])
