"""Synthetic annotators with known truth: what they answer and how long they take follows from what is put in.

Pure arrays: `annotations.services.synthetic_trials` writes them into a project. For the demo, tests and power
analyses; never a substitute for people, and marked as synthetic wherever it appears.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FASTEST_MS = 200.0


@dataclass(frozen=True, slots=True)
class SyntheticAnnotator:
    """How somebody works.

    `slowness` is added to the logarithm of their times; `noise_sd` is the SD of its noise; `practice` is how much
    slower (in log-seconds) the first trial is than the last, fading by `practice_trials`; `lapse_rate` is the share of
    trials in which they look away for a while; `skill` is subtracted from the difficulty when it comes to errors.
    """

    name: str
    slowness: float = 0.0
    noise_sd: float = 0.25
    practice: float = 0.3
    practice_trials: float = 40.0
    lapse_rate: float = 0.02
    skill: float = 0.0


@dataclass(frozen=True)
class SimulatedTrials:
    """Trials as columns, all of shape (n_trials,), sorted by annotator and position.

    `item` and `annotator` are row numbers of what was put in, `position` is 1-based, `label` a class code,
    `response_ms` milliseconds, `lapsed` whether they looked away.
    """

    item: NDArray[np.int64]
    annotator: NDArray[np.int64]
    position: NDArray[np.int64]
    label: NDArray[np.int64]
    response_ms: NDArray[np.float64]
    lapsed: NDArray[np.bool_]


def make_annotators(n: int, *, seed: int = 0) -> list[SyntheticAnnotator]:
    """Return `n` annotators who differ as people do: slowness SD .25, noise .18 to .35, skill SD .3."""
    rng = np.random.default_rng([seed, 1])
    return [
        SyntheticAnnotator(
            name=f"Synthetic {index + 1}",
            slowness=float(rng.normal(0, 0.25)),
            noise_sd=float(rng.uniform(0.18, 0.35)),
            practice=float(rng.uniform(0.15, 0.5)),
            lapse_rate=float(rng.uniform(0.0, 0.04)),
            skill=float(rng.normal(0, 0.3)),
        )
        for index in range(n)
    ]


def simulate(
    *,
    difficulty: ArrayLike,
    truth: ArrayLike,
    rival: ArrayLike,
    annotators: Sequence[SyntheticAnnotator],
    judged: ArrayLike | None = None,
    seed: int = 0,
    base_ms: float = 900.0,
    time_sd: float = 0.3,
    error_rate: float = 0.03,
    error_slope: float = 1.3,
) -> SimulatedTrials:
    """Let each annotator judge each item of `judged` (row numbers; all by default) once, in an order of their own.

    `difficulty` (n_items,) in SDs, `truth` and `rival` (n_items,) class codes: what it is, and what it is taken for
    in an error. One SD of difficulty makes times exp(`time_sd`) times as long and multiplies the odds of an error,
    `error_rate` at difficulty 0, by exp(`error_slope`). The same seed gives the same trials, and those of one
    annotator do not depend on who else there is. Raises ValueError for shapes that do not fit.
    """
    hard = np.asarray(difficulty, dtype=np.float64)
    true, other = np.asarray(truth, dtype=np.int64), np.asarray(rival, dtype=np.int64)
    if hard.ndim != 1 or true.shape != hard.shape or other.shape != hard.shape:
        raise ValueError(f"difficulty {hard.shape}, truth {true.shape} and rival {other.shape} must be (n_items,).")
    rows = np.arange(len(hard)) if judged is None else np.asarray(judged, dtype=np.int64)
    parts = [
        _trials_of(
            annotator, hard, true, other, rows, np.random.default_rng([seed, 2, index]),
            base_ms, time_sd, error_rate, error_slope,
        )
        for index, annotator in enumerate(annotators)
    ]  # fmt: skip
    empty = SimulatedTrials(*(np.empty(0, kind) for kind in (int, int, int, int, float, bool)))
    numbered = [np.full(len(part.item), index) for index, part in enumerate(parts)]
    parts = parts or [empty]
    return SimulatedTrials(
        item=np.concatenate([part.item for part in parts]),
        annotator=np.concatenate(numbered) if numbered else empty.annotator,
        position=np.concatenate([part.position for part in parts]),
        label=np.concatenate([part.label for part in parts]),
        response_ms=np.concatenate([part.response_ms for part in parts]),
        lapsed=np.concatenate([part.lapsed for part in parts]),
    )


def _trials_of(
    annotator: SyntheticAnnotator,
    difficulty: NDArray[np.float64],
    truth: NDArray[np.int64],
    rival: NDArray[np.int64],
    judged: NDArray[np.int64],
    rng: np.random.Generator,
    base_ms: float,
    time_sd: float,
    error_rate: float,
    error_slope: float,
) -> SimulatedTrials:
    item = rng.permutation(judged)
    n = len(item)
    position = np.arange(1, n + 1)
    lapsed = rng.random(n) < annotator.lapse_rate
    log_ms = (
        np.log(base_ms)
        + time_sd * difficulty[item]
        + annotator.slowness
        + annotator.practice * np.exp(-(position - 1) / annotator.practice_trials)
        + rng.normal(0, annotator.noise_sd, n)
        + np.where(lapsed, rng.uniform(1.0, 2.5, n), 0.0)
    )
    odds = np.log(error_rate / (1 - error_rate)) + error_slope * (difficulty[item] - annotator.skill)
    wrong = rng.random(n) < 1 / (1 + np.exp(-odds))
    return SimulatedTrials(
        item=item,
        annotator=np.zeros(n, dtype=np.int64),
        position=position,
        label=np.where(wrong, rival[item], truth[item]),
        response_ms=np.maximum(np.exp(log_ms), FASTEST_MS),
        lapsed=lapsed,
    )


def difficulty_from_features(
    features: ArrayLike, truth: ArrayLike, *, seed: int = 0, own_share: float = 0.6
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return a difficulty in SDs and the rival class of each item, from how the items really look.

    An item is hard that is nearly as far from the mean of its own class as from the nearest other class's mean.
    `own_share` of the variance comes from that, the rest is random: people find things hard that no feature shows.
    `features`: (n_items, n_features); `truth`: (n_items,) codes 0 to K - 1 with K >= 2.
    """
    x = np.asarray(features, dtype=np.float64)
    codes = np.asarray(truth, dtype=np.int64)
    means = np.stack([x[codes == code].mean(axis=0) for code in range(codes.max() + 1)])
    squared = (x**2).sum(axis=1)[:, None] - 2 * x @ means.T + (means**2).sum(axis=1)[None, :]
    distance = np.sqrt(np.maximum(squared, 0))
    rows = np.arange(len(x))
    own = distance[rows, codes].copy()
    distance[rows, codes] = np.inf
    rival = distance.argmin(axis=1)
    closeness = own / np.maximum(distance[rows, rival], 1e-12)
    chance = np.random.default_rng([seed, 3]).normal(size=len(x))
    mixed = np.sqrt(own_share) * _standard(closeness) + np.sqrt(1 - own_share) * chance
    return _standard(mixed), rival.astype(np.int64)


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = float(values.std())
    return (values - values.mean()) / (spread if spread > 0 else 1.0)
