"""Hard negative mining as it was first done: train, scan everything that holds no object, add what was taken for one,
train again.

Dalal & Triggs 2005. They did it once ("additional rounds make little difference"): here the number of rounds is a
parameter, and mining stops by itself when a round finds nothing new.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mining.learners.errors import LearnerError
from mining.learners.one_thread import one_thread
from mining.learners.resampling import balanced_weight
from mining.strategies.detection.scan import Level, Window, scan_levels, score_level, window_features

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Float32Array = npt.NDArray[np.float32]
GreyImage = npt.NDArray[np.generic]

COST = 0.01
"""C of the linear SVM, as in the paper."""


@dataclass(frozen=True)
class MiningSettings:
    rounds: int = 2
    first_negatives: int = 500
    """Random windows of the first training."""
    budget: int = 20_000
    """Most negatives kept: beyond it the easiest go."""
    most_new: int = 5_000
    """Most false positives added in a round, the worst first."""
    threshold: float = 0.0
    """Score from which a window counts as a false positive."""
    pyramid_step: float = 1.25
    cost: float = COST
    balanced: bool = True
    """Give positives and negatives the same total weight: with many negatives threshold 0 would else miss
    everything.
    """


@dataclass(frozen=True)
class Detector:
    window: Window
    weights: FloatArray
    offset: float

    def scores(self, features: npt.NDArray[np.floating]) -> FloatArray:
        """Score (n, d) HOG of windows; above 0 is taken for an object."""
        return np.asarray(features @ self.weights + self.offset)


@dataclass(frozen=True)
class MiningRound:
    """One turn: the detector it began with, what that one found, and the negatives after it."""

    number: int
    detector: Detector
    n_windows: int
    n_false_positives: int
    n_new: int
    n_negatives: int


@dataclass(frozen=True)
class MiningResult:
    detector: Detector
    """Trained on all that was found."""
    rounds: tuple[MiningRound, ...]
    first: Detector
    """Trained on random negatives only."""
    negatives: Float32Array
    places: IntArray
    """(m, 4) of each negative: image, level, row, column."""


def mine_negatives(
    positives: npt.NDArray[np.floating],
    images: Sequence[GreyImage],
    window: Window,
    *,
    settings: MiningSettings | None = None,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> MiningResult:
    """Mine the grey `images`, none of which holds an object, for windows that look like the `positives` (p,
    n_features).
    """
    chosen = settings or MiningSettings()
    if positives.ndim != 2 or positives.shape[1] != window.n_features or len(positives) < 2:
        raise LearnerError(
            f"positives has shape {positives.shape}; at least two windows of {window.n_features} numbers are needed"
        )
    n_first = min(chosen.first_negatives, chosen.budget)
    negatives, places = random_windows(images, window, n_first, step=chosen.pyramid_step, seed=seed)
    first = detector = train_detector(
        positives, negatives, window, cost=chosen.cost, balanced=chosen.balanced, seed=seed
    )
    rounds: list[MiningRound] = []
    total = chosen.rounds * len(images)
    for number in range(1, chosen.rounds + 1):
        known = {tuple(place) for place in places.tolist()}
        found = _Found(chosen.most_new)
        n_windows = n_false = 0
        for which, image in enumerate(images):
            for height, level in enumerate(scan_levels(image, window, step=chosen.pyramid_step)):
                scores = score_level(level, window, detector.weights, detector.offset)
                n_windows += scores.size
                rows, columns = np.nonzero(scores >= chosen.threshold)
                n_false += len(rows)
                fresh = [
                    spot
                    for spot in range(len(rows))
                    if (which, height, int(rows[spot]), int(columns[spot])) not in known
                ]
                found.add(
                    which, height, level, window, rows[fresh], columns[fresh], scores[rows[fresh], columns[fresh]]
                )
            if on_progress is not None:
                on_progress((number - 1) * len(images) + which + 1, total)
        new_features, new_places = found.worst(window)
        if len(new_places):
            negatives, places = np.concatenate([negatives, new_features]), np.concatenate([places, new_places])
            if len(negatives) > chosen.budget:
                kept = np.sort(np.argsort(-detector.scores(negatives), kind="stable")[: chosen.budget])
                negatives, places = negatives[kept], places[kept]
        rounds.append(MiningRound(number, detector, n_windows, n_false, len(new_places), len(negatives)))
        if len(new_places) == 0:
            break
        detector = train_detector(positives, negatives, window, cost=chosen.cost, balanced=chosen.balanced, seed=seed)
    return MiningResult(detector, tuple(rounds), first, negatives, places)


class _Found:
    """False positives of a round, of which only the worst are kept."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.features: list[Float32Array] = []
        self.places: list[IntArray] = []
        self.scores: list[FloatArray] = []

    def add(
        self,
        image: int,
        height: int,
        level: Level,
        window: Window,
        rows: npt.NDArray[np.intp],
        columns: npt.NDArray[np.intp],
        scores: FloatArray,
    ) -> None:
        if len(rows) == 0:
            return
        # One level may hold more than the whole round may keep.
        best = np.argsort(-scores, kind="stable")[: self.most]
        rows, columns, scores = rows[best], columns[best], scores[best]
        self.features.append(window_features(level, window, rows.astype(np.int64), columns.astype(np.int64)))
        where = np.stack([np.full(len(rows), image), np.full(len(rows), height), rows, columns], axis=1)
        self.places.append(where.astype(np.int64))
        self.scores.append(scores)
        if sum(len(part) for part in self.scores) > 2 * self.most:
            self._cut()

    def _cut(self) -> None:
        scores = np.concatenate(self.scores)
        best = np.argsort(-scores, kind="stable")[: self.most]
        self.features = [np.concatenate(self.features)[best]]
        self.places, self.scores = [np.concatenate(self.places)[best]], [scores[best]]

    def worst(self, window: Window) -> tuple[Float32Array, IntArray]:
        if not self.scores:
            return np.zeros((0, window.n_features), dtype=np.float32), np.zeros((0, 4), dtype=np.int64)
        self._cut()
        return self.features[0], self.places[0]


def train_detector(
    positives: npt.NDArray[np.floating],
    negatives: npt.NDArray[np.floating],
    window: Window,
    *,
    cost: float = COST,
    balanced: bool = True,
    seed: int = 0,
) -> Detector:
    """Train a linear SVM to part positive from negative windows; `balanced` gives both kinds the same total weight."""
    from sklearn.svm import LinearSVC

    features = np.concatenate([positives, negatives])
    codes = np.repeat([1, 0], [len(positives), len(negatives)])
    with one_thread():
        weight = balanced_weight(codes) if balanced else None
        model = LinearSVC(C=cost, random_state=seed, dual="auto", max_iter=5000)
        model.fit(features, codes, sample_weight=weight)
    return Detector(window, np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0]))


def random_windows(
    images: Sequence[GreyImage], window: Window, count: int, *, step: float = 1.25, seed: int = 0
) -> tuple[Float32Array, IntArray]:
    """Draw windows evenly from all places and sizes in all images: features (m, d) and places (m, 4)."""
    sizes = [
        (which, height, rows, columns)
        for which, image in enumerate(images)
        for height, (rows, columns) in enumerate(_level_sizes(image.shape, window, step))
    ]
    total = int(sum(rows * columns for *_, rows, columns in sizes))
    if total == 0:
        raise LearnerError("no image is as large as the window: there is nothing to scan")
    drawn = np.sort(np.random.default_rng(seed).choice(total, min(count, total), replace=False))
    features, places, start = [], [], 0
    by_image: dict[int, list[tuple[int, IntArray, IntArray]]] = {}
    for which, height, rows, columns in sizes:
        mine = drawn[(drawn >= start) & (drawn < start + rows * columns)] - start
        start += rows * columns
        if len(mine):
            by_image.setdefault(which, []).append((height, mine // columns, mine % columns))
    for which, wanted in by_image.items():
        levels = dict(enumerate(scan_levels(images[which], window, step=step)))
        for height, rows_at, columns_at in wanted:
            features.append(window_features(levels[height], window, rows_at, columns_at))
            where = [np.full(len(rows_at), which), np.full(len(rows_at), height), rows_at, columns_at]
            places.append(np.stack(where, axis=1).astype(np.int64))
    return np.concatenate(features), np.concatenate(places)


def _level_sizes(shape: tuple[int, ...], window: Window, step: float) -> Iterator[tuple[int, int]]:
    scale, cell = 1.0, window.pixels_per_cell
    while True:
        height, width = round(shape[0] / scale), round(shape[1] / scale)
        if height < window.height or width < window.width:
            return
        yield height // cell - window.cell_rows + 1, width // cell - window.cell_columns + 1
        scale *= step
