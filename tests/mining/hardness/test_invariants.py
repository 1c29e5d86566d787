"""What must hold for every measure of hardness, of people and of models: a new one is tested here by being listed.

People's: unchanged when items, annotators or trials are permuted or renamed; unchanged in rank when an annotator's
times are all doubled; more evidence never raises a standard error. Models': unchanged when items are permuted and
classes are renamed; the measures that do not know the label do not change with it.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from mining.hardness.dynamics import negated_aum, training_dynamics
from mining.hardness.gradient import grand_last_layer
from mining.hardness.human_measures import HUMAN_MEASURES
from mining.hardness.neighbours import instance_hardness, kdn
from mining.hardness.registry import DESCRIPTIONS, MODEL_MEASURES
from mining.hardness.timing import BadTrials, fit_response_times

N_ITEMS, N_ANNOTATORS, PER_ITEM, N_CLASSES = 60, 12, 5, 4


def trials(seed=0):
    rng = np.random.default_rng(seed)
    b = rng.normal(0, 0.3, N_ITEMS)
    item = np.repeat(np.arange(N_ITEMS), PER_ITEM)
    annotator = np.argsort(rng.random((N_ITEMS, N_ANNOTATORS)), axis=1)[:, :PER_ITEM].ravel()
    slow, sd = rng.normal(0, 0.4, N_ANNOTATORS), rng.uniform(0.2, 0.5, N_ANNOTATORS)
    times = np.exp(7 + b[item] + slow[annotator] + sd[annotator] * rng.standard_normal(item.size))
    times[rng.random(times.size) < 0.03] = np.nan
    truth = rng.integers(0, N_CLASSES, N_ITEMS)
    wrong = rng.random(item.size) < 1 / (1 + np.exp(1 - 5 * b))[item]
    label = np.where(wrong, rng.integers(0, N_CLASSES, item.size), truth[item])
    return item, annotator, times, np.where(np.isnan(times), -1, label), b


every_measure = pytest.mark.parametrize("measure", HUMAN_MEASURES.values(), ids=list(HUMAN_MEASURES))


@every_measure
def test_higher_is_harder(measure):
    item, annotator, times, label, b = trials()
    score = measure.compute(item, annotator, times, label, n_items=N_ITEMS)
    assert score.shape == (N_ITEMS,)
    assert spearmanr(score, b)[0] > 0.3


@every_measure
def test_order_of_trials_does_not_matter(measure):
    item, annotator, times, label, _ = trials()
    p = np.random.default_rng(1).permutation(item.size)
    one = measure.compute(item, annotator, times, label, n_items=N_ITEMS)
    other = measure.compute(item[p], annotator[p], times[p], label[p], n_items=N_ITEMS)
    np.testing.assert_allclose(other, one, atol=1e-5)


@every_measure
def test_names_of_items_and_annotators_do_not_matter(measure):
    item, annotator, times, label, _ = trials()
    rng = np.random.default_rng(2)
    items, annotators = rng.permutation(N_ITEMS), rng.permutation(N_ANNOTATORS)
    one = measure.compute(item, annotator, times, label, n_items=N_ITEMS)
    other = measure.compute(items[item], annotators[annotator], times, label, n_items=N_ITEMS)
    np.testing.assert_allclose(other[items], one, atol=1e-5)


# They compare times of different annotators as they are: that is their flaw, and why they are not the default.
COMPARE_RAW_TIMES = {"raw_mean_time", "geometric_mean_time", "ionescu_time"}


@every_measure
def test_an_annotator_twice_as_slow_throughout_leaves_the_ranks_but_of_raw_times(measure):
    item, annotator, times, label, _ = trials()
    one = measure.compute(item, annotator, times, label, n_items=N_ITEMS)
    other = measure.compute(item, annotator, np.where(annotator == 4, 2 * times, times), label, n_items=N_ITEMS)
    assert in_one_order(one, other) == (measure.name not in COMPARE_RAW_TIMES)


def in_one_order(one, other, room=1e-5):
    """Whether no two items change places by more than `room`."""
    return all(np.all(np.diff(b[np.argsort(a, kind="stable")]) >= -room) for a, b in ((one, other), (other, one)))


def flips(one, other):
    return 1 - spearmanr(one, other)[0]


@pytest.mark.parametrize("name", sorted(COMPARE_RAW_TIMES))
def test_raw_times_do_not_survive_an_annotator_twice_as_slow(name):
    item, annotator, times, label, _ = trials()
    measure = HUMAN_MEASURES[name]
    one = measure.compute(item, annotator, times, label, n_items=N_ITEMS)
    other = measure.compute(item, annotator, np.where(annotator == 4, 4 * times, times), label, n_items=N_ITEMS)
    assert flips(one, other) > 1e-3


WITH_ERROR = {"time": False, "time_and_labels": True}


@pytest.mark.parametrize("name", HUMAN_MEASURES)
def test_only_the_fits_state_a_standard_error(name):
    # the others have none that evidence could raise: a measure that gains one must join the test below
    assert (name in WITH_ERROR) == name.startswith("time")


@pytest.mark.parametrize("name", WITH_ERROR)
def test_more_evidence_on_an_item_never_raises_its_standard_error(name):
    item, annotator, times, label, _ = trials(3)
    more = {"label": label} if WITH_ERROR[name] else {}
    one = fit_response_times(item, annotator, times, n_items=N_ITEMS, **more)
    # every trial twice: the same evidence of everything else, twice that of each item
    twice = {key: np.concatenate([values, values]) for key, values in more.items()}
    both = fit_response_times(
        np.concatenate([item, item]), np.concatenate([annotator, annotator + N_ANNOTATORS]),
        np.concatenate([times, times]), n_items=N_ITEMS, **twice,
    )  # fmt: skip
    assert (both.item_se / both.item_sd <= one.item_se / one.item_sd).all()


@every_measure
def test_an_item_without_trials_is_nan_and_no_other_is(measure):
    item, annotator, times, label, _ = trials()
    score = measure.compute(item, annotator, times, label, n_items=N_ITEMS + 1)
    assert np.isnan(score[-1])
    assert np.isfinite(score[:-1]).all()


@every_measure
def test_codes_out_of_range_are_refused(measure):
    item, annotator, times, label, _ = trials()
    with pytest.raises(BadTrials, match="code_out_of_range"):
        measure.compute(item, annotator, times, label, n_items=N_ITEMS - 1)


@every_measure
def test_every_measure_describes_itself(measure):
    assert measure.title and measure.formula and measure.meaning and measure.range
    if "labels" in measure.needs:
        with pytest.raises(BadTrials, match="labels_missing"):
            measure.compute([0], [0], [500.0])


@pytest.mark.parametrize("name", WITH_ERROR)
def test_one_more_judgment_never_raises_the_standard_error_of_its_item(name):
    # held against the spread of the items, which one trial moves as well
    item, annotator, times, label, _ = trials(4)
    more = {"label": label} if WITH_ERROR[name] else {}
    one = fit_response_times(item, annotator, times, n_items=N_ITEMS, **more)
    for at in range(0, item.size, 41):
        extra = {key: np.append(values, values[at]) for key, values in more.items()}
        who = next(j for j in range(N_ANNOTATORS) if j not in annotator[item == item[at]])
        fit = fit_response_times(
            np.append(item, item[at]), np.append(annotator, who), np.append(times, 1500.0), n_items=N_ITEMS, **extra
        )
        code = item[at]
        assert fit.item_se[code] / fit.item_sd < one.item_se[code] / one.item_sd


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_small_design_gives_finite_numbers_or_nan(data):
    n = data.draw(st.integers(1, 12))
    codes = st.lists(st.integers(0, 4), min_size=n, max_size=n)
    times = st.lists(st.floats(1, 1e5) | st.just(float("nan")), min_size=n, max_size=n)
    item = data.draw(codes)
    label = data.draw(st.none() | st.lists(st.integers(-1, 2), min_size=n, max_size=n))
    try:
        fit = fit_response_times(item, data.draw(codes), data.draw(times), label=label, n_items=5)
    except BadTrials as error:
        assert error.name == "page_level_times"
        return
    judged = np.bincount(item, minlength=5) > 0
    assert np.isnan(fit.item_effect[~judged]).all()
    if "no_times" not in {caution.name for caution in fit.warnings}:
        assert np.isfinite(fit.item_effect[judged]).all()
        assert (fit.item_se[judged] >= 0).all()


# Measures of models ---------------------------------------------------------------------------------------------------


def predictions(n_classes, n=80, n_epochs=4, seed=0):
    """Probabilities of every epoch (the last one counts as out of fold), labels, features."""
    rng = np.random.default_rng(seed)
    given_labels = rng.integers(0, n_classes, n)
    given_labels[::17] = -1
    logits = rng.normal(0, 1, (n_epochs, n, n_classes))
    logits[:, np.arange(n), given_labels] += np.linspace(0.2, 1.5, n_epochs)[:, None]
    epochs = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    return epochs, given_labels, rng.normal(0, 1, (n, 5))


MODEL_SCORES = {
    **{
        name: lambda epochs, labels, features, measure=measure: measure.compute(epochs[-1], labels)
        for name, measure in MODEL_MEASURES.items()
    },
    "grand_last_layer": lambda epochs, labels, features: grand_last_layer(epochs[-1], labels, features),
    "kdn": lambda epochs, labels, features: kdn(features, labels),
    "instance_hardness": lambda epochs, labels, features: instance_hardness(epochs, labels),
    "variability": lambda epochs, labels, features: training_dynamics(epochs, labels).variability,
    "inverse_confidence": lambda epochs, labels, features: training_dynamics(epochs, labels).inverse_confidence,
    "forgetting": lambda epochs, labels, features: training_dynamics(epochs, labels).forgetting,
    "negated_aum": lambda epochs, labels, features: negated_aum(np.log(epochs), labels),
}
every_model_measure = pytest.mark.parametrize("name", MODEL_SCORES)


def scores_of(name):
    """The measure, and what it is tested on: two classes where there can be no more."""
    return MODEL_SCORES[name], predictions(2 if name == "band" else 4)


def test_no_measure_of_models_is_left_out():
    assert set(MODEL_SCORES) == set(DESCRIPTIONS)


@every_model_measure
def test_the_order_of_items_does_not_matter_to_models(name):
    score, (epochs, labels, features) = scores_of(name)
    one = score(epochs, labels, features)
    assert np.unique(one[~np.isnan(one)]).size > 3
    p = np.random.default_rng(1).permutation(labels.size)
    np.testing.assert_array_equal(score(epochs[:, p], labels[p], features[p]), one[p])


@every_model_measure
def test_the_names_of_classes_do_not_matter_to_models(name):
    score, (epochs, labels, features) = scores_of(name)
    new_place = np.random.default_rng(2).permutation(epochs.shape[2])[::-1]
    renamed = np.empty_like(epochs)
    renamed[:, :, new_place] = epochs
    other = score(renamed, np.where(labels >= 0, new_place[labels], -1), features)
    np.testing.assert_allclose(other, score(epochs, labels, features), atol=1e-12)


@every_model_measure
def test_only_measures_that_know_the_label_change_with_it(name):
    score, (epochs, labels, features) = scores_of(name)
    one = score(epochs, labels, features)
    other = score(epochs, np.where(labels >= 0, (labels + 1) % epochs.shape[2], -1), features)
    assert np.array_equal(one, other, equal_nan=True) == (not DESCRIPTIONS[name].needs_label or name == "kdn")
    assert np.isnan(one[labels < 0]).all() == DESCRIPTIONS[name].needs_label


FALL_WITH_BELIEF = {
    "loss", "focal_loss", "normalized_margin", "el2n", "grand_last_layer", "instance_hardness", "inverse_confidence",
    "negated_aum",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(FALL_WITH_BELIEF))
def test_more_belief_in_the_label_never_makes_an_item_harder(name):
    score, (epochs, labels, features) = scores_of(name)
    surer = 0.7 * epochs + 0.3 * np.eye(epochs.shape[2])[labels]
    one, other = score(epochs, labels, features), score(surer, labels, features)
    known = labels >= 0
    assert (other[known] < one[known]).all()
