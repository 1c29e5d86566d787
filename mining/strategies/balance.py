"""The imbalance family as an experiment: a learner as it is, balanced, and balanced at random, on one held-out test.

Class weights and repeated, dropped or invented items change two things at once: how much the learner sees of each
class, and how much in all. The control changes only the second, so that what is left is what balance itself does.
Judged by the mean recall of the classes: where classes differ in size, accuracy hardly hears of the small ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mining.learners.errors import LearnerError
from mining.learners.learner import Features, Learner, Scorer, TrainingSet
from mining.learners.resampling import balanced_weight, resampled, smote_keeping_shares
from mining.strategies.retraining import ARMS, MEAN_RECALL, Experiment, FloatArray, IntArray, check_test, judge_arms


@dataclass(frozen=True)
class BalanceStrategy:
    name: str
    title: str
    description: str
    reference: str
    settings: dict[str, str]
    """What the learner is configured with."""


BALANCE_STRATEGIES: dict[str, BalanceStrategy] = {
    strategy.name: strategy
    for strategy in (
        BalanceStrategy(
            "class_weights",
            "Class weights",
            "Every class weighs the same in all, however many items it has.",
            "King & Zeng 2001",
            {"class_weight": "balanced"},
        ),
        BalanceStrategy(
            "oversampling",
            "Repeat items of small classes",
            "Items of small classes are drawn again until all classes are as large as the largest.",
            "Japkowicz & Stephen 2002",
            {"resampling": "over"},
        ),
        BalanceStrategy(
            "undersampling",
            "Drop items of large classes",
            "Items of large classes are left out until all classes are as small as the smallest.",
            "Japkowicz & Stephen 2002",
            {"resampling": "under"},
        ),
        BalanceStrategy(
            "smote",
            "SMOTE",
            "Items are invented between neighbours of a small class until all classes are as large as the largest.",
            "Chawla, Bowyer, Hall & Kegelmeyer 2002",
            {"resampling": "smote"},
        ),
    )
}


def balance_experiment(
    name: str,
    features: Features,
    given: npt.ArrayLike,
    *,
    train: npt.ArrayLike,
    heldout: npt.ArrayLike,
    learner: Learner,
    n_classes: int,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    on_progress: Callable[[int, int], None] | None = None,
) -> Experiment:
    """Train the three arms with each seed and compare them by the mean recall of the classes.

    Whatever balance the learner itself was configured with is taken out of all arms first. Raises `LearnerError` for a
    test that decides nothing, and where a class is too small for the method.
    """
    codes = np.asarray(given, dtype=np.int64)
    in_train = np.asarray(train, dtype=bool) & (codes >= 0)
    in_test = np.asarray(heldout, dtype=bool) & (codes >= 0)
    notes = check_test(in_train, in_test, codes, n_classes)
    rows, test = np.flatnonzero(in_train), np.flatnonzero(in_test)
    plain = learner.configured(class_weight="none", resampling="none")
    learners = {
        "baseline": plain,
        "hard_set": plain.configured(**BALANCE_STRATEGIES[name].settings),
        "random_control": replace(plain, train=_at_random(plain, name)),
    }
    answers: dict[str, list[FloatArray]] = {arm: [] for arm in ARMS}
    total, done = len(seeds) * len(ARMS), 0
    for seed in seeds:
        for arm in ARMS:
            model = learners[arm].fit(features[rows], codes[rows], n_classes=n_classes, seed=int(seed))
            answers[arm].append(model.probabilities(features[test]))
            done += 1
            if on_progress is not None:
                on_progress(done, total)
    return judge_arms(answers, codes[test], len(rows), len(rows), tuple(notes), judged_by=MEAN_RECALL)


def _at_random(learner: Learner, name: str) -> Callable[[TrainingSet], Scorer]:
    """Return a `train` that does to items at random what the strategy does to those of small or large classes.

    It sits where the strategy does, inside every training set that the learner makes, its inner folds included.
    """

    def train(data: TrainingSet) -> Scorer:
        generator = np.random.default_rng([data.seed, 30_011])
        if name == "class_weights":
            return learner.train(replace(data, weight=generator.permutation(balanced_weight(data.codes))))
        if name == "smote":
            features, codes = smote_keeping_shares(data.features, data.codes, data.seed)
            return learner.train(replace(data, features=features, codes=codes))
        method = BALANCE_STRATEGIES[name].settings["resampling"]
        places = np.arange(len(data.codes), dtype=np.float64)[:, None]
        drawn = resampled(places, generator.permutation(data.codes), None, method, data.seed)[0][:, 0].astype(np.int64)
        return _train_on(learner, data, drawn)

    return train


def _train_on(learner: Learner, data: TrainingSet, rows: IntArray) -> Scorer:
    """Train on some of the rows; a class that has none of them is answered as one that does not occur."""
    classes, codes = np.unique(data.codes[rows], return_inverse=True)
    if len(classes) < 2:
        raise LearnerError("as many items drawn at random are all of one class: the classes are too unequal for this")
    mine = replace(data, features=data.features[rows], codes=codes.astype(np.int64), n_classes=len(classes))
    scorer = learner.train(mine)
    absent = np.nan if learner.gives_decisions else 0.0

    def scores(features: Features) -> FloatArray:
        everyone = np.full((len(features), data.n_classes), absent)
        everyone[:, classes] = scorer(features)
        return everyone

    return scores
