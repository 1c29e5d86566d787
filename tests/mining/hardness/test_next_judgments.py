"""Where a judgment is worth most: values of the formula, its invariants, and what it saves in a simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from mining.hardness.next_judgments import BadEstimates, rank_for_judgment

SETTING = {"share": 0.5, "judgment_precision": 4.0, "item_sd": 1.0}


def test_what_is_expected_to_be_right_is_as_much_as_is_right():
    """By the cut between the estimates it would be .6 where a third is right: they are shrunken."""
    rng = np.random.default_rng(1)
    truth = rng.normal(0, 0.3, 40_000)
    error = 1 / np.sqrt(1 / 0.3**2 + rng.integers(0, 4, truth.size) / 0.45**2)
    mean = rng.normal(truth * (1 - error**2 / 0.3**2), error * np.sqrt(1 - error**2 / 0.3**2))
    found = rank_for_judgment(mean, error, share=0.1, judgment_precision=5, item_sd=0.3)
    assert found.in_set.sum() == pytest.approx(4000, abs=0.1)
    hardest, right = np.argsort(-mean)[:4000], truth >= np.quantile(truth, 0.9)
    assert found.precision == pytest.approx(right[hardest].mean(), abs=0.02)
    assert stats.norm.cdf((mean - found.cut) / error)[hardest].mean() > found.precision + 0.2


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


def fall_of_the_variance(mean, se, precision):
    """Return by how much p (1 - p) falls on average, by an integral over what the judgments may say; the cut is 0."""
    moves = np.sqrt(se**2 - 1 / (1 / se**2 + precision))
    left = np.sqrt(1 / (1 / se**2 + precision))

    def after(m):
        p = stats.norm.cdf(m / left)
        return p * (1 - p) * stats.norm.pdf(m, mean, moves)

    p = stats.norm.cdf(mean / se)
    return p * (1 - p) - integrate.quad(after, mean - 9 * moves, mean + 9 * moves, points=[0.0])[0]


def at_zero(mean, se, **more):
    """Return the ranking of an item with this posterior among others that put the cut at 0."""
    return rank_for_judgment([mean, 5.0, -5.0, -mean], [se, 0.1, 0.1, se], share=0.5, item_sd=1.0, **more)


def test_the_value_is_the_expected_fall_of_the_variance_of_who_is_in_the_set():
    found = at_zero(0.3, 0.6, judgment_precision=3.0)
    assert found.cut == 0
    assert found.value[0] == pytest.approx(fall_of_the_variance(0.3, 0.6, 3.0), rel=1e-6)


def test_where_one_judgment_says_nothing_its_worth_is_that_of_the_best_number():
    """Far from the cut against the noise of one judgment: the mean of eight is worth more than the first alone."""
    found = at_zero(1.2, 0.4, judgment_precision=1.0)
    alone = [fall_of_the_variance(1.2, 0.4, 1.0 * k) / k for k in range(1, 9)]
    assert np.argmax(alone) == 7
    assert found.value[0] == pytest.approx(max(alone), rel=1e-6)
    assert found.value[0] > 2 * alone[0]


def test_judgments_on_their_way_count_as_bought():
    found = at_zero(0.3, 0.6, judgment_precision=3.0, on_their_way=[2, 0, 0, 0])
    both, three = (fall_of_the_variance(0.3, 0.6, 3.0 * k) for k in (2, 3))
    assert found.value[0] == pytest.approx(three - both, rel=1e-6)
    assert found.order[0] == 3


def test_a_batch_spreads_over_what_is_not_known_and_comes_back_where_it_pays():
    unjudged = rank_for_judgment([np.nan] * 6, [np.nan] * 6, share=0.5, judgment_precision=4, item_sd=1, batch=6)
    assert sorted(unjudged.plan.tolist()) == [0, 1, 2, 3, 4, 5]
    clear = rank_for_judgment(
        [5, 4, 0.01, -0.01, -4, -5], [0.4] * 6, share=0.5, judgment_precision=4, item_sd=3, batch=6
    )
    assert sorted(clear.plan.tolist()) == [2, 2, 2, 3, 3, 3]
    assert clear.plan[:2].tolist() == [2, 3]


def test_a_plan_asks_for_no_more_than_can_be_had():
    found = rank_for_judgment(
        [5, 4, 0.01, -0.01, -4, -5], [0.4] * 6, share=0.5, judgment_precision=4, item_sd=3, batch=6,
        can_be_had=[0, 0, 1, 2, 0, 0],
    )  # fmt: skip
    assert (found.order.tolist(), found.plan.tolist()) == ([2, 3], [2, 3, 3])


def test_what_was_never_judged_has_the_prior():
    found = rank_for_judgment(
        [np.nan, 1.5, -1.5, -1.6], [np.nan, 0.3, 0.3, 0.3], share=0.25, judgment_precision=4, item_sd=1
    )
    known = rank_for_judgment([0.0, 1.5, -1.5, -1.6], [1.0, 0.3, 0.3, 0.3], share=0.25, judgment_precision=4, item_sd=1)
    assert found.order.tolist() == known.order.tolist()
    assert found.order[0] == 0


def test_what_cannot_be_judged_is_left_out_but_counts_for_the_cut():
    found = rank_for_judgment([3, 0.1, -0.1, -3], [0.5] * 4, **SETTING, can_be_had=[9, 0, 9, 9])
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
        ({"batch": 0}, "batch"),
        ({"on_their_way": [1, 2]}, "on_their_way"),
        ({"can_be_had": [1, 2]}, "can_be_had"),
        ({"on_their_way": [1, 2, -1]}, "on_their_way"),
    ],
)
def test_what_cannot_be_ranked_is_refused_by_name(change, words):
    arguments = {"estimate": [1.0, 2.0, 3.0], "se": [0.1, 0.2, 0.3], **SETTING, **change}
    with pytest.raises(BadEstimates, match=words):
        rank_for_judgment(arguments.pop("estimate"), arguments.pop("se"), **arguments)


numbers = st.floats(-1e6, 1e6) | st.just(float("nan"))


@settings(suppress_health_check=[HealthCheck.too_slow])  # on a busy machine it is
@given(
    st.lists(st.tuples(numbers, st.floats(0, 1e6), st.integers(0, 50)), min_size=2, max_size=40),
    st.floats(0.01, 0.99),
    st.integers(1, 100),
)
def test_any_estimates_give_a_whole_order_of_finite_values(rows, share, batch):
    estimate, se, asked = np.array(rows).T
    found = rank_for_judgment(
        estimate, se, share=share, judgment_precision=2.0, item_sd=0.3, on_their_way=asked, batch=batch
    )
    assert sorted(found.order.tolist()) == list(range(len(rows)))
    assert np.isfinite(found.value).all() and (found.value >= 0).all()
    assert (np.diff(found.value[found.order]) <= 0).all()
    assert 0 <= found.precision <= 1
    assert 1 <= len(found.plan) <= batch
    assert found.plan[0] == found.order[0]


def simulate(policy: str, seed: int, judgments: int, *, n=300, step=60, sd=0.3, noise=0.45, share=0.1):
    """Return the share of the truly hardest items found, with normal noise and a prior that is known."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, sd, n)
    total, count = np.zeros(n), np.zeros(n)
    n_hard = round(share * n)
    for _ in range(0, judgments, step):
        error = 1 / np.sqrt(1 / sd**2 + count / noise**2)
        if policy == "random":
            chosen = np.argsort(count + rng.random(n))[:step]
        else:
            mean = error**2 * total / noise**2
            chosen = rank_for_judgment(
                mean, error, share=share, judgment_precision=1 / noise**2, item_sd=sd, batch=step
            ).plan
        np.add.at(total, chosen, truth[chosen] + rng.normal(0, noise, step))
        np.add.at(count, chosen, 1)
    error = 1 / np.sqrt(1 / sd**2 + count / noise**2)
    hardest = np.argsort(-(error**2 * total))[:n_hard]
    return len(set(hardest.tolist()) & set(np.argsort(-truth)[:n_hard].tolist())) / n_hard


@pytest.mark.parametrize(("budget", "least"), [(1200, 0.5), (4800, 0.7)])
def test_half_the_judgments_find_as_many_of_the_hardest(budget, least):
    """Early, when an item has four judgments at random, and late, when it has sixteen."""
    at_random = np.mean([simulate("random", seed, budget) for seed in range(16)])
    adaptive = np.mean([simulate("adaptive", seed, budget // 2) for seed in range(16)])
    assert at_random > least
    assert adaptive >= at_random
