"""GLAD: difficulty of items and skill of annotators from labels alone (Whitehill et al., NIPS 2009)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from mining.hardness._trials import read_codes, read_labels

Array = NDArray[np.float64]
MOST_ROUNDS = 100
STEPS = 5
LOG_BETA_LIMIT = 4.0
"""exp(4) is as easy as anything can be told to be; beyond it the product of skill and easiness overflows."""


@dataclass(frozen=True, slots=True)
class Glad:
    """Fit of ``P(j labels i rightly) = sigmoid(alpha_j beta_i)``."""

    hardness: Array
    """(n_items,) -ln beta, higher is harder; NaN where nobody answered."""
    skill: Array
    """(n_annotators,) alpha; below 0 is worse than guessing; NaN without labels."""
    probability: Array
    """(n_items, n_classes) of every class; NaN where nobody answered."""
    converged: bool


def fit_glad(item: ArrayLike, annotator: ArrayLike, label: ArrayLike, n_items: int, n_classes: int) -> Glad:
    """Fit GLAD by expectation-maximisation with its authors' priors alpha ~ N(1, 1), ln beta ~ N(0, 1).

    Args:
        item, annotator, label: codes, shape (n_labels,); label -1 is no answer. A wrong answer is thought to fall on
            any other class alike.

    Raises:
        BadTrials: codes out of range or arrays of different length.
    """
    item = read_codes(item, "item", n_codes=n_items)
    annotator = read_codes(annotator, "annotator", item.shape[0])
    label = read_labels(label, item.shape[0])
    n_annotators = int(annotator.max()) + 1 if annotator.size else 0
    given = label >= 0
    i, j, cell = item[given], annotator[given], item[given].astype(np.int64) * n_classes + label[given]
    alpha, log_beta = np.ones(n_annotators), np.zeros(n_items)
    posterior = np.full((n_items, n_classes), 1 / n_classes)
    converged = False
    for _ in range(MOST_ROUNDS):
        before = posterior
        posterior = _expect(alpha[j] * np.exp(log_beta)[i], cell, n_items, n_classes)
        right = posterior.ravel()[cell]
        for _ in range(STEPS):
            _step(alpha, log_beta, i, j, right)
        if float(np.abs(posterior - before).max(initial=0.0)) < 1e-5:
            converged = True
            break
    judged = np.bincount(i, minlength=n_items) > 0
    seen = np.bincount(j, minlength=n_annotators) > 0
    return Glad(
        hardness=np.where(judged, -log_beta, np.nan),
        skill=np.where(seen, alpha, np.nan),
        probability=np.where(judged[:, None], posterior, np.nan),
        converged=converged,
    )


def _expect(z: Array, cell: NDArray[np.int64], n_items: int, n_classes: int) -> Array:
    # ln of right over ln of wrong, one wrong class: sigmoid's log-odds plus ln(K - 1)
    gain = z + np.log(max(n_classes - 1, 1))
    score = np.bincount(cell, gain, n_items * n_classes).reshape(n_items, n_classes)
    score -= score.max(axis=1, keepdims=True)
    np.exp(score, out=score)
    return np.asarray(score / score.sum(axis=1, keepdims=True))


def _step(alpha: Array, log_beta: Array, i: NDArray[np.integer], j: NDArray[np.integer], right: Array) -> None:
    """One damped Newton step on each parameter, in place."""
    beta = np.exp(log_beta)
    p = expit(alpha[j] * beta[i])
    slope, bend = right - p, p * (1 - p)
    up = np.bincount(j, slope * beta[i], alpha.size) - (alpha - 1)
    alpha += np.clip(up / (np.bincount(j, bend * beta[i] ** 2, alpha.size) + 1), -1, 1)
    reach = alpha[j] * beta[i]
    p = expit(reach)
    slope, bend = right - p, p * (1 - p)
    up = np.bincount(i, slope * reach, beta.size) - log_beta
    log_beta += np.clip(up / (np.bincount(i, bend * reach**2, beta.size) + 1), -1, 1)
    np.clip(log_beta, -LOG_BETA_LIMIT, LOG_BETA_LIMIT, out=log_beta)
