"""What no order of judgments can do better: the fewest judgments in which the hardest items can be known.

Known: the spread of the items, the noise of a judgment, the cut. Then items are independent of each other but for two
sums, the judgments and the items named hardest, and with prices for both (Lagrange) each item is a problem of its own:
to stop or to ask again, at its estimate after n judgments, solved backwards. For any prices the value bounds every
order from above, also one that is told the result of every judgment at once and knows the precision to be reached; the
best prices make the bound exact for very many items (Whittle, J. Appl. Probab. 25, 1988).

Run: python benchmarks/adaptive_limit.py [--item-sd .3] [--noise .45] [--share .1]
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, owens_t

GRID = 401
"""Estimates looked at, over five standard deviations of the items to both sides."""
PRICES = 36
LASTS = np.linspace(0.06, 0.5, 30)
"""Prices of naming an item: the probability at which the hard set ends."""
MOST = 30
"""Judgments an item can get: nobody judges it twice."""


def random_precision(per_item: float, item_sd: float, precision: float, share: float) -> float:
    """Return the expected precision of the set after so many judgments of each item."""
    r2 = per_item * precision / (1 / item_sd**2 + per_item * precision)
    z = ndtri(1 - share)
    # P(truth > z, estimate > z) for two normal variables with the correlation sqrt(r2), by Owen's T.
    r = np.sqrt(r2)
    return float((share - 2 * owens_t(z, np.sqrt((1 - r) / (1 + r)))) / share)


def needed_at_random(target: float, item_sd: float, precision: float, share: float) -> float:
    """Return the judgments an item that the random order needs at best, each item having as many."""
    return float(brentq(lambda n: random_precision(n, item_sd, precision, share) - target, 1e-6, 1e5))


def precision_of_judgment(target: float, per_item: float, item_sd: float, share: float) -> float:
    """Return the precision (1 / variance) of a judgment of which the random order needs so many an item."""
    return float(brentq(lambda w: random_precision(per_item, item_sd, w, share) - target, 1e-6, 1e5))


def fewest(target: float, item_sd: float, precision: float, share: float) -> float:
    """Return the bound: judgments an item that any order needs for this precision of the set."""
    prices, lasts = (grid.ravel() for grid in np.meshgrid(np.geomspace(0.0005, 0.8, PRICES) * share, LASTS))
    value = _value_of_an_item(item_sd, precision, share, prices, lasts)
    return float(np.max((target * share - value - lasts * share) / prices))


def _value_of_an_item(
    item_sd: float, precision: float, share: float, prices: np.ndarray, lasts: np.ndarray
) -> np.ndarray:
    """Return (n_prices,) what an item is worth before its first judgment, by these prices of judging and of naming."""
    mean = np.linspace(-5 * item_sd, 5 * item_sd, GRID)
    known = 1 / item_sd**2 + precision * np.arange(MOST + 1)
    away = (mean - item_sd * ndtri(1 - share))[:, None]
    value = np.maximum(ndtr(away * np.sqrt(known[MOST])) - lasts, 0)
    for n in range(MOST - 1, -1, -1):
        moves = np.sqrt(1 / known[n] - 1 / known[n + 1])
        edges = np.append(mean, mean[-1] + mean[1] - mean[0]) - (mean[1] - mean[0]) / 2
        steps = np.diff(ndtr((edges[None, :] - mean[:, None]) / moves), axis=1)
        steps /= steps.sum(axis=1, keepdims=True)
        value = np.maximum(steps @ value - prices, np.maximum(ndtr(away * np.sqrt(known[n])) - lasts, 0))
    return np.asarray(value[GRID // 2])


def main() -> None:
    """Print for each precision what the random order needs at best, and the fewest that any order needs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--item-sd", type=float, default=0.3)
    parser.add_argument("--noise", type=float, default=0.45, help="SD of one judgment.")
    parser.add_argument("--share", type=float, default=0.1)
    options = parser.parse_args()
    setting = (options.item_sd, 1 / options.noise**2, options.share)
    print(f"{'precision':>9} {'random':>7} {'fewest':>7}  saved at most (judgments an item)")
    for target in (0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8):
        at_random, least = needed_at_random(target, *setting), fewest(target, *setting)
        print(f"{target:9.2f} {at_random:7.2f} {least:7.2f}  {1 - least / at_random:.0%}")


if __name__ == "__main__":
    main()
