"""Hard negative mining of a detector as an experiment: before, after, and beside as many random windows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mining.learners.errors import LearnerError
from mining.strategies.detection.det_curve import DetCurve, det_curve
from mining.strategies.detection.negative_mining import (
    Detector,
    GreyImage,
    MiningRound,
    MiningSettings,
    mine_negatives,
    random_windows,
    train_detector,
)
from mining.strategies.detection.scan import Window

FloatArray = npt.NDArray[np.float64]

N_TEST_WINDOWS = 20_000
FEWEST_POSITIVES = 10
BEFORE, CONTROL = "before", "control"


@dataclass(frozen=True)
class Judged:
    """A detector on positives and windows that mining never saw."""

    name: str
    """`before`, `round 1`, …, `control`: as many random negatives as the last round had."""
    n_negatives: int
    false_positive_rate: float
    """Per window, at threshold 0."""
    miss_rate: float
    """At threshold 0."""
    curve: DetCurve


@dataclass(frozen=True)
class DetectorExperiment:
    judged: tuple[Judged, ...]
    rounds: tuple[MiningRound, ...]
    n_train: int
    n_test: int
    n_test_windows: int


def detector_experiment(
    train: npt.NDArray[np.floating],
    test: npt.NDArray[np.floating],
    mined: Sequence[GreyImage],
    tested: Sequence[GreyImage],
    window: Window,
    *,
    settings: MiningSettings | None = None,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> DetectorExperiment:
    """Mine the `mined` grey images with the `train` positives; judge on the `test` positives and `tested` images.

    `train`, `test` (n, window.n_features) are HOG of windows that hold the object; none of the images holds one. Raises
    `LearnerError` for too few positives and where no image is as large as the window.
    """
    for part, positives in (("training", train), ("test", test)):
        if len(positives) < FEWEST_POSITIVES:
            raise LearnerError(f"there are {len(positives)} objects for {part}; at least {FEWEST_POSITIVES} are needed")
    chosen = settings or MiningSettings()
    windows, _ = random_windows(tested, window, N_TEST_WINDOWS, step=chosen.pyramid_step, seed=seed + 1)
    result = mine_negatives(train, mined, window, settings=chosen, seed=seed, on_progress=on_progress)
    n_last = len(result.negatives)
    control, _ = random_windows(mined, window, n_last, step=chosen.pyramid_step, seed=seed + 2)
    beside = train_detector(train, control, window, cost=chosen.cost, balanced=chosen.balanced, seed=seed)
    detectors: list[tuple[str, Detector, int]] = [
        (BEFORE, result.first, min(chosen.first_negatives, chosen.budget)),
        *((f"round {turn.number - 1}", turn.detector, result.rounds[turn.number - 2].n_negatives)
          for turn in result.rounds[1:]),
        (f"round {len(result.rounds)}", result.detector, n_last),
        (CONTROL, beside, n_last),
    ]  # fmt: skip
    judged = [_judge(name, detector, count, test, windows) for name, detector, count in detectors]
    if result.rounds[-1].n_new == 0 and len(result.rounds) > 1:
        # The last round found nothing: its detector is that of the round before.
        judged = [one for one in judged if one.name != f"round {len(result.rounds)}"]
    return DetectorExperiment(tuple(judged), result.rounds, len(train), len(test), len(windows))


def _judge(
    name: str, detector: Detector, count: int, test: npt.NDArray[np.floating], windows: npt.NDArray[np.floating]
) -> Judged:
    found, false = detector.scores(test), detector.scores(windows)
    return Judged(name, count, float(np.mean(false >= 0.0)), float(np.mean(found < 0.0)), det_curve(found, false))


def thinned(curve: DetCurve, n_points: int = 80) -> DetCurve:
    """Return the curve at about `n_points` false positive rates, evenly on a logarithmic axis: enough to draw."""
    shown = np.flatnonzero(curve.false_positive_rate > 0.0)
    if len(shown) == 0:
        return replace(curve, threshold=curve.threshold[:0], false_positive_rate=curve.false_positive_rate[:0],
                       miss_rate=curve.miss_rate[:0])  # fmt: skip
    rates = curve.false_positive_rate[shown]
    wanted = np.geomspace(rates[0], rates[-1], n_points)
    # The last threshold at a rate misses least: that is the point of the curve.
    kept = shown[np.unique(np.maximum(0, np.searchsorted(rates, wanted * (1 + 1e-9), side="right") - 1))]
    return DetCurve(curve.threshold[kept], curve.false_positive_rate[kept], curve.miss_rate[kept])
