"""Measures of models: golden values, references, invariants of all measures at once, bad input."""

import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mining.hardness.gradient import grand_last_layer, logit_gradient_of_loss
from mining.hardness.registry import DESCRIPTIONS, FAMILIES, MODEL_MEASURES, OTHER_MEASURES, compute_measures
from mining.hardness.rows import MeasureError, summarise_rows


@pytest.fixture(scope="module")
def cloud():
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.full(7, 0.4), size=3000)
    return probabilities, generator.integers(0, 7, 3000)


def test_by_hand():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4], [0.25, 0.25, 0.5]])
    scores = compute_measures(probabilities, np.array([0, 2, -1]))
    assert scores["least_confidence"] == pytest.approx([0.3, 0.5, 0.5])
    assert scores["margin"] == pytest.approx([0.5, 0.9, 0.75])
    entropy = -np.array([0.7 * np.log(0.7) + 0.2 * np.log(0.2) + 0.1 * np.log(0.1)]) / np.log(3)
    assert scores["entropy"][0] == pytest.approx(entropy[0], abs=1e-12)
    assert scores["loss"][:2] == pytest.approx([-np.log(0.7), -np.log(0.4)])
    assert scores["focal_loss"][:2] == pytest.approx([-0.09 * np.log(0.7), -0.36 * np.log(0.4)])
    assert scores["normalized_margin"][:2] == pytest.approx([0.25, 0.55])
    assert scores["el2n"][:2] == pytest.approx([np.sqrt(0.09 + 0.04 + 0.01), np.sqrt(0.01 + 0.25 + 0.36)])
    for name, measure in MODEL_MEASURES.items():
        assert np.isnan(scores[name][2]) == (measure.needs_label or name == "band")


def test_focal_loss_at_nine_tenths_in_nats():
    score = MODEL_MEASURES["focal_loss"].compute(np.array([[0.9, 0.1]]), np.array([0]))
    assert score[0] == pytest.approx(0.00105, abs=5e-6)


def test_band_is_for_two_classes():
    probabilities = np.array([[0.5, 0.5], [0.9, 0.1], [0.0, 1.0]])
    assert MODEL_MEASURES["band"].compute(probabilities, np.array([0, 0, 0])) == pytest.approx([1.0, 0.2, 0.0])
    assert np.isnan(MODEL_MEASURES["band"].compute(np.full((2, 3), 1 / 3), np.array([0, 1]))).all()


def test_equal_to_cleanlab(cloud):
    from cleanlab.rank import get_label_quality_scores

    probabilities, given = cloud
    scores = compute_measures(probabilities, given)
    for method, mine in (
        ("self_confidence", np.exp(-scores["loss"])),
        ("normalized_margin", 1 - scores["normalized_margin"]),
    ):
        theirs = get_label_quality_scores(given, probabilities, method=method)
        np.testing.assert_allclose(mine, theirs, atol=1e-9, rtol=0)


def test_equal_to_scipy_and_scikit_learn(cloud):
    from scipy.stats import entropy
    from sklearn.metrics import log_loss

    probabilities, given = cloud
    scores = compute_measures(probabilities, given)
    np.testing.assert_allclose(scores["entropy"] * np.log(7), entropy(probabilities, axis=1), atol=1e-12)
    assert scores["loss"].mean() == pytest.approx(log_loss(given, probabilities, labels=range(7)), abs=1e-12)


def test_mistakenness_is_the_published_formula(cloud):
    from scipy.stats import entropy

    probabilities, given = cloud
    sign = np.where(probabilities.argmax(axis=1) == given, -1, 1)
    expected = (sign * np.exp(-entropy(probabilities, axis=1)) + 1) / 2
    np.testing.assert_allclose(compute_measures(probabilities, given)["mistakenness"], expected, atol=1e-9)


def test_el2n_keeps_its_digits_where_the_model_is_sure():
    probabilities = np.array([[1 - 2e-9, 1e-9, 1e-9]])
    assert MODEL_MEASURES["el2n"].compute(probabilities, np.array([0]))[0] == pytest.approx(np.sqrt(6) * 1e-9, rel=1e-6)


def test_grand_is_the_gradient_of_the_last_layer():
    generator = np.random.default_rng(1)
    features, weights = generator.normal(size=(5, 4)), generator.normal(size=(5, 3))
    given = np.array([0, 1, 2, 0, 1])

    def loss(flat, row):
        logits = np.r_[features[row], 1.0] @ flat.reshape(5, 3)
        return np.log(np.exp(logits).sum()) - logits[given[row]]

    logits = np.c_[features, np.ones(5)] @ weights
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for row, score in enumerate(grand_last_layer(probabilities, given, features)):
        numeric = []
        for place in range(15):
            step = np.zeros(15)
            step[place] = 1e-6
            numeric.append((loss(weights.ravel() + step, row) - loss(weights.ravel() - step, row)) / 2e-6)
        assert score == pytest.approx(np.linalg.norm(numeric), rel=1e-6)


def test_loss_and_its_derivative_are_two_readings_of_one_thing(cloud):
    probabilities, given = cloud
    loss = MODEL_MEASURES["loss"].compute(probabilities, given)
    own = probabilities[np.arange(len(given)), given]
    np.testing.assert_allclose(logit_gradient_of_loss(loss), 1 - np.maximum(own, 2.3e-16), atol=1e-12)


@st.composite
def _probabilities(draw):
    n_classes = draw(st.integers(2, 6))
    raw = draw(hnp.arrays(np.float64, (draw(st.integers(1, 20)), n_classes), elements=st.floats(0, 1)))
    total = raw.sum(axis=1, keepdims=True)
    probabilities = np.where(total > 0, raw / np.where(total > 0, total, 1), 1 / n_classes)
    given = draw(hnp.arrays(np.int64, len(raw), elements=st.integers(-1, n_classes - 1)))
    return probabilities, given


@settings(max_examples=60, deadline=None)
@for_all(_probabilities())
def test_every_measure_is_in_range_and_does_not_mind_the_order_of_rows_and_classes(case):
    probabilities, given = case
    n_classes = probabilities.shape[1]
    scores = compute_measures(probabilities, given)
    bounds = {"least_confidence": 1 - 1 / n_classes, "loss": 36.05, "focal_loss": 36.05, "el2n": np.sqrt(2)}
    swap = np.random.default_rng(0).permutation(n_classes)
    renamed = np.where(given >= 0, np.argsort(swap)[np.maximum(given, 0)], -1)
    reversed_rows = compute_measures(probabilities[::-1], given[::-1])
    tied = (probabilities == probabilities.max(axis=1, keepdims=True)).sum(axis=1) > 1
    for name, values in scores.items():
        known = values[~np.isnan(values)]
        assert (known >= 0).all() and (known <= bounds.get(name, 1.0) + 1e-12).all(), name
        np.testing.assert_array_equal(values, reversed_rows[name][::-1])
        same = compute_measures(probabilities[:, swap], renamed)[name]
        # Which class is predicted is a matter of order where two are level.
        rows = ~tied if name == "mistakenness" else slice(None)
        np.testing.assert_allclose(values[rows], same[rows], atol=1e-12)
        alone = MODEL_MEASURES[name].compute(probabilities, given)
        np.testing.assert_array_equal(values, alone)


def test_blocks_join_without_a_seam(cloud, monkeypatch):
    probabilities, given = cloud
    whole = compute_measures(probabilities, given)
    monkeypatch.setattr("mining.hardness.rows.BLOCK_ELEMENTS", 7 * 11)
    for name, values in compute_measures(probabilities, given).items():
        np.testing.assert_array_equal(values, whole[name])


def test_rows_without_prediction_are_unknown_and_32_bit_is_accepted():
    probabilities = np.array([[0.9, 0.1], [np.nan, np.nan]], dtype=np.float32)
    scores = compute_measures(probabilities, np.array([0, 1]))
    assert scores["loss"][0] == pytest.approx(-np.log(0.9), abs=1e-6)
    assert all(np.isnan(values[1]) for values in scores.values())
    assert summarise_rows(probabilities, None).predicted.tolist() == [0, -1]


def test_nothing_in_nothing_out():
    assert all(values.shape == (0,) for values in compute_measures(np.zeros((0, 3)), np.zeros(0, dtype=int)).values())
    assert summarise_rows(np.zeros((0, 3)), None).top.shape == (0,)


@pytest.mark.parametrize(
    ("probabilities", "given", "message"),
    [
        ([[0.5, 0.6]], [0], "sums to 1.1 in row 0"),
        ([[0.5, 0.5], [2.0, -1.0]], [0, 1], "negative number in row 1; are these logits"),
        ([[0.5, np.nan]], [0], "NaN in row 0"),
        ([[0.5, 0.5]], [2], "code 2 in row 0; with 2 classes"),
        ([[0.5, 0.5]], [0.5], "integer class codes"),
        ([[0.5, 0.5]], [0, 1], r"given has shape \(2,\)"),
        ([0.5, 0.5], [0, 1], "two dimensions"),
        ([[1.0]], [0], "at least two"),
        ([["a", "b"]], [0], "must be numbers"),
    ],
)
def test_bad_input_is_named(probabilities, given, message):
    with pytest.raises(MeasureError, match=message):
        compute_measures(np.array(probabilities), np.array(given))


def test_unknown_measure_lists_the_known_ones():
    with pytest.raises(MeasureError, match=r"'losss'; there are .*loss"):
        compute_measures(np.array([[0.5, 0.5]]), np.array([0]), ["losss"])


def test_every_measure_is_described():
    assert set(DESCRIPTIONS) == set(MODEL_MEASURES) | set(OTHER_MEASURES)
    for name, description in DESCRIPTIONS.items():
        assert description.name == name
        assert description.family in FAMILIES
        for text in (
            description.title,
            description.formula,
            description.meaning,
            description.range,
            description.reference,
        ):
            assert text
