"""Neighbours, committees and dynamics."""

import numpy as np
import pytest

from mining.hardness.dynamics import negated_aum, training_dynamics
from mining.hardness.neighbours import instance_hardness, kdn
from mining.hardness.rows import MeasureError


def test_kdn_counts_disagreeing_neighbours_on_a_line():
    features = np.arange(8, dtype=float)[:, None]
    given = np.array([0, 0, 0, 1, 0, 1, 1, 1])
    scores = kdn(features, given, n_neighbours=2)
    assert scores[[0, 1, 3, 4, 6]].tolist() == [0.0, 0.0, 1.0, 1.0, 0.0]


def test_kdn_equals_a_plain_loop():
    generator = np.random.default_rng(0)
    features, given = generator.normal(size=(120, 3)), generator.integers(-1, 3, 120)
    labelled = np.flatnonzero(given >= 0)
    scores = kdn(features, given, n_neighbours=5)
    for row in labelled:
        others = labelled[labelled != row]
        near = others[np.argsort(((features[others] - features[row]) ** 2).sum(axis=1))[:5]]
        assert scores[row] == pytest.approx((given[near] != given[row]).mean())
    assert np.isnan(scores[given < 0]).all()


def test_an_item_is_not_its_own_neighbour_among_identical_ones():
    features = np.zeros((12, 2))
    given = np.array([1] + [0] * 11)
    assert kdn(features, given, n_neighbours=10)[0] == 1.0


def test_kdn_is_unknown_with_too_few_items_and_names_bad_features():
    assert np.isnan(kdn(np.zeros((5, 2)), np.zeros(5, dtype=int))).all()
    features = np.zeros((20, 2))
    features[7, 1] = np.inf
    with pytest.raises(MeasureError, match="not finite in row 7"):
        kdn(features, np.zeros(20, dtype=int))


def test_kdn_by_a_sample_of_references_stays_close():
    generator = np.random.default_rng(0)
    given = generator.integers(0, 2, 3000)
    features = generator.normal(size=(3000, 2)) + 1.5 * given[:, None]
    whole, sampled = kdn(features, given), kdn(features, given, most_references=1500)
    assert np.corrcoef(whole, sampled)[0, 1] > 0.85


def test_kdn_of_some_items_is_that_of_all():
    """What two workers do in parts is what one does at once."""
    generator = np.random.default_rng(0)
    features, given = generator.normal(size=(400, 3)), generator.integers(-1, 3, 400)
    barred = generator.random(400) < 0.2
    whole = kdn(features, given, barred=barred, most_references=150)
    for rows in (np.arange(0, 200), np.arange(200, 400)):
        part = kdn(features, given, barred=barred, most_references=150, rows=rows)
        assert np.array_equal(part[rows], whole[rows], equal_nan=True)
        assert np.isnan(np.delete(part, rows)).all()


def test_instance_hardness_is_one_minus_the_committees_belief():
    first, second = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.5, 0.5], [0.4, 0.6]])
    scores = instance_hardness([first, second], np.array([0, 0]))
    assert scores == pytest.approx([0.3, 0.7])
    assert np.isnan(instance_hardness([first], np.array([-1, 0]))[0])
    with pytest.raises(MeasureError, match="at least one learner"):
        instance_hardness([], np.array([0]))


def test_dynamics_by_hand():
    # Item 0 learnt at once; 1 learnt, lost, learnt, lost; 2 never learnt; 3 without a label.
    belief = np.array([[0.9, 0.6, 0.1, 0.5], [0.9, 0.4, 0.2, 0.5], [0.9, 0.7, 0.3, 0.5], [0.9, 0.3, 0.4, 0.5]])
    epochs = np.stack([belief, 1 - belief], axis=2)
    dynamics = training_dynamics(epochs, np.array([0, 0, 0, -1]))
    assert dynamics.forgetting[:3].tolist() == [0, 2, 4]
    assert dynamics.inverse_confidence[:3] == pytest.approx(1 - belief[:, :3].mean(axis=0))
    assert dynamics.variability[:3] == pytest.approx(belief[:, :3].std(axis=0))
    np.testing.assert_allclose(
        dynamics.negated_aum[:3], negated_aum(np.log(epochs), np.array([0, 0, 0, -1]))[:3], atol=1e-12
    )
    assert all(np.isnan(column[3]) for column in dynamics.as_columns().values())


def test_dynamics_accepts_a_stream_and_needs_two_epochs():
    epochs = np.random.default_rng(0).dirichlet(np.ones(3), size=(5, 40))
    given = np.arange(40) % 3
    streamed = training_dynamics(iter(epochs), given)
    np.testing.assert_array_equal(streamed.variability, training_dynamics(epochs, given).variability)
    with pytest.raises(MeasureError, match="two epochs or more, not 1"):
        training_dynamics(epochs[:1], given)


def test_aum_by_hand_and_blind_to_a_constant_a_row():
    logits = np.array([[[2.0, 1.0, 0.0]], [[3.0, 5.0, 0.0]]])
    assert negated_aum(logits, np.array([0])).tolist() == [0.5]
    assert negated_aum(logits + 7.0, np.array([0])) == pytest.approx([0.5])


def test_barred_items_are_nobodys_neighbours_and_have_a_score():
    generator = np.random.default_rng(3)
    features, given = generator.normal(size=(80, 3)), generator.integers(0, 2, 80)
    barred = np.arange(80) % 4 == 0
    scores = kdn(features, given, barred=barred)
    other = np.where(barred, 1 - given, given)
    np.testing.assert_array_equal(kdn(features, other, barred=barred)[~barred], scores[~barred])
    np.testing.assert_allclose(kdn(features, other, barred=barred)[barred], 1.0 - scores[barred])
    np.testing.assert_array_equal(kdn(features[~barred], given[~barred]), scores[~barred])
    assert np.isnan(kdn(features, given, barred=np.arange(80) > 9)).all()
