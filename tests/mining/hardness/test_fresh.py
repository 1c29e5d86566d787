"""New trials on top of a fit tell nearly what a new fit would."""

from __future__ import annotations

import numpy as np
import pytest

from mining.hardness.fresh import add_trials, hold
from mining.hardness.timing import fit_response_times


def trials(seed=0, n_items=3000, n_annotators=20, spread=0.4):
    rng = np.random.default_rng(seed)
    item = np.repeat(np.arange(n_items), 4)
    annotator = rng.permuted(np.tile(np.arange(n_annotators), (n_items, 1)), axis=1)[:, :4].ravel()
    order = rng.permutation(item.size)
    item, annotator = item[order], annotator[order]
    position = np.empty(item.size, np.int64)
    for who in range(n_annotators):
        position[annotator == who] = np.arange(1, (annotator == who).sum() + 1)
    true = rng.normal(0, 0.3, n_items)
    slow, sd = rng.normal(0, spread, n_annotators), rng.uniform(0.2, 0.6, n_annotators)
    noise = rng.standard_t(4, item.size) * sd[annotator]
    times = 1000 * np.exp(true[item] + slow[annotator] - 0.1 * np.log(position) + noise)
    return item, annotator, times, position, true


@pytest.fixture(scope="module")
def fits():
    item, annotator, times, position, true = trials()
    old = slice(0, item.size - 200)
    first = fit_response_times(item[old], annotator[old], times[old], position=position[old], n_items=3000)
    both = fit_response_times(item, annotator, times, position=position, n_items=3000)
    held = hold(first, item[old], annotator[old], times[old], position[old])
    new = slice(item.size - 200, None)
    known = (annotator[old], times[old])
    effect, se = add_trials(
        held, first.item_effect, first.item_se, first.item_sd, item[new], annotator[new], times[new], position[new],
        known_times=known,
    )  # fmt: skip
    return first, both, effect, se, np.unique(item[new]), held, true


def test_items_with_new_trials_come_close_to_a_new_fit(fits):
    first, both, effect, se, touched, _, _ = fits
    moved = both.item_effect[touched] - first.item_effect[touched]
    left = both.item_effect[touched] - effect[touched]
    assert np.sqrt(np.mean(left**2)) < 0.25 * np.sqrt(np.mean(moved**2))
    assert np.sqrt(np.mean((left / both.item_se[touched]) ** 2)) < 0.15
    assert se[touched] == pytest.approx(both.item_se[touched], rel=0.03)


def test_other_items_stay_as_they_are(fits):
    first, _, effect, se, touched, _, _ = fits
    others = np.setdiff1d(np.arange(3000), touched)
    assert np.array_equal(effect[others], first.item_effect[others])
    assert np.array_equal(se[others], first.item_se[others])


def test_more_evidence_never_raises_the_standard_error(fits):
    first, _, _, se, touched, _, _ = fits
    assert (se[touched] < first.item_se[touched]).all()


def test_an_item_seen_for_the_first_time_starts_from_nothing_known(fits):
    first, _, _, _, _, held, _ = fits
    effect, se = np.append(first.item_effect, np.nan), np.append(first.item_se, np.nan)
    slow = 1000 * np.exp(held.level[0] + 1.0) if held.scale == "log-seconds" else 60_000.0
    after, error = add_trials(held, effect, se, first.item_sd, [3000], [0], [slow], [1])
    assert after[3000] > 0
    assert 0 < error[3000] < first.item_sd


def test_a_trial_without_a_time_changes_nothing_and_strangers_are_not_known(fits):
    first, _, _, _, _, held, _ = fits
    after, _ = add_trials(held, first.item_effect, first.item_se, first.item_sd, [5], [0], [np.nan], [1])
    assert np.array_equal(after, first.item_effect)
    assert held.knows([0, 19])
    assert not held.knows([20])
