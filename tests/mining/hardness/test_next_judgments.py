"""Where a judgment is worth most: values of the formula, its invariants, and what it saves in a simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from mining.hardness.next_judgments import BadEstimates, rank_for_judgment

SETTING = {"share": 0.5, "judgment_precision": 4.0, "item_sd": 1.0}


def test_items_at_the_cut_come_first_and_certain_ones_last():
    found = rank_for_judgment([3.0, 0.4, -0.4, -3.0], [0.5, 0.5, 0.5, 0.5], **SETTING)
    assert found.cut == 0
    assert set(found.order[:2].tolist()) == {1, 2}
    assert found.in_set[0] > 0.999
    assert found.in_set[1] == pytest.approx(stats.norm.cdf(0.8))
    assert found.precision == pytest.approx((found.in_set[0] + found.in_set[1]) / 2)


def test_of_two_equally_far_from_the_cut_the_less_certain_comes_first():
    found = rank_for_judgment([1.0, 1.0, -1.0, -1.0], [0.2, 0.9, 0.2, 0.2], **SETTING)
    assert found.order[0] == 1


def test_the_value_is_the_expected_fall_of_the_loss():
    """Against an integral over what the next judgment may say."""
    mean, se, precision = 0.7, 0.6, 3.0
    found = rank_for_judgment(
        [mean, 5.0, -5.0, -mean], [se, 0.1, 0.1, se], share=0.5, judgment_precision=precision, item_sd=1.0
    )
    moves = np.sqrt(se**2 - 1 / (1 / se**2 + precision))
    gain, _ = integrate.quad(lambda m: max(-m, 0) * stats.norm.pdf(m, mean, moves), -8, 0)
    assert found.cut == 0
    assert found.value[0] == pytest.approx(gain, rel=1e-6)


def test_what_was_never_judged_has_the_prior():
    found = rank_for_judgment(
        [np.nan, 1.5, -1.5, -1.6], [np.nan, 0.3, 0.3, 0.3], share=0.25, judgment_precision=4, item_sd=1
    )
    known = rank_for_judgment([0.0, 1.5, -1.5, -1.6], [1.0, 0.3, 0.3, 0.3], share=0.25, judgment_precision=4, item_sd=1)
    assert found.order.tolist() == known.order.tolist()
    assert found.order[0] == 0


def test_what_cannot_be_judged_is_left_out_but_counts_for_the_cut():
    found = rank_for_judgment([3, 0.1, -0.1, -3], [0.5] * 4, **SETTING, can_be_judged=[True, False, True, True])
    assert found.cut == 0
    assert found.order.tolist()[0] == 2
    assert 1 not in found.order


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"share": 0}, "share"),
        ({"share": 1.0}, "share"),
        ({"judgment_precision": float("nan")}, "judgment_precision"),
        ({"item_sd": float("nan")}, "item_sd"),
        ({"se": [0.1, 0.2]}, "shapes"),
        ({"se": [0.1, 0.2, -0.3]}, "negative"),
    ],
)
def test_what_cannot_be_ranked_is_refused_by_name(change, words):
    arguments = {"estimate": [1.0, 2.0, 3.0], "se": [0.1, 0.2, 0.3], **SETTING, **change}
    with pytest.raises(BadEstimates, match=words):
        rank_for_judgment(arguments.pop("estimate"), arguments.pop("se"), **arguments)


numbers = st.floats(-1e6, 1e6) | st.just(float("nan"))


@given(st.lists(st.tuples(numbers, st.floats(0, 1e6)), min_size=2, max_size=40), st.floats(0.01, 0.99))
def test_any_estimates_give_a_whole_order_of_finite_values(pairs, share):
    found = rank_for_judgment(*np.array(pairs).T, share=share, judgment_precision=2.0, item_sd=0.3)
    assert sorted(found.order.tolist()) == list(range(len(pairs)))
    assert np.isfinite(found.value).all()
    assert 0 <= found.precision <= 1


def simulate(policy: str, seed: int, *, n=300, judgments=2400, step=60, sd=0.3, noise=0.45, share=0.1):
    """Return the share of the truly hardest items found, with normal noise and a prior that is known."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, sd, n)
    total, count = np.zeros(n), np.zeros(n)
    n_hard = round(share * n)
    for _ in range(0, judgments, step):
        error = 1 / np.sqrt(1 / sd**2 + count / noise**2)
        mean = error**2 * total / noise**2
        found = rank_for_judgment(mean, error, share=share, judgment_precision=1 / noise**2, item_sd=sd)
        pool = found.order[:step] if policy == "adaptive" else np.argsort(count + rng.random(n))[:step]
        total[pool] += truth[pool] + rng.normal(0, noise, step)
        count[pool] += 1
    error = 1 / np.sqrt(1 / sd**2 + count / noise**2)
    hardest = np.argsort(-(error**2 * total))[:n_hard]
    return len(set(hardest.tolist()) & set(np.argsort(-truth)[:n_hard].tolist())) / n_hard


def test_half_the_judgments_find_as_many_of_the_hardest():
    seeds = range(12)
    at_random = np.mean([simulate("random", s, judgments=4800) for s in seeds])
    adaptive = np.mean([simulate("adaptive", s, judgments=2400) for s in seeds])
    assert at_random > 0.6
    assert adaptive >= at_random
