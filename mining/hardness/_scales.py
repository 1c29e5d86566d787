"""Which scale times are compared on: ln seconds, or scores of ranks among the annotator's own times.

Both are fitted, and each must foretell every trial's rank from the other judgments of its item. What the difference of
the two correlations says, with its standard error, becomes the probability that ranks are the better scale. The more
probable one names the unit. In small data, where that is open, the effects are a mean of both with these weights:
choosing would follow noise, and the errors of the two are not the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from mining.hardness import _crossed as crossed
from mining.hardness._curve import STRAIGHT, bend_in_place, fit_curve, squares_of_all
from mining.hardness._layout import Layout
from mining.hardness._missed import learn_lapses, lower_bounds
from mining.hardness._serial import take_states_off

Array = NDArray[np.float64]
LOG_SECONDS, ANNOTATOR_SDS = "log-seconds", "annotator SDs"
PILOT_TRIALS = 200_000
RANKS_AHEAD, RANKS_AHEAD_SD = 0.003, 0.01
"""By how much ranks are expected to foretell better before the data are seen: mean and spread over simulated crowds
(lognormal, ex-Gaussian, shifted, diffusion; noise that differs by annotator, stretched times; lapses, heavy tails)."""
FLATTERY = 0.25
"""What ranks gain where an annotator's load and noise foretell the very trials that they were learnt from: this much
over the annotator's number of trials. Of four sizes tried on simulated crowds (.12 to 1) the one that brings equally
noisy annotators level with z-scores."""
LEAST_WEIGHT = 0.02
"""A scale with less is left out."""


@dataclass(slots=True)
class Scale:
    """The fit on the scale that names the unit, and the one on the other scale where it counts as well."""

    unit: str
    state: crossed.Crossed
    curve: Array
    other: crossed.Crossed | None = None
    weight: float = 1.0
    """of `state` in the item effects; `other` has the rest."""

    def effects(self, on: NDArray[np.bool_]) -> Array:
        """Return (n_items,) effects in `unit`; ``on`` (n_items,): judged items."""
        if self.other is None:
            return self.state.b
        own, other = float(self.state.b[on].std()), float(self.other.b[on].std())
        if not (own > 0 and other > 0):
            return self.state.b
        return self.weight * self.state.b + (1 - self.weight) * own / other * self.other.b


def choose_scale(layout: Layout, *, borrow: bool) -> Scale:
    """Fit both scales, and weigh them. With ``borrow`` (annotators with few trials) there is only ln seconds."""
    if borrow:
        state = crossed.start(layout, layout.log_times, borrow=True)
        if layout.n_trials <= PILOT_TRIALS:
            _settle(layout, state)
        else:
            crossed.settle(layout, state)
        return Scale(LOG_SECONDS, state, STRAIGHT)
    # So many trials tell the scales apart; only the better one is then fitted to all.
    pilot = layout if layout.n_trials <= PILOT_TRIALS else layout.sample(-(-layout.n_trials // PILOT_TRIALS))
    ranks = pilot.rank_scores()
    curve = fit_curve(pilot, ranks)
    bent = bend_in_place(pilot, ranks.copy(), curve)
    plain = crossed.start(pilot, pilot.log_times)
    by_rank = crossed.start(pilot, bent, squares=squares_of_all(pilot, curve))
    for state in (plain, by_rank):
        _settle(pilot, state)
    foretold = crossed.foresight(pilot, plain), crossed.foresight(pilot, by_rank)
    share = probability_of_ranks(
        ranks, foretold[0], foretold[1], np.maximum(pilot.item, 0), pilot.annotators, flattery=FLATTERY
    )
    unit = ANNOTATOR_SDS if share >= 0.5 else LOG_SECONDS
    curve = curve if unit == ANNOTATOR_SDS else STRAIGHT
    state, other = (by_rank, plain) if unit == ANNOTATOR_SDS else (plain, by_rank)
    weight = max(share, 1 - share)
    if pilot is layout:
        for each, known in zip((plain, by_rank), foretold, strict=True):
            if take_states_off(layout, each, known):
                crossed.settle(layout, each)
        return Scale(unit, state, curve, other if 1 - weight > LEAST_WEIGHT else None, weight)
    learnt = state
    del plain, by_rank, other, foretold
    if unit == ANNOTATOR_SDS:
        y, squares = bend_in_place(layout, layout.rank_scores(), curve), squares_of_all(layout, curve)
        state = crossed.start_from(learnt, layout, y, squares)
    else:
        state = crossed.start_from(learnt, layout, layout.log_times)
    lower_bounds(layout, state, learnt)
    crossed.settle(layout, state)
    return Scale(unit, state, curve)


def _settle(layout: Layout, state: crossed.Crossed) -> None:
    """Settle, after a rough fit that says which of the misses are slow answers, where there are misses."""
    if layout.item.min(initial=0) < 0:
        crossed.settle(layout, state, roughly=True)
        if learn_lapses(layout, state):
            lower_bounds(layout, state, state)
    crossed.settle(layout, state)


def probability_of_ranks(
    ranks: NDArray[np.floating],
    plain: Array,
    by_rank: Array,
    item: NDArray[np.int32],
    annotator: NDArray[np.int64],
    *,
    flattery: float = 0.0,
) -> float:
    """Return how probable it is that effects on the scale of ranks foretell better than those on ln seconds.

    What is foretold of each annotator's trials is brought to one spread: a precise annotator foretells mostly trials of
    the others, who are harder to foretell, and a scale that trusts the precise ones would look bad.

    Args:
        ranks: (n_trials,) rank scores. plain, by_rank: (n_trials,) effect of the item without the trial on each scale;
        NaN where there is none. item, annotator: (n_trials,) codes. flattery: what is known to be too good about
        ``by_rank``, in correlation times the mean number of trials of an annotator.
    """
    on = ~(np.isnan(plain) | np.isnan(by_rank))
    who, z = annotator[on], ranks[on].astype(np.float64)
    log, rank = (_one_spread(values[on].astype(np.float64), who) for values in (plain, by_rank))
    sizes = [float(np.sqrt(np.mean(values**2))) if values.size else 0.0 for values in (z, log, rank)]
    if min(sizes) <= 0:
        return float(ndtr(RANKS_AHEAD / RANKS_AHEAD_SD))
    z, log, rank = z / sizes[0], log / sizes[1], rank / sizes[2]
    rho = [float(np.mean(z * values)) for values in (log, rank)]
    gained = flattery * np.count_nonzero(np.bincount(who)) / who.size
    # what each trial adds to the difference of the correlations; trials of an item are not independent
    adds = z * (rank - log) - 0.5 * rho[1] * (z**2 + rank**2) + 0.5 * rho[0] * (z**2 + log**2)
    doubt = float(np.sum(np.bincount(item[on], adds) ** 2)) / z.size**2
    expected = 1 / RANKS_AHEAD_SD**2
    told = 1 / max(doubt, 1e-12)
    mean = (RANKS_AHEAD * expected + (rho[1] - rho[0] - gained) * told) / (expected + told)
    return float(ndtr(mean * np.sqrt(expected + told)))


def _one_spread(values: Array, who: NDArray[np.int64]) -> Array:
    """Return values over the root of the mean square of those of the same annotator."""
    squares = np.bincount(who, values**2) / np.maximum(np.bincount(who), 1)
    spread = np.sqrt(squares)[who]
    return np.divide(values, spread, out=np.zeros(values.size), where=spread > 0)
