"""Neighbours and committees: hardness that needs features, or more than one learner."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from mining.hardness.rows import FloatArray, MeasureError, summarise_rows

N_NEIGHBOURS = 10
MOST_REFERENCES = 50_000
"""Brute-force neighbours cost items x references; beyond this many, a random sample of the labelled items is
searched.
"""
ROWS_AT_ONCE = 4096


def kdn(
    features: npt.NDArray[np.floating],
    given: npt.NDArray[np.integer],
    *,
    n_neighbours: int = N_NEIGHBOURS,
    most_references: int = MOST_REFERENCES,
    seed: int = 0,
    barred: npt.NDArray[np.bool_] | None = None,
    rows: npt.NDArray[np.integer] | None = None,
) -> FloatArray:
    """k-disagreeing neighbours (Smith, Martinez & Giraud-Carrier 2014): share of the nearest with another
    label, (n,).

    `features` (n, d), scaled as the caller wants distances to count; `given` (n,), -1 = no label. Unlabelled
    items are NaN and are nobody's neighbour, nor are those that are
    `barred` (n,): the held-out test. An item is never its own neighbour, even where another is identical to it.
    `rows`: only these items get a score, so that the work can be shared; the others are NaN.
    """
    from sklearn.neighbors import NearestNeighbors

    if features.ndim != 2 or given.shape != (len(features),):
        raise MeasureError(f"features {features.shape} and given {given.shape} do not belong together")
    labelled = np.flatnonzero(given >= 0)
    scores = np.full(len(features), np.nan)
    references = labelled if barred is None else labelled[~barred[labelled]]
    if len(references) <= n_neighbours:
        return scores
    if len(references) > most_references:
        references = np.sort(np.random.default_rng(seed).choice(references, most_references, replace=False))
    _refuse_what_is_not_finite(features, references)
    search = NearestNeighbors(n_neighbors=n_neighbours + 1, algorithm="brute").fit(features[references])
    asked = labelled if rows is None else rows[given[rows] >= 0]
    for start in range(0, len(asked), ROWS_AT_ONCE):
        items = asked[start : start + ROWS_AT_ONCE]
        _refuse_what_is_not_finite(features, items)
        found = references[search.kneighbors(features[items], return_distance=False)]
        # The item itself is dropped by number; where it was not found, the farthest goes.
        itself = found == items[:, None]
        itself[~itself.any(axis=1), -1] = True
        others = found[~itself].reshape(len(items), n_neighbours)
        scores[items] = (given[others] != given[items][:, None]).mean(axis=1)
    return scores


def _refuse_what_is_not_finite(features: npt.NDArray[np.floating], rows: npt.NDArray[np.integer]) -> None:
    finite = np.isfinite(features[rows]).all(axis=1)
    if not finite.all():
        raise MeasureError(f"features has a value that is not finite in row {int(rows[np.argmin(finite)])}")


def instance_hardness(committee: Iterable[npt.ArrayLike], given: npt.ArrayLike) -> FloatArray:
    """1 - mean over learners of p_y, in [0, 1] (Smith et al. 2014). `committee` holds one (n, K) array a
    learner; (n,).
    """
    total: FloatArray | None = None
    n_learners = 0
    for probabilities in committee:
        belief = summarise_rows(probabilities, given).given_probability
        total = belief if total is None else total + belief
        n_learners += 1
    if total is None:
        raise MeasureError("instance hardness needs the probabilities of at least one learner")
    return 1.0 - total / n_learners
