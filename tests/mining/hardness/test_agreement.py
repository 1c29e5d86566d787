"""Consensus and agreement of labels."""

import numpy as np
import pytest

from mining.hardness.agreement import HeldConsensus, consensus, count_labels, disagreement, label_entropy
from mining.hardness.agreement_coefficients import fleiss_kappa, krippendorff_alpha
from mining.hardness.glad import fit_glad
from mining.hardness.timing import BadTrials


def simulate(seed=0, n_items=1000, n_annotators=40, per_item=4, n_classes=6):
    rng = np.random.default_rng(seed)
    truth, skill = rng.integers(0, n_classes, n_items), rng.uniform(0.3, 0.95, n_annotators)
    item = np.repeat(np.arange(n_items), per_item)
    annotator = rng.integers(0, n_annotators, item.size)
    guess = rng.integers(0, n_classes, item.size)
    return item, annotator, np.where(rng.random(item.size) < skill[annotator], truth[item], guess), truth, skill


def units(rows):
    """Codes of a table of annotators (rows) by items; "." is no answer, values 1, 2, ... become 0, 1, ..."""
    table = [row.split() for row in rows]
    found = [(i, int(cell) - 1) for row in table for i, cell in enumerate(row) if cell != "."]
    return [i for i, _ in found], [value for _, value in found]


HAYES = units(
    ["1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 ."]
)
THREE = units([". . . . . 3 4 1 2 1 1 3 3 . 3", "1 . 2 1 3 3 4 3 . . . . . . .", ". . 2 1 3 4 4 . 2 1 1 3 3 . 4"])


@pytest.mark.parametrize(
    ("trials", "level", "alpha"),
    [
        (THREE, "nominal", 0.691358),
        (THREE, "interval", 0.810845),
        (HAYES, "nominal", 0.743),
        (HAYES, "ordinal", 0.815),
        (HAYES, "interval", 0.849),
        (HAYES, "ratio", 0.797),
    ],
)
def test_krippendorff_alpha_of_published_tables(trials, level, alpha):
    found = krippendorff_alpha(*trials, level=level, values=[1, 2, 3, 4, 5], n_resamples=200)
    assert found.value == pytest.approx(alpha, abs=6e-4)
    assert found.low < alpha < found.high <= 1
    assert krippendorff_alpha(*trials, level=level, values=[1, 2, 3, 4, 5], n_resamples=200) == found


def test_krippendorff_alpha_where_there_is_nothing_to_compare():
    assert np.isnan(krippendorff_alpha([0, 1], [0, 1]).value)
    assert np.isnan(krippendorff_alpha([0, 0], [1, 1]).value)
    assert krippendorff_alpha([0, 0, 1, 1], [0, 0, 1, 1]).value == 1
    with pytest.raises(BadTrials, match="unknown_level"):
        krippendorff_alpha([0, 0], [0, 1], level="rank")


def test_fleiss_kappa_of_the_table_in_his_paper():
    counts = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    assert fleiss_kappa(counts) == pytest.approx(0.210, abs=5e-4)


def test_dawid_skene_beats_the_vote_where_annotators_differ():
    item, annotator, label, truth, skill = simulate()
    found = consensus(item, annotator, label, 1000, 6)
    vote = count_labels(item, label, 1000, 6).argmax(axis=1)
    assert found.method == "dawid-skene" and found.converged
    assert (found.label == truth).mean() > (vote == truth).mean() + 0.01
    right = found.annotator_confusion.diagonal(axis1=1, axis2=2).mean(axis=1)
    np.testing.assert_allclose(found.annotator_confusion.sum(axis=2), 1)
    assert np.corrcoef(right, skill)[0, 1] > 0.9
    assert found.confidence.mean() == pytest.approx((found.label == truth).mean(), abs=0.07)


def test_consensus_does_not_depend_on_names_or_order():
    item, annotator, label, _, _ = simulate(1, n_items=200)
    rng = np.random.default_rng(0)
    items, people, order = rng.permutation(200), rng.permutation(40), rng.permutation(item.size)
    one = consensus(item, annotator, label, 200, 6)
    other = consensus(items[item][order], people[annotator][order], label[order], 200, 6)
    np.testing.assert_array_equal(other.label[items], one.label)
    np.testing.assert_allclose(other.confidence[items], one.confidence, atol=1e-6)


def test_a_tie_goes_to_the_lower_code_and_no_answer_is_no_label():
    found = consensus([0, 0, 1], [0, 1, 0], [2, 1, -1], n_items=3, n_classes=3)
    assert found.label.tolist() == [1, -1, -1]
    assert found.n_labels.tolist() == [2, 0, 0]
    assert np.isnan(found.confidence[1:]).all()


def test_single_labels_are_a_vote_that_is_not_sure():
    found = consensus([0, 1], [0, 0], [1, 0], n_items=2, n_classes=2)
    assert found.method == "vote"
    assert found.label.tolist() == [1, 0]
    assert found.confidence.tolist() == [0.75, 0.75]
    with pytest.raises(BadTrials, match="code_out_of_range"):
        consensus([0], [0], [2], n_items=1, n_classes=2)


def test_entropy_and_disagreement_of_counts():
    counts = [[4, 0], [2, 2], [0, 0], [3, 1]]
    np.testing.assert_allclose(label_entropy(counts), [0, 1, np.nan, 0.811278], atol=1e-6)
    np.testing.assert_allclose(disagreement(counts), [0, 0.5, np.nan, 0.25])
    np.testing.assert_allclose(disagreement(counts, [1, 1, 0, -1]), [1, 0.5, np.nan, np.nan])


def test_glad_finds_skill_and_difficulty():
    rng = np.random.default_rng(0)
    alpha, log_beta = rng.normal(1, 1, 30), rng.normal(0, 1, 400)
    item = np.repeat(np.arange(400), 12)
    annotator = rng.integers(0, 30, item.size)
    right = rng.random(item.size) < 1 / (1 + np.exp(-alpha[annotator] * np.exp(log_beta[item])))
    found = fit_glad(item, annotator, np.where(right, 1, 0), 401, 2)
    assert np.corrcoef(found.skill, alpha)[0, 1] > 0.9
    assert np.corrcoef(found.hardness[:400], -log_beta)[0, 1] > 0.4
    assert np.isnan(found.hardness[400]) and np.abs(found.hardness[:400]).max() <= 4


def held(view):
    return HeldConsensus(view.annotator_confusion, view.class_share, view.method == "vote")


@pytest.mark.parametrize("per_item", [1, 4])
def test_a_consensus_held_still_says_the_same_of_the_same_labels(per_item):
    item, annotator, label, _, _ = simulate(3, per_item=per_item)
    view = consensus(item, annotator, label, 1001, 6)
    said, confidence, n = held(view).judge(item, annotator, label, 1001)
    assert said.tolist() == view.label.tolist() and said[-1] == -1 and np.isnan(confidence[-1])
    np.testing.assert_allclose(confidence, view.confidence, atol=1e-9)
    assert n.tolist() == view.n_labels.tolist()


def test_a_consensus_held_still_weighs_new_labels_by_who_gives_them():
    careful, careless = (np.full((3, 3), off) + (right - off) * np.eye(3) for right, off in ((0.9, 0.05), (0.4, 0.3)))
    view = HeldConsensus(np.stack([careful, careless]), np.full(3, 1 / 3), by_vote=False)
    # the careful one says 2, the careless one 1; somebody unknown to the consensus says 0 of another item
    said, confidence, n = view.judge(np.array([0, 0, 1]), np.array([0, 1, 2]), np.array([2, 1, 0]), 3)
    assert said.tolist() == [2, 0, -1] and n.tolist() == [2, 1, 0]
    # .9 x .3 against .05 x .4 and .05 x .3; a newcomer confuses what the two do on average
    assert confidence[:2] == pytest.approx([0.27 / 0.305, 0.65])
