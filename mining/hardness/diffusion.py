"""EZ-diffusion: drift, boundary and non-decision time from accuracy and the first two moments of times.

For an annotator or a class with some twenty trials or more, never for an item.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from mining.hardness._trials import BadTrials

SCALE = 0.1
FEWEST_TRIALS = 20


@dataclass(frozen=True, slots=True)
class Diffusion:
    """Parameters of the drift diffusion model with s = .1, times in seconds."""

    drift: float
    """Speed of evidence: skill against difficulty."""
    boundary: float
    """Evidence asked for before answering: caution."""
    non_decision_s: float
    """Time for seeing and pressing, in seconds."""


def ez_diffusion(share_correct: float, variance_s2: float, mean_s: float, n_trials: int) -> Diffusion:
    """Closed-form estimates of Wagenmakers, van der Maas & Grasman (2007).

    Args:
        share_correct: share of right answers, 0 to 1; 0, .5 and 1 are moved by half a trial as the authors do.
        variance_s2, mean_s: of the times of right answers, in seconds.
        n_trials: trials behind them.

    Raises:
        BadTrials: fewer than 20 trials, or numbers that cannot be.
    """
    if n_trials < FEWEST_TRIALS:
        raise BadTrials("too_few_trials", f"{n_trials} trials; EZ-diffusion needs {FEWEST_TRIALS}.")
    if not (0 <= share_correct <= 1 and variance_s2 > 0 and mean_s > 0):
        raise BadTrials("impossible_moments", "The share lies in 0 to 1, variance and mean are above 0.")
    half = 0.5 / n_trials
    p = min(max(share_correct, half), 1 - half)
    if p == 0.5:
        p = 0.5 + half
    odds = math.log(p / (1 - p))
    x = odds * (odds * p * p - odds * p + p - 0.5) / variance_s2
    drift = math.copysign(1, p - 0.5) * SCALE * x**0.25
    boundary = SCALE**2 * odds / drift
    y = -drift * boundary / SCALE**2
    decision = boundary / (2 * drift) * (1 - math.exp(y)) / (1 + math.exp(y))
    return Diffusion(drift, boundary, mean_s - decision)
