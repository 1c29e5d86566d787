"""Online strategies as an experiment: uniform training, the strategy, and its random control, on one held-out test."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mining.learners.learner import Features
from mining.learners.softmax_head import HeadSettings
from mining.strategies.online.training import train_online
from mining.strategies.retraining import ARMS, Experiment, FloatArray, check_test, judge_arms


def online_experiment(
    name: str,
    features: Features,
    given: npt.ArrayLike,
    *,
    train: npt.ArrayLike,
    heldout: npt.ArrayLike,
    n_classes: int,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    settings: HeadSettings | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    **about_items: npt.ArrayLike | None,
) -> Experiment:
    """Train the three arms with each seed and compare them as `retraining_experiment` does.

    The baseline is uniform training; the control deals the strategy's own weights to items at random, so that it
    differs from the strategy in nothing but which items they fall on. All three take as many steps on as many items.
    `about_items` are (n,) or (n, 4) columns of all items for `train_online`: boxes, image, difficulty. Raises
    `LearnerError` as that does.
    """
    codes = np.asarray(given, dtype=np.int64)
    in_train = np.asarray(train, dtype=bool) & (codes >= 0)
    in_test = np.asarray(heldout, dtype=bool) & (codes >= 0)
    notes = check_test(in_train, in_test, codes, n_classes)
    rows, test = np.flatnonzero(in_train), np.flatnonzero(in_test)
    mine: dict[str, Any] = {key: np.asarray(value)[rows] for key, value in about_items.items() if value is not None}
    answers: dict[str, list[FloatArray]] = {arm: [] for arm in ARMS}
    total, done = len(seeds) * len(ARMS), 0
    for seed in seeds:
        for arm in ARMS:
            head = train_online(
                "uniform" if arm == "baseline" else name,
                features[rows],
                codes[rows],
                n_classes=n_classes,
                settings=settings,
                seed=int(seed),
                at_random=arm == "random_control",
                **mine,
            )
            answers[arm].append(head.probabilities(features[test]))
            done += 1
            if on_progress is not None:
                on_progress(done, total)
    return judge_arms(answers, codes[test], len(rows), len(rows), tuple(notes))
