"""Trials that cannot be used are refused by name."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from mining.hardness.timing import BadTrials, fit_response_times

from .simulated_trials import simulate


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"response_ms": [0.0, 500.0]}, "response_ms_not_positive"),
        ({"response_ms": [-3.0, 500.0]}, "response_ms_not_positive"),
        ({"response_ms": [-np.inf, 500.0]}, "response_ms_not_positive"),
        ({"response_ms": [np.inf, 500.0]}, "infinite_response_ms"),
        ({"response_ms": [[400.0, 500.0]]}, "length_mismatch"),
        ({"response_ms": ["fast", "slow"]}, "not_numbers"),
        ({"response_ms": [500.0]}, "length_mismatch"),
        ({"item": [0, -1]}, "code_out_of_range"),
        ({"item": [0, 7], "n_items": 5}, "code_out_of_range"),
        ({"item": [[0, 1]]}, "not_one_dimensional"),
        ({"item": ["cat", "dog"]}, "not_codes"),
        ({"item": [0, np.nan]}, "not_codes"),
        ({"item": [0, 1, 2]}, "length_mismatch"),
        ({"annotator": [0]}, "length_mismatch"),
        ({"annotator": [0, -2]}, "code_out_of_range"),
        ({"annotator": [0.5, 1.0]}, "not_codes"),
        ({"position": [1]}, "length_mismatch"),
        ({"position": [0, 1]}, "position_out_of_range"),
        ({"position": [np.nan, 1]}, "position_out_of_range"),
        ({"position": [np.inf, 1]}, "position_out_of_range"),
        ({"position": ["first", "second"]}, "not_numbers"),
        ({"session": [0, 1]}, "session_without_position"),
        ({"session": [0], "position": [1, 2]}, "length_mismatch"),
        ({"session": [0, -1], "position": [1, 2]}, "code_out_of_range"),
        ({"label": [1]}, "length_mismatch"),
        ({"label": [0.5, 1.0]}, "not_codes"),
        ({"censored_at_ms": [1.0]}, "length_mismatch"),
        ({"censored_at_ms": 0.0}, "bound_not_positive"),
        ({"shift_ms": 450.0}, "shift_out_of_range"),
    ],
)
def test_bad_input_is_refused_by_name(change, name):
    arguments = {"item": [0, 1], "annotator": [0, 0], "response_ms": [400.0, 500.0]} | change
    with pytest.raises(BadTrials) as error:
        fit_response_times(**arguments)
    assert error.value.name == name
    assert str(error.value).startswith(f"{name}: ")


def test_times_of_pages_are_refused():
    page = np.random.default_rng(0).uniform(3000, 9000, 50).repeat(6)
    with pytest.raises(BadTrials) as error:
        fit_response_times(np.arange(300), np.arange(300) // 60, page)
    assert error.value.name == "page_level_times"


def test_times_in_whole_seconds_repeat_by_chance_and_are_no_pages():
    item, annotator, times, b, _ = simulate()
    seconds = np.maximum(np.round(times / 1000), 1) * 1000
    by_annotator = np.argsort(annotator, kind="stable")
    repeats = np.diff(seconds[by_annotator])[np.diff(annotator[by_annotator]) == 0] == 0
    assert repeats.mean() > 0.45  # what the rule went by alone
    fit = fit_response_times(item, annotator, seconds)
    assert spearmanr(fit.item_effect, b)[0] > 0.55


def test_pages_in_whole_seconds_are_still_refused():
    page = np.random.default_rng(0).integers(3, 9, 50).repeat(6) * 1000.0
    with pytest.raises(BadTrials) as error:
        fit_response_times(np.arange(300), np.arange(300) // 60, page)
    assert error.value.name == "page_level_times"
    # the same times in another order say nothing about pages
    assert (
        fit_response_times(
            np.arange(300),
            np.arange(300) // 60,
            np.random.default_rng(1).permutation(page.reshape(5, 60), axis=1).ravel(),
        ).n_judgments.tolist()
        == [1] * 300
    )
