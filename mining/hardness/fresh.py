"""New trials on top of a fit, without a new fit.

In a large project a thousand new trials change what is known of the items they show and next to nothing else: how slow,
how noisy and how practised the annotators are rests on millions of trials. With those held still, the hardness of an
item after new judgments has a closed form: precisions add up. The heavy tails of noise leave a difference to a new fit
of about a tenth of the standard error. Refit before new trials are more than a few per cent.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mining.hardness._curve import STRAIGHT, bend
from mining.hardness._scales import LOG_SECONDS
from mining.hardness._trials import read_codes, read_times
from mining.hardness.timing import ResponseTimeFit
from mining.hardness.timing_rivals import within_annotator_rank

Array = NDArray[np.float64]
MOST_SHARE = 0.02
"""Share of new trials up to which the annotators' numbers may be held still."""


@dataclass(frozen=True, slots=True)
class Held:
    """What of a fit is held still while new trials come."""

    scale: str
    level: Array
    """(n_annotators,) typical ln seconds (or rank score) of the annotator on an average item at position 1."""
    practice: Array
    noise: Array
    """(n_annotators,) scale of the t distribution of one judgment; NaN for who had no trial."""
    degrees: float
    n_trials: int
    loading: Array = field(default_factory=lambda: np.zeros(0))
    """(n_annotators,) how strongly hardness shows in the annotator's scores; empty: 1 for all."""
    curve: Array = field(default_factory=lambda: STRAIGHT)

    def knows(self, annotator: ArrayLike) -> bool:
        """Whether every one of these annotators was in the fit."""
        who = np.asarray(annotator)
        return bool(who.size == 0 or (who.max() < self.noise.size and not np.isnan(self.noise[who]).any()))


def hold(
    fit: ResponseTimeFit, item: ArrayLike, annotator: ArrayLike, response_ms: ArrayLike, position: ArrayLike
) -> Held:
    """Take from a fit, and the (n_trials,) trials it was made from, what `add_trials` needs."""
    i, j = read_codes(item, "item"), read_codes(annotator, "annotator")
    times = read_times(response_ms, i.shape[0]).astype(np.float64, copy=False)
    size = fit.annotator_sd.shape[0]
    load = fit.annotator_loading if fit.annotator_loading.size else np.ones(size)
    rest = _score(fit.scale, j, times, fit.score_curve) - load[j] * fit.item_effect[i]
    rest -= fit.practice[j] * np.log(np.asarray(position))
    known = ~np.isnan(rest)
    rest, j = rest[known], j[known]
    n = np.maximum(np.bincount(j, minlength=size), 1)
    level = np.bincount(j, rest, size) / n
    for _ in range(5):  # weights of the t distribution: lapses do not move an annotator's level
        weight = _weight((rest - level[j]) / np.maximum(fit.annotator_sd[j], 1e-9), fit.noise_degrees)
        level = np.bincount(j, weight * rest, size) / np.maximum(np.bincount(j, weight, size), 1e-9)
    return Held(fit.scale, level, fit.practice, fit.annotator_sd, fit.noise_degrees, int(i.size), load, fit.score_curve)


def add_trials(
    held: Held,
    effect: ArrayLike,
    se: ArrayLike,
    item_sd: float,
    item: ArrayLike,
    annotator: ArrayLike,
    response_ms: ArrayLike,
    position: ArrayLike,
    *,
    known_times: tuple[ArrayLike, ArrayLike] | None = None,
) -> tuple[Array, Array]:
    """Return (n_items,) effect and standard error after new trials.

    Args:
        held: from `hold`; it must know the annotators.
        effect, se: (n_items,) as they are; NaN where never judged.
        item_sd: SD of true hardness, what is known of an item without judgments.
        item, annotator, response_ms, position: (n_new,) new trials; those without a time change nothing here.
        known_times: (annotator, response_ms) of the trials before, for scores by rank among an annotator's times.
    """
    b, error = np.array(effect, dtype=np.float64), np.array(se, dtype=np.float64)
    i, j = read_codes(item, "item", n_codes=b.shape[0]), read_codes(annotator, "annotator")
    times = read_times(response_ms, i.shape[0]).astype(np.float64, copy=False)
    y = _new_scores(held, j, times, known_times)
    use = ~np.isnan(y)
    i, j, y = i[use], j[use], y[use]
    if i.size == 0:
        return b, error
    rest = y - held.level[j] - held.practice[j] * np.log(np.asarray(position, dtype=np.float64)[use])
    touched, at = np.unique(i, return_inverse=True)
    before = np.where(np.isnan(b[touched]), 0.0, b[touched])
    precision = 1 / np.where(np.isnan(error[touched]), item_sd, error[touched]) ** 2
    noise = np.maximum(held.noise[j], 1e-9)
    load = held.loading[j] if held.loading.size else np.ones(j.size)
    now = before
    for _ in range(20):
        weight = load * _weight((rest - load * now[at]) / noise, held.degrees) / noise**2
        now = (precision * before + np.bincount(at, weight * rest)) / (precision + np.bincount(at, weight * load))
    information = load**2 * (held.degrees + 1) / (held.degrees + 3) / noise**2
    b[touched] = now
    error[touched] = 1 / np.sqrt(precision + np.bincount(at, information))
    return b, error


def _new_scores(held: Held, j: NDArray[np.integer], times: Array, known: tuple[ArrayLike, ArrayLike] | None) -> Array:
    if held.scale == LOG_SECONDS or known is None:
        return _score(LOG_SECONDS, j, times, held.curve)
    who, before = np.asarray(known[0]), np.asarray(known[1], dtype=np.float64)
    theirs = np.isin(who, np.unique(j))
    everything = np.concatenate([before[theirs], times])
    return _score(held.scale, np.concatenate([who[theirs], j]), everything, held.curve)[-j.size :]


def _score(scale: str, j: NDArray[np.integer], times: Array, curve: Array) -> Array:
    """Ln seconds, or the score of the time's rank among those of its annotator."""
    if scale == LOG_SECONDS:
        return np.asarray(np.log(times / 1000))
    from scipy.special import ndtri

    n = np.bincount(j)[j]
    rank = within_annotator_rank(j, times) * (n + 1)
    return np.where(np.isnan(times), np.nan, bend(ndtri((rank - 0.375) / (n + 0.25)), curve))


def _weight(z: Array, degrees: float) -> Array:
    return np.asarray((degrees + 1) / (degrees + z * z))
