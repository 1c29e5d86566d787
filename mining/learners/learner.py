"""What a learner is: a named way to train on features and to give class probabilities over all K classes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mining.learners.calibration import SigmoidCalibration
from mining.learners.errors import LearnerError
from mining.learners.folds import group_folds
from mining.learners.one_thread import one_thread
from mining.learners.parameters import Parameter, Value, checked_parameters
from mining.learners.resampling import BALANCE_PARAMETERS, balanced_weight, resampled

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Features = npt.NDArray[np.floating]
Scorer = Callable[[Features], FloatArray]

CALIBRATION_FOLDS = 3


@dataclass(frozen=True)
class TrainingSet:
    """What a learner's `train` gets: only classes that occur, numbered without gaps; at least two of them."""

    features: Features
    codes: IntArray
    """(n,) in 0 .. n_classes - 1, every one of which occurs."""
    n_classes: int
    weight: FloatArray | None
    seed: int
    values: Mapping[str, Any]


@dataclass(frozen=True)
class FittedScores:
    """A trained model before calibration: `scores` are probabilities, or decision values to be calibrated."""

    scorer: Scorer
    classes: IntArray
    n_classes: int
    absent: float

    def scores(self, features: Features) -> FloatArray:
        """Score (n, d) features: (n, K); classes that the training set lacked hold `absent` (0, or NaN
        for decisions).
        """
        all_classes = np.full((len(features), self.n_classes), self.absent)
        if len(features):
            with one_thread():
                all_classes[:, self.classes] = self.scorer(features)
        return all_classes


@dataclass(frozen=True)
class FittedModel:
    """A trained model that gives probabilities."""

    fitted: FittedScores
    calibration: SigmoidCalibration | None

    def probabilities(self, features: Features) -> FloatArray:
        """Return (n, K) probabilities; rows sum to one; a class that the training set lacked has zero."""
        scores = self.fitted.scores(checked_features(features))
        return scores if self.calibration is None else self.calibration.probabilities(scores)


@dataclass(frozen=True)
class Learner:
    """A learner of the catalogue with its settings. `train(TrainingSet)` returns a function from features
    to scores.
    """

    name: str
    title: str
    description: str
    reference: str
    parameters: tuple[Parameter, ...]
    train: Callable[[TrainingSet], Scorer]
    gives_decisions: bool = False
    """True when scores are signed distances that have to be calibrated before they are probabilities."""
    cost: float = 1.0
    """About how long training takes beside logistic regression; who shares the work begins with the longest."""
    values: Mapping[str, Value] = field(default_factory=dict)

    def all_parameters(self) -> tuple[Parameter, ...]:
        """The learner's own parameters and those against imbalance that all learners share."""
        return (*self.parameters, *BALANCE_PARAMETERS)

    def configured(self, **values: Any) -> "Learner":
        """Return the same learner with these settings; raises `ParameterError` for an unknown name or a
        bad value.
        """
        return replace(self, values=checked_parameters(self.name, self.all_parameters(), {**self.values, **values}))

    def fit_scores(
        self,
        features: Features,
        given: npt.ArrayLike,
        *,
        n_classes: int,
        sample_weight: npt.ArrayLike | None = None,
        seed: int = 0,
    ) -> FittedScores:
        """Train once, without calibration. `features` (n, d); `given` (n,) codes below `n_classes`, all
        labelled.
        """
        values = dict(self.configured().values)
        matrix, codes = checked_training_set(features, given, n_classes)
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        if weight is not None and weight.shape != codes.shape:
            raise LearnerError(f"sample_weight has shape {weight.shape}; there are {len(codes)} items")
        if values["resampling"] != "none":
            matrix, codes, weight = resampled(matrix, codes, weight, str(values["resampling"]), seed)
        if values["class_weight"] == "balanced":
            weight = balanced_weight(codes, weight)
        classes, compact = np.unique(codes, return_inverse=True)
        with one_thread():
            scorer = self.train(TrainingSet(matrix, compact.astype(np.int64), len(classes), weight, seed, values))
        return FittedScores(scorer, classes, n_classes, np.nan if self.gives_decisions else 0.0)

    def fit(
        self,
        features: Features,
        given: npt.ArrayLike,
        *,
        n_classes: int,
        sample_weight: npt.ArrayLike | None = None,
        seed: int = 0,
        groups: npt.ArrayLike | None = None,
    ) -> FittedModel:
        """Train a model that gives probabilities of unseen items; decision values are calibrated by inner
        folds, which never part items of one of the `groups` (copies of an item, where it is shown more than once).
        """
        fitted = self.fit_scores(features, given, n_classes=n_classes, sample_weight=sample_weight, seed=seed)
        if not self.gives_decisions:
            return FittedModel(fitted, None)
        codes = np.asarray(given, dtype=np.int64)
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        group = np.asarray(np.arange(len(codes)) if groups is None else groups, dtype=np.int64)
        scores = self._inner_scores(np.asarray(features), codes, weight, n_classes, seed, group)
        if scores is None:
            scores = fitted.scores(np.asarray(features))
        return FittedModel(fitted, SigmoidCalibration.fitted(scores, codes, weight))

    def _inner_scores(
        self, features: Features, codes: IntArray, weight: FloatArray | None, n_classes: int, seed: int, group: IntArray
    ) -> FloatArray | None:
        """Decision values of items by models that did not see them, or None where a class is too small
        for folds.
        """
        separate = np.unique(np.stack([codes, group]), axis=1)[0]
        present = np.bincount(separate, minlength=n_classes)
        if present[present > 0].min() < CALIBRATION_FOLDS:
            return None
        fold = group_folds(codes, group, CALIBRATION_FOLDS, seed)
        scores = np.full((len(codes), n_classes), np.nan)
        for number in range(CALIBRATION_FOLDS):
            kept, held = fold != number, fold == number
            inner = self.fit_scores(
                features[kept],
                codes[kept],
                n_classes=n_classes,
                sample_weight=None if weight is None else weight[kept],
                seed=seed,
            )
            scores[held] = inner.scores(features[held])
        return scores


def checked_features(features: npt.ArrayLike) -> Features:
    """Return (n, d) finite features, or raise `LearnerError` naming the first bad row and column."""
    matrix = np.asarray(features)
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise LearnerError(f"features must have shape (items, numbers), not {matrix.shape}")
    if matrix.dtype.kind != "f":
        if matrix.dtype.kind not in "iub":
            raise LearnerError(f"features must be numbers, not {matrix.dtype}")
        matrix = matrix.astype(np.float64)
    # A sum is finite only when every term is; the slow search runs only after that failed.
    if matrix.size and not np.isfinite(matrix.sum(dtype=np.float64)) and not (finite := np.isfinite(matrix)).all():
        row, column = (int(place) for place in np.argwhere(~finite)[0])
        raise LearnerError(f"features has a value that is not finite in row {row}, column {column}")
    return matrix


def checked_training_set(features: npt.ArrayLike, given: npt.ArrayLike, n_classes: int) -> tuple[Features, IntArray]:
    """Return features and codes that something can be learnt from, or raise `LearnerError`."""
    matrix = checked_features(features)
    codes = np.asarray(given)
    if codes.shape != (len(matrix),):
        raise LearnerError(f"given has shape {codes.shape}; features has {len(matrix)} rows")
    codes = codes.astype(np.int64)
    if len(codes) == 0:
        raise LearnerError("no item has a label: nothing can be learnt yet")
    if codes.min() < 0 or codes.max() >= n_classes:
        raise LearnerError(f"label codes must be 0 to {n_classes - 1}; found {int(codes.min())} to {int(codes.max())}")
    if codes.min() == codes.max():
        raise LearnerError("all labels are of one class: a second class is needed before anything can be learnt")
    return matrix, codes
