"""Retraining as an experiment that can say no.

Three arms learn from the same training set and are judged on the same held-out clean test: as it is (baseline), with
the hard set weighing more, and with as many random items weighing more (control). What the hard set does must beat what
any extra weight does, over several seeds; an improvement whose interval holds zero is not called one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mining.comparison.intervals import LEVEL, percentile_interval
from mining.learners.errors import LearnerError
from mining.learners.learner import Features, Learner
from mining.strategies.quality import Quality, measure_quality
from mining.strategies.quality_intervals import QualityIntervals, quality_intervals
from mining.strategies.resamples import mean_over, paired_resamples, sums_by_class

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
OnProgress = Callable[[int, int], None]

ARMS = ("baseline", "hard_set", "random_control")
BETTER, WORSE, NO_DIFFERENCE = "better", "worse", "no difference shown"
ACCURACY, MEAN_RECALL = "accuracy", "mean_recall"
"""What arms are judged by: the share of items that are right, or the mean of that share over the classes."""
N_RESAMPLES = 2000
FEWEST_TEST_ITEMS = 10


@dataclass(frozen=True)
class Difference:
    """Accuracy (or mean recall) of one arm minus that of another, with its interval over test items and seeds."""

    value: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        if self.low > 0.0:
            return BETTER
        return WORSE if self.high < 0.0 else NO_DIFFERENCE


@dataclass(frozen=True)
class Arm:
    name: str
    by_seed: tuple[Quality, ...]
    accuracy: float
    recall_by_class: FloatArray
    worst_class: int
    worst_recall: float
    mean_recall: float
    """Mean over the classes that the test has: balanced accuracy."""
    calibration_error: float
    intervals: QualityIntervals


@dataclass(frozen=True)
class Experiment:
    arms: dict[str, Arm]
    hard_minus_baseline: Difference
    hard_minus_control: Difference
    verdict: str
    """See `overall_verdict`."""
    n_train: int
    n_test: int
    n_hard: int
    n_seeds: int
    warnings: tuple[str, ...]
    judged_by: str = ACCURACY


def retraining_experiment(
    features: Features,
    given: npt.ArrayLike,
    *,
    train: npt.ArrayLike,
    heldout: npt.ArrayLike,
    hard: npt.ArrayLike,
    learner: Learner,
    n_classes: int,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    weight: float = 3.0,
    oversample: bool = False,
    exclude: npt.ArrayLike | None = None,
    baselines: dict[int, FloatArray] | None = None,
    on_progress: OnProgress | None = None,
) -> Experiment:
    """Train the three arms with each seed and compare them.

    `features` (n, d); `given` (n,) codes, -1 = no label; `train` and `heldout` (n,) bool, apart; `hard` row numbers of
    the hard set. Hard items inside `train` get `weight` instead of 1; those outside (new items) are added with
    `weight`, and the control draws as many from the same two pools. With `oversample` they are shown `weight` times,
    a whole number, instead of weighing so much: for learners that take no weights. `exclude` (n,) bool keeps items out
    of every arm but the baseline's pool (what the noise gate stopped gets no extra weight; pass the gated hard set).
    `baselines` keeps the (n_test, K) answers of the baseline by seed: pass the same one to all experiments on the same
    data, split and learner, and the baseline is trained once for all of them.
    Raises `LearnerError` for an empty hard set, a test that is too small, or arms that overlap the test.
    """
    codes = np.asarray(given, dtype=np.int64)
    in_train = np.asarray(train, dtype=bool) & (codes >= 0)
    in_test = np.asarray(heldout, dtype=bool) & (codes >= 0)
    chosen = np.unique(np.asarray(hard, dtype=np.int64))
    stopped = np.zeros(len(codes), dtype=bool) if exclude is None else np.asarray(exclude, dtype=bool)
    chosen = chosen[(codes[chosen] >= 0) & ~stopped[chosen]]
    notes = [*_check_hard(in_train, in_test, chosen), *check_test(in_train, in_test, codes, n_classes)]
    answers: dict[str, list[FloatArray]] = {arm: [] for arm in ARMS}
    test = np.flatnonzero(in_test)
    total, done = len(seeds) * len(ARMS), 0
    for seed in seeds:
        picks = {
            "baseline": np.zeros(0, dtype=np.int64),
            "hard_set": chosen,
            "random_control": random_control(chosen, in_train, in_test | stopped, codes, seed),
        }
        for arm, extra in picks.items():
            if arm == "baseline" and baselines is not None and seed in baselines:
                answers[arm].append(baselines[seed])
                done += 1
                continue
            rows, weights = _training_rows(in_train, extra, weight)
            if oversample:
                rows = np.repeat(rows, np.maximum(1, np.rint(weights)).astype(np.int64))
            # No weights at all for the baseline: not every learner and resampling takes them, and it needs none.
            model = learner.fit(
                features[rows],
                codes[rows],
                n_classes=n_classes,
                sample_weight=None if arm == "baseline" or oversample else weights,
                seed=int(seed),
                groups=rows,
            )
            answers[arm].append(model.probabilities(features[test]))
            if arm == "baseline" and baselines is not None:
                baselines[seed] = answers[arm][-1]
            done += 1
            if on_progress is not None:
                on_progress(done, total)
    return judge_arms(answers, codes[test], int(in_train.sum()), len(chosen), tuple(notes))


def random_control(hard: IntArray, train: BoolArray, barred: BoolArray, codes: IntArray, seed: int) -> IntArray:
    """Draw as many items as the hard set has, from where it has them: inside the training set, and outside."""
    generator = np.random.default_rng([int(seed), 20_011])
    inside = int(train[hard].sum())
    outside = len(hard) - inside
    pool_in = np.flatnonzero(train & ~barred)
    pool_out = np.flatnonzero(~train & ~barred & (codes >= 0))
    drawn = [
        generator.choice(pool, min(count, len(pool)), replace=False)
        for pool, count in ((pool_in, inside), (pool_out, outside))
    ]
    return np.sort(np.concatenate(drawn)).astype(np.int64)


def _training_rows(train: BoolArray, extra: IntArray, weight: float) -> tuple[IntArray, FloatArray]:
    weights = train.astype(np.float64)
    weights[extra] = weight
    rows = np.flatnonzero(weights > 0.0).astype(np.int64)
    return rows, weights[rows]


def _check_hard(train: BoolArray, test: BoolArray, hard: IntArray) -> list[str]:
    if len(hard) == 0:
        raise LearnerError("the hard set holds no labelled item that may be trained on: there is nothing to try")
    if (train & test).any():
        return []  # `check_test` says so
    if test[hard].any():
        raise LearnerError(
            f"{int(test[hard].sum())} items of the hard set are in the held-out test, which mining never sees"
        )
    if len(hard) > train.sum() / 2:
        return ["the hard set is more than half of the training set: the control can hardly differ from it"]
    return []


def check_test(train: BoolArray, test: BoolArray, codes: IntArray, n_classes: int) -> list[str]:
    """Return what is to be said of the held-out test; raises `LearnerError` where it can decide nothing."""
    if (train & test).any():
        raise LearnerError(f"{int((train & test).sum())} items are in the training set and in the held-out test")
    if test.sum() < FEWEST_TEST_ITEMS:
        raise LearnerError(
            f"the held-out test has {int(test.sum())} labelled items; at least {FEWEST_TEST_ITEMS} are needed to see "
            "anything"
        )
    missing = np.flatnonzero(np.bincount(codes[test], minlength=n_classes) == 0)
    if len(missing) == 0:
        return []
    return [f"the held-out test has no item of class {', '.join(map(str, missing[:10]))}: nothing is known of it"]


def judge_arms(
    answers: dict[str, list[FloatArray]],
    truth: IntArray,
    n_train: int,
    n_hard: int,
    notes: tuple[str, ...],
    judged_by: str = ACCURACY,
) -> Experiment:
    """Compare the arms by their (n_test, K) probabilities, one table a seed."""
    right = {
        arm: np.stack([belief.argmax(axis=1) == truth for belief in beliefs]).astype(np.float64)
        for arm, beliefs in answers.items()
    }
    arms = {arm: _summarise(arm, answers[arm], truth) for arm in ARMS}
    classes = truth if judged_by == MEAN_RECALL else None
    against_baseline = paired_difference(right["hard_set"], right["baseline"], classes=classes)
    against_control = paired_difference(right["hard_set"], right["random_control"], classes=classes)
    return Experiment(
        arms=arms,
        hard_minus_baseline=against_baseline,
        hard_minus_control=against_control,
        verdict=overall_verdict(against_baseline.verdict, against_control.verdict),
        n_train=n_train,
        n_test=len(truth),
        n_hard=n_hard,
        n_seeds=len(right["baseline"]),
        warnings=notes,
        judged_by=judged_by,
    )


def overall_verdict(against_baseline: str, against_control: str) -> str:
    """Better: than both. Worse: than the baseline, or than the control without beating the baseline."""
    if against_baseline == WORSE or (against_control == WORSE and against_baseline != BETTER):
        return WORSE
    return BETTER if against_baseline == against_control == BETTER else NO_DIFFERENCE


def _summarise(name: str, beliefs: list[FloatArray], truth: IntArray) -> Arm:
    by_seed = [measure_quality(belief, truth) for belief in beliefs]
    recall = np.mean([quality.recall_by_class for quality in by_seed], axis=0)
    worst = int(np.nanargmin(recall))
    return Arm(
        name=name,
        by_seed=tuple(by_seed),
        accuracy=float(np.mean([quality.accuracy for quality in by_seed])),
        recall_by_class=recall,
        worst_class=worst,
        worst_recall=float(recall[worst]),
        mean_recall=float(np.nanmean(recall)),
        calibration_error=float(np.mean([quality.calibration_error for quality in by_seed])),
        intervals=quality_intervals(beliefs, truth),
    )


def paired_difference(
    first: FloatArray,
    second: FloatArray,
    *,
    classes: IntArray | None = None,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> Difference:
    """Mean difference of two (seeds, items) tables of right and wrong, with a bootstrap over seeds and items.

    Seeds and items are drawn independently of each other; an item keeps its pair, so what makes it hard for both arms
    cancels. With `classes` (n_items,) every class counts the same, however many items it has: mean recall.
    """
    gain = first - second
    n_seeds, n_items = gain.shape
    draws = np.empty(n_resamples)
    for rows, seeds, items in paired_resamples(n_seeds, n_items, n_resamples, seed):
        drawn = np.take_along_axis(mean_over(seeds, gain), items, axis=1)
        if classes is None:
            draws[rows] = drawn.mean(axis=1)
            continue
        count, total = sums_by_class(classes[items], None), sums_by_class(classes[items], drawn)
        draws[rows] = (total / np.maximum(count, 1)).sum(axis=1) / (count > 0).sum(axis=1)
    low, high = percentile_interval(draws, LEVEL)
    assert low is not None and high is not None
    return Difference(_mean(gain.mean(axis=0), classes), low, high)


def _mean(values: FloatArray, classes: IntArray | None) -> float:
    if classes is None:
        return float(values.mean())
    count = np.bincount(classes)
    seen = count > 0
    return float((np.bincount(classes, weights=values)[seen] / count[seen]).mean())
