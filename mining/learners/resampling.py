"""The imbalance family: class weights, over- and under-sampling, SMOTE; always inside a fold's training
set.
"""

import warnings

import numpy as np
import numpy.typing as npt

from mining.learners.errors import LearnerError
from mining.learners.parameters import Parameter

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Features = npt.NDArray[np.floating]

BALANCE_PARAMETERS = (
    Parameter(
        "class_weight",
        "none",
        "Weigh classes alike, however many items they have.",
        choices=("none", "balanced"),
    ),
    Parameter(
        "resampling",
        "none",
        "Repeat items of small classes (over), drop items of large ones (under), or invent items between "
        "neighbours (smote).",
        choices=("none", "over", "under", "smote"),
    ),
)
SMOTE_NEIGHBOURS = 5


def balanced_weight(codes: IntArray, weight: FloatArray | None = None) -> FloatArray:
    """Weights that give every class that occurs the same total, with mean 1: n / (C n_class)."""
    own = np.ones(len(codes)) if weight is None else weight
    total = np.bincount(codes, weights=own)
    share = np.zeros(len(total))
    seen = total > 0
    share[seen] = own.sum() / (seen.sum() * total[seen])
    return np.asarray(own * share[codes])


def resampled(
    features: Features, codes: IntArray, weight: FloatArray | None, method: str, seed: int
) -> tuple[Features, IntArray, FloatArray | None]:
    """Return a training set with classes of equal size, by imbalanced-learn."""
    if method == "smote":
        return *_smote(features, codes, weight, seed), None
    from imblearn.over_sampling import RandomOverSampler
    from imblearn.under_sampling import RandomUnderSampler

    sampler = RandomOverSampler if method == "over" else RandomUnderSampler
    chosen = sampler(random_state=seed)
    chosen.fit_resample(np.zeros((len(codes), 1)), codes)
    index = chosen.sample_indices_
    return features[index], codes[index], None if weight is None else weight[index]


def _smote(features: Features, codes: IntArray, weight: FloatArray | None, seed: int) -> tuple[Features, IntArray]:
    if weight is not None and not np.allclose(weight, weight[0]):
        raise LearnerError(
            "SMOTE invents items, and invented items have no weight: use oversampling with weights instead"
        )
    return _invented(features, codes, "auto", seed)


def smote_keeping_shares(features: Features, codes: IntArray, seed: int) -> tuple[Features, IntArray]:
    """Return a training set as large as SMOTE makes it, with items invented in every class, and the shares of the
    classes as they were: what SMOTE is compared with.
    """
    count = np.bincount(codes)
    seen = np.flatnonzero(count)
    larger = len(seen) * count.max() / len(codes)
    return _invented(features, codes, {int(code): round(larger * count[code]) for code in seen}, seed)


def _invented(
    features: Features, codes: IntArray, wanted: str | dict[int, int], seed: int
) -> tuple[Features, IntArray]:
    from imblearn.over_sampling import SMOTE

    smallest = int(np.bincount(codes)[np.unique(codes)].min())
    if smallest < 2:
        raise LearnerError("SMOTE needs two items or more in every class of a fold; use oversampling instead")
    chosen = SMOTE(sampling_strategy=wanted, random_state=seed, k_neighbors=min(SMOTE_NEIGHBOURS, smallest - 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        made, labels = chosen.fit_resample(features, codes)
    return made, labels.astype(np.int64)
