"""The comparison where there are too many trials to fit all of them again and again."""

from __future__ import annotations

import numpy as np

from mining.selectors import rounds as reads
from tests.mining.small_project import make_striped_project
from tests.mining.stages.test_whole_round import run_round


def test_a_sample_of_items_gives_the_same_values_and_intervals_that_hold_them(db, monkeypatch):
    fitted = []
    project, _ = make_striped_project(n_items=90)
    monkeypatch.setattr("mining.stages.comparison.MOST_TRIALS_A_FIT", 240)
    monkeypatch.setattr("mining.comparison.sampled_people.FEWEST_TRIALS_AN_ANNOTATOR", 10)
    from mining.stages import comparison

    def score(item, annotator, times, label, n_items):
        fitted.append((len(item), n_items))
        known = np.bincount(item, minlength=n_items)
        return np.bincount(item, np.log(times), n_items) / np.where(known > 0, known, np.nan)

    monkeypatch.setattr(comparison, "_time_scores", score)
    round_ = run_round(project, params={"retraining_seeds": 2})

    found = reads.comparison_of(round_)
    # 90 items of six judgments: 240 trials are those of 40 items; half of the annotators are 120 trials of them.
    assert {size for size, _ in fitted} == {120, 240}
    assert {n_items for _, n_items in fitted} == {40}
    assert len([size for size, _ in fitted if size == 240]) == 30
    assert found["human"]["n_items"] == 90
    assert 0 < found["human"]["reliability"]["value"] <= 1
    measured = [
        pair["spearman"] for pair in found["pairs"] if pair["learner"] and pair["spearman"]["value"] is not None
    ]
    assert len(measured) >= 8
    assert all(one["n"] == 90 and one["low"] < one["value"] < one["high"] for one in measured)
