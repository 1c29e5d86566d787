"""Out-of-fold probabilities: every item is judged by models that were not trained on it."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mining.learners.calibration import SigmoidCalibration
from mining.learners.errors import LearnerError
from mining.learners.folds import ANY_FOLD, RareClassWarning, group_folds, unlearnable_classes
from mining.learners.learner import BoolArray, FloatArray, IntArray, Learner, checked_features, checked_training_set

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class FoldScores:
    """What the model of one fold says of the items that it did not see: the unit of parallel work."""

    fold: int
    items: IntArray
    """(m,) the fold's own items first, then those of no fold."""
    scores: FloatArray
    """(m, K) probabilities, or decision values where the learner gives those."""


@dataclass(frozen=True)
class OutOfFold:
    """Probabilities of every item, and by whom."""

    probabilities: FloatArray
    """(n, K), rows sum to one."""
    predicted_by: IntArray
    """(n,) the fold whose model judged the item; -1 = the mean of all of them (items without a label)."""
    fold: IntArray
    stranger: BoolArray
    """(n,) True where no model can have seen the item's class when it judged it: treat its label as unknown."""
    warnings: tuple[str, ...]
    """In plain words, for the report."""


def out_of_fold_probabilities(
    learner: Learner,
    features: npt.ArrayLike,
    given: npt.ArrayLike,
    *,
    n_classes: int,
    folds: int = 5,
    seed: int = 0,
    fold: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    sample_weight: npt.ArrayLike | None = None,
    on_progress: OnProgress | None = None,
) -> OutOfFold:
    """Train one model a fold and judge each item by the model that did not see it.

    `features` (n, d); `given` (n,) codes below `n_classes`, -1 = no label: such an item is never trained on
    and gets the mean of the fold models. `fold` (n,) deals the items; left out, `group_folds(given, groups,
    folds, seed)` does. Items of a class that occurs in one group only are marked `stranger` and said so in `warnings`.
    `on_progress(done, total)` is called after each fold and may raise to cancel. Raises `LearnerError` when there are
    no labels, one class only, or features that are not finite.
    """
    codes = checked_codes(given, n_classes)
    matrix = checked_features(features)
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RareClassWarning)
        dealt = group_folds(codes, groups, folds, seed) if fold is None else np.asarray(fold, dtype=np.int64)
    notes += [str(warning.message) for warning in caught if issubclass(warning.category, RareClassWarning)]
    if dealt.shape != codes.shape:
        raise LearnerError(f"fold has shape {dealt.shape}; there are {len(codes)} items")
    lonely = unlearnable_classes(codes, groups)
    if lonely:
        notes.append(
            f"label codes {lonely} occur in one group only: whoever judges them has not learnt them, so nothing is "
            "known of "
            "their hardness; give them more items"
        )
    numbers = [int(number) for number in np.unique(dealt[dealt != ANY_FOLD])]
    parts = []
    for done, number in enumerate(numbers, start=1):
        parts.append(
            score_fold(
                learner,
                matrix,
                codes,
                n_classes=n_classes,
                fold=dealt,
                number=number,
                sample_weight=sample_weight,
                seed=seed,
            )
        )
        if on_progress is not None:
            on_progress(done, len(numbers))
    return join_folds(learner, parts, codes, n_classes=n_classes, fold=dealt, groups=groups, notes=notes)


def score_fold(
    learner: Learner,
    features: npt.ArrayLike,
    given: npt.ArrayLike,
    *,
    n_classes: int,
    fold: npt.ArrayLike,
    number: int,
    sample_weight: npt.ArrayLike | None = None,
    seed: int = 0,
) -> FoldScores:
    """Train the model of fold `number` on the other folds and score its own items and those of no fold.

    `sample_weight` (n,) is each item's weight in training; None = all alike.
    """
    matrix, codes, dealt = np.asarray(features), checked_codes(given, n_classes), np.asarray(fold)
    trained_on = (dealt != number) & (dealt != ANY_FOLD) & (codes >= 0)
    if not trained_on.any():
        raise LearnerError(f"fold {number} has no labelled items outside it to learn from")
    items = np.concatenate([np.flatnonzero(dealt == number), np.flatnonzero(dealt == ANY_FOLD)])
    x, y = checked_training_set(matrix[trained_on], codes[trained_on], n_classes)
    weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)[trained_on]
    fitted = learner.fit_scores(x, y, n_classes=n_classes, sample_weight=weight, seed=seed)
    return FoldScores(number, items, fitted.scores(matrix[items]))


def join_folds(
    learner: Learner,
    parts: Sequence[FoldScores],
    given: npt.ArrayLike,
    *,
    n_classes: int,
    fold: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    notes: Sequence[str] = (),
) -> OutOfFold:
    """Put the folds together; decision values are calibrated here, each fold by what the other folds got
    right and wrong.

    The order of `parts` does not matter: the same folds give the same bytes.
    """
    codes, dealt = np.asarray(given, dtype=np.int64), np.asarray(fold, dtype=np.int64)
    ordered = sorted(parts, key=lambda part: part.fold)
    scores = np.full((len(codes), n_classes), np.nan)
    for part in ordered:
        own = dealt[part.items] == part.fold
        scores[part.items[own]] = part.scores[own]
    probabilities = np.zeros((len(codes), n_classes))
    for part in ordered:
        own = dealt[part.items] == part.fold
        belief = part.scores
        if learner.gives_decisions:
            others = (dealt != part.fold) & (dealt != ANY_FOLD)
            belief = SigmoidCalibration.fitted(scores[others], codes[others]).probabilities(part.scores)
        probabilities[part.items[own]] = belief[own]
        probabilities[part.items[~own]] += belief[~own] / len(ordered)
    stranger = np.isin(codes, unlearnable_classes(codes, groups))
    return OutOfFold(probabilities, np.where(dealt == ANY_FOLD, -1, dealt), dealt, stranger, tuple(notes))


def checked_codes(given: npt.ArrayLike, n_classes: int) -> IntArray:
    """Return (n,) label codes with at least two classes among them, or raise `LearnerError`."""
    codes = np.asarray(given)
    if codes.ndim != 1 or codes.dtype.kind not in "iu":
        raise LearnerError(
            f"given must be one-dimensional integer codes (-1 = no label), not {codes.dtype} {codes.shape}"
        )
    codes = codes.astype(np.int64)
    labelled = codes[codes >= 0]
    if len(labelled) == 0:
        raise LearnerError("no item has a label: nothing can be learnt yet")
    if codes.min() < -1 or codes.max() >= n_classes:
        raise LearnerError(f"label codes must be -1 to {n_classes - 1}; found {int(codes.min())} to {int(codes.max())}")
    if labelled.min() == labelled.max():
        raise LearnerError("all labels are of one class: a second class is needed before anything can be learnt")
    return codes
