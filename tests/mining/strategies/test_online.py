"""Online mining: each rule does what its paper says, at every step."""

import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from mining.learners.errors import LearnerError
from mining.learners.softmax_head import HeadSettings, SoftmaxHead, softmax, train_epochs
from mining.strategies.online.experiment import online_experiment
from mining.strategies.online.rules import (
    EasyFirst,
    Focal,
    GradientImportance,
    Ohem,
    Shuffled,
    focal_factor,
    unsuppressed,
)
from mining.strategies.online.training import ONLINE_STRATEGIES, train_online

GENERATOR = np.random.default_rng(0)


def _candidates(n=40, n_classes=4):
    belief = np.random.default_rng(1).dirichlet(np.ones(n_classes), size=n)
    return belief, np.random.default_rng(2).integers(0, n_classes, n), np.arange(n)


def test_ohem_trains_on_the_highest_losses_now():
    belief, codes, rows = _candidates()
    places, weight = Ohem(10)(belief, codes, rows, GENERATOR)
    loss = -np.log(belief[rows, codes])
    assert set(places) == set(np.argsort(-loss)[:10]) and (weight == 1).all()


def test_ohem_passes_over_what_overlaps_a_harder_one_in_the_same_image():
    belief = np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6]])
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 10], [20, 20, 30, 30]], dtype=float)
    rule = Ohem(2, boxes=boxes, image=np.array([0, 0, 1, 0]))
    places, _ = rule(belief, np.zeros(4, dtype=int), np.arange(4), GENERATOR)
    assert places.tolist() == [0, 2]
    everything = Ohem(9, boxes=boxes, image=np.array([0, 0, 1, 0]))
    assert everything(belief, np.zeros(4, dtype=int), np.arange(4), GENERATOR)[0].tolist() == [0, 2, 3]


@settings(max_examples=40, deadline=None)
@for_all(st.integers(0, 10_000), st.floats(0.1, 0.9))
def test_suppression_equals_the_plain_definition(seed, most):
    generator = np.random.default_rng(seed)
    corner = generator.random((25, 2)) * 10
    boxes = np.c_[corner, corner + generator.random((25, 2)) * 6 + 0.1]
    image = generator.integers(0, 2, 25)
    kept = []
    for place, box in enumerate(boxes):
        for other in kept:
            if image[other] != image[place]:
                continue
            width = min(box[2], boxes[other][2]) - max(box[0], boxes[other][0])
            height = min(box[3], boxes[other][3]) - max(box[1], boxes[other][1])
            shared = max(width, 0) * max(height, 0)
            areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (box, boxes[other])]
            if shared / (sum(areas) - shared) > most:
                break
        else:
            kept.append(place)
    assert unsuppressed(boxes, image, most).tolist() == kept


def test_focal_factor_is_the_derivative_of_the_focal_loss():
    logits = np.random.default_rng(0).normal(size=(50, 3)) * 2
    codes = np.random.default_rng(1).integers(0, 3, 50)
    rows = np.arange(50)

    def focal(values):
        p = softmax(values)[rows, codes]
        return -((1 - p) ** 2) * np.log(p)

    belief = softmax(logits)
    places, weight = Focal()(belief, codes, rows, GENERATOR)
    slope = belief.copy()
    slope[rows, codes] -= 1
    slope *= weight[:, None]
    assert places.tolist() == rows.tolist()
    for column in range(3):
        step = np.zeros((50, 3))
        step[:, column] = 1e-6
        numeric = (focal(logits + step) - focal(logits - step)) / 2e-6
        np.testing.assert_allclose(slope[:, column], numeric, atol=1e-7)
    assert (focal_factor(np.array([0.2, 0.9]), gamma=0.0) == 1).all()
    assert np.isfinite(focal_factor(np.array([0.0, 1.0]))).all()


def test_drawing_by_gradient_norm_leaves_the_expected_step_alone():
    belief, codes, rows = _candidates()
    slope = belief.copy()
    slope[rows, codes] -= 1
    rule = GradientImportance(10)
    generator = np.random.default_rng(0)
    steps, drawn = [], np.zeros(40)
    for _ in range(4000):
        places, weight = rule(belief, codes, rows, generator)
        steps.append((slope[places] * weight[:, None]).mean(axis=0))
        drawn += np.bincount(places, minlength=40)
    np.testing.assert_allclose(np.mean(steps, axis=0), slope.mean(axis=0), atol=0.006)
    size = np.linalg.norm(slope, axis=1)
    assert np.corrcoef(drawn, size)[0, 1] > 0.98


def test_the_norm_of_the_features_makes_it_grand():
    belief, codes, rows = _candidates()
    long = np.ones(40)
    long[7] = 50.0
    places, _ = GradientImportance(2000, feature_norm=long)(belief, codes, rows, np.random.default_rng(0))
    assert np.bincount(places, minlength=40).argmax() == 7


def test_the_control_of_a_rule_deals_the_same_weights_to_random_candidates():
    belief, codes, rows = _candidates()
    places, weight = Focal()(belief, codes, rows, GENERATOR)
    dealt, again = Shuffled(Focal())(belief, codes, rows, np.random.default_rng(5))
    assert sorted(dealt.tolist()) == places.tolist() and dealt.tolist() != places.tolist()
    np.testing.assert_array_equal(again, weight)
    chosen, _ = Shuffled(Ohem(10))(belief, codes, rows, np.random.default_rng(5))
    assert len(np.unique(chosen)) == 10
    assert set(chosen) != set(Ohem(10)(belief, codes, rows, GENERATOR)[0])


def test_the_curriculum_begins_with_the_easiest_and_ends_with_all():
    pace = EasyFirst(np.arange(100)[::-1], epochs=10)
    first, last = pace(0, np.random.default_rng(0)), pace(5, np.random.default_rng(0))
    assert set(first.tolist()) == set(range(80, 100)) and len(first) == 100
    assert sorted(last.tolist()) == list(range(100))


@pytest.mark.parametrize("name", ["ohem", "focal", "curriculum"])
def test_an_online_experiment_has_three_arms_with_as_many_items(imbalanced, name):
    features, given = imbalanced
    heldout = np.arange(1500) % 3 == 0
    found = online_experiment(
        name, features, given, train=~heldout, heldout=heldout, n_classes=2, seeds=(0, 1), difficulty=-features[:, 0],
        settings=HeadSettings(epochs=5, batch_size=32),
    )  # fmt: skip
    assert (found.n_train, found.n_test, found.n_seeds) == (1000, 500, 2)
    assert set(found.arms) == {"baseline", "hard_set", "random_control"}
    for arm in found.arms.values():
        low, high = arm.intervals.accuracy
        assert low <= arm.accuracy <= high
        assert (arm.intervals.recall_by_class[:, 0] <= arm.recall_by_class).all()
        assert (arm.recall_by_class <= arm.intervals.recall_by_class[:, 1]).all()


@pytest.fixture(scope="module")
def imbalanced():
    generator = np.random.default_rng(0)
    given = (np.arange(1500) % 25 == 0).astype(int)
    return generator.normal(size=(1500, 5)) + 2.5 * given[:, None] * np.eye(1, 5), given


@pytest.mark.parametrize("name", list(ONLINE_STRATEGIES))
def test_every_online_strategy_learns_and_repeats_itself(imbalanced, name):
    features, given = imbalanced
    chosen = HeadSettings(epochs=20, batch_size=32, learning_rate=0.02)
    seen = []
    first, again = (
        train_online(
            name,
            features,
            given,
            n_classes=2,
            settings=chosen,
            seed=3,
            difficulty=-features[:, 0],
            on_progress=lambda done, total: seen.append((done, total)),
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.layers[0], again.layers[0])
    belief = first.probabilities(features)[:, 1]
    assert belief[given == 1].mean() > belief[given == 0].mean() + 0.1
    assert seen[-1][0] == seen[-1][1]


@pytest.mark.parametrize(("n_items", "steps"), [(40, 20), (100, 20), (300, 25), (1500, 120)])
@pytest.mark.parametrize("name", list(ONLINE_STRATEGIES))
def test_all_strategies_take_the_same_steps_however_few_items_there_are(name, n_items, steps):
    features = np.random.default_rng(0).normal(size=(n_items, 5))
    head = train_online(
        name, features, np.arange(n_items) % 2, n_classes=2, settings=HeadSettings(epochs=5, batch_size=64),
        difficulty=features[:, 0],
    )  # fmt: skip
    assert head.n_steps == steps


@pytest.mark.parametrize("at_random", [False, True])
@pytest.mark.parametrize("name", list(ONLINE_STRATEGIES))
def test_all_strategies_and_their_controls_train_on_as_many_items(name, at_random, monkeypatch):
    sizes = []
    backward = SoftmaxHead.backward

    def watched(head, given, logit_gradient, l2):
        sizes.append(len(logit_gradient))
        return backward(head, given, logit_gradient, l2)

    monkeypatch.setattr(SoftmaxHead, "backward", watched)
    features = np.random.default_rng(0).normal(size=(150, 5))
    train_online(
        name, features, np.arange(150) % 2, n_classes=2, settings=HeadSettings(epochs=2, batch_size=32),
        difficulty=features[:, 0], at_random=at_random,
    )  # fmt: skip
    assert sizes == [32, 32, 32, 32, 22] * 2


def test_candidates_of_a_step_differ_and_all_items_have_their_turn():
    seen, sizes = np.zeros(100, dtype=int), set()

    def watch(belief, codes, rows, generator):
        assert len(np.unique(rows)) == len(rows)
        seen[rows] += 1
        sizes.add(len(rows))
        return np.arange(len(rows)), np.ones(len(rows))

    settings = HeadSettings(epochs=20, batch_size=16, candidates=4)
    features = np.random.default_rng(0).normal(size=(100, 3))
    list(train_epochs(features, np.arange(100) % 2, n_classes=2, settings=settings, step_weights=watch))
    assert sizes == {64, 16}  # the last batch of an epoch has 4 items
    assert seen.min() >= 40 and seen.sum() == 20 * (6 * 64 + 16)


def test_unknown_names_and_empty_classes_are_refused(imbalanced):
    features, given = imbalanced
    with pytest.raises(ValueError, match="no online strategy is called 'magic'; there are uniform"):
        train_online("magic", features, given, n_classes=2)
    with pytest.raises(ValueError, match="the curriculum needs the difficulty of every item"):
        train_online("curriculum", features, given, n_classes=2)
    with pytest.raises(LearnerError, match="one class"):
        train_online("ohem", features, np.zeros(1500, dtype=int), n_classes=2)
