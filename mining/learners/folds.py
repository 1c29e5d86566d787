"""Folds: who is held out together."""

import warnings

import numpy as np
import numpy.typing as npt

from mining.learners.errors import LearnerError

IntArray = npt.NDArray[np.int64]

ANY_FOLD = -1
"""The fold of items that no fold model is trained on: all of them may predict it."""


class RareClassWarning(UserWarning):
    """A class has fewer groups than there are folds: some fold models see few of it."""


def group_folds(given: npt.ArrayLike, groups: npt.ArrayLike | None = None, n_folds: int = 5, seed: int = 0) -> IntArray:
    """Deal items to folds, (n,) in 0 .. n_folds - 1: stratified by label, groups never straddle, the same for
    a seed.

    `given` (n,) label codes, -1 = no label; `groups` (n,) any codes or words (None: every item for itself).
    Items without a label follow their group; where nobody in the group has one, their fold is `ANY_FOLD`. A
    class with fewer groups than folds warns with `RareClassWarning`; a class in one group only cannot be
    learnt and predicted at once: see `unlearnable_classes`.
    """
    codes = np.asarray(given, dtype=np.int64)
    if n_folds < 2:
        raise LearnerError(f"two folds or more are needed, not {n_folds}")
    group = _group_codes(groups, len(codes))
    labelled = np.flatnonzero(codes >= 0)
    folds = np.full(len(codes), ANY_FOLD, dtype=np.int64)
    if len(labelled) == 0:
        raise LearnerError("no item has a label: nothing can be learnt yet")
    n_groups = int(group.max()) + 1
    n_labelled_groups = len(np.unique(group[labelled]))
    if n_labelled_groups < n_folds:
        raise LearnerError(
            f"{n_folds} folds need {n_folds} separate groups of labelled items; there are {n_labelled_groups}"
        )
    frequency = np.bincount(codes[labelled])
    stratum = np.full(n_groups, -1, dtype=np.int64)
    # A group counts for the rarest class in it, so that the rare ones are spread first. Items are written
    # from common to rare: the last write wins.
    order = labelled[np.lexsort((codes[labelled], -frequency[codes[labelled]]))]
    stratum[group[order]] = codes[order]
    size = np.bincount(group[labelled], minlength=n_groups)
    group_fold = _deal(stratum, size, n_folds, seed)
    folds[:] = group_fold[group]
    _warn_of_rare(codes, group, n_folds)
    return folds


def unlearnable_classes(given: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> list[int]:
    """Return the label codes that occur in one group only: held out, no model has seen them."""
    codes = np.asarray(given, dtype=np.int64)
    group = _group_codes(groups, len(codes))
    labelled = codes >= 0
    pairs = np.unique(np.stack([codes[labelled], group[labelled]]), axis=1)
    classes, counts = np.unique(pairs[0], return_counts=True)
    return [int(code) for code in classes[counts < 2]]


def _group_codes(groups: npt.ArrayLike | None, n_items: int) -> IntArray:
    if groups is None:
        return np.arange(n_items, dtype=np.int64)
    values = np.asarray(groups)
    if values.shape != (n_items,):
        raise LearnerError(f"groups has shape {values.shape}; there are {n_items} items")
    return np.asarray(np.unique(values, return_inverse=True)[1], dtype=np.int64)


def _deal(stratum: IntArray, size: IntArray, n_folds: int, seed: int) -> IntArray:
    """Deal groups class by class, large before small, in random order otherwise; (n_groups,), -1 for
    unlabelled groups.
    """
    random = np.random.default_rng(seed).random(len(stratum))
    used = np.flatnonzero(stratum >= 0)
    order = used[np.lexsort((random[used], -size[used], stratum[used]))]
    turn = np.arange(len(order))
    # Back and forth rather than round and round: with groups of unequal size the first fold would always get
    # the larger one.
    lap, place = np.divmod(turn, n_folds)
    group_fold = np.full(len(stratum), ANY_FOLD, dtype=np.int64)
    group_fold[order] = np.where(lap % 2 == 0, place, n_folds - 1 - place)
    return group_fold


def _warn_of_rare(codes: IntArray, group: IntArray, n_folds: int) -> None:
    labelled = codes >= 0
    pairs = np.unique(np.stack([codes[labelled], group[labelled]]), axis=1)
    classes, counts = np.unique(pairs[0], return_counts=True)
    rare = classes[counts < n_folds]
    if len(rare):
        listed = ", ".join(str(int(code)) for code in rare[:10]) + (", ..." if len(rare) > 10 else "")
        warnings.warn(
            f"fewer than {n_folds} separate groups with label code {listed}: some folds hold none of it",
            RareClassWarning,
            stacklevel=3,
        )
