"""Confident learning: which labels are probably wrong, by cleanlab."""

import warnings

import numpy as np
import numpy.typing as npt

from mining.hardness.rows import BoolArray, summarise_rows


def probable_label_errors(
    probabilities: npt.ArrayLike, given: npt.ArrayLike, *, filter_by: str = "prune_by_noise_rate"
) -> BoolArray:
    """Mark labels that are probably wrong, (n,) bool, from out-of-fold (n, K) probabilities (Northcutt et al. 2021).

    Items without a label or prediction are never marked. Classes that nobody was given are left out of cleanlab's
    counting.
    """
    from cleanlab.filter import find_label_issues

    array, codes = np.asarray(probabilities, dtype=np.float64), np.asarray(given, dtype=np.int64)
    usable = ~np.isnan(summarise_rows(array, codes).given_probability)
    marked = np.zeros(len(codes), dtype=bool)
    classes, compact = np.unique(codes[usable], return_inverse=True)
    if len(classes) < 2:
        return marked
    belief = array[usable][:, classes]
    total = belief.sum(axis=1, keepdims=True)
    belief = np.where(total > 0.0, belief / np.where(total > 0.0, total, 1.0), 1.0 / len(classes))
    with warnings.catch_warnings():
        # That it leaves classes of a few items alone: rounds name them, in words for people.
        warnings.simplefilter("ignore", UserWarning)
        marked[np.flatnonzero(usable)] = find_label_issues(compact, belief, filter_by=filter_by, n_jobs=1)
    return marked
