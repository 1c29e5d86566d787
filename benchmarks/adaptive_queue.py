"""How many judgments the adaptive order saves against the random one, with known truth.

Simulated annotators (slowness, noise and practice of their own, lapses) judge items whose true hardness is known. They
all work at once, as in the product: everybody holds some items ahead, drawn from the stored plan, which is worked out
anew only now and then, from a fit of the times (`fit_response_times`) that are in by then. The random order is its best
case: every item gets its n-th judgment before any gets the next. Nobody judges an item twice. Precision: the share of
the items found hardest that truly are among the hardest. Intervals: bootstrap over the simulations.

`limit`: what the best order could save at most (`adaptive_limit.py`), told every result at once and aiming at this very
precision, with judgments as good as the random order's turned out to be; `x least`: the judgments of the adaptive order
over that fewest number.

Run: python benchmarks/adaptive_queue.py [--items 1000] [--seeds 8] [--refresh 200] [--people 30]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import isotonic_regression

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hardness_site.settings.test")

from benchmarks.adaptive_limit import fewest, precision_of_judgment
from mining.hardness.next_judgments import rank_for_judgment
from mining.hardness.timing import fit_response_times

SHARE = 0.1
LOOKAHEAD = 4
ITEM_SD = 0.3
TARGETS = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85)
FINEST = 50
"""Judgments between two looks at the precision, at first; later a fortieth of those done."""
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class KnownModel:
    """What a fit would say that knew everything about the annotators (`--known-model`): the queue by itself, fast."""

    item_effect: np.ndarray
    item_se: np.ndarray
    typical_precision: float
    item_sd: float = ITEM_SD


class Crowd:
    """Annotators who judge items on demand; all trials so far as arrays."""

    knows_model = False

    def __init__(self, n_items: int, n_people: int, seed: int) -> None:
        self.rng = np.random.default_rng([seed, 7])
        self.truth = self.rng.normal(0, ITEM_SD, n_items)
        self.slowness = self.rng.normal(0, 0.25, n_people)
        self.noise = self.rng.uniform(0.35, 0.55, n_people)
        self.position = np.zeros(n_people, dtype=int)
        self.answered = np.zeros(n_items, dtype=int)
        self.trials: list[tuple[int, int, float, int]] = []

    def judge(self, annotator: int, item: int) -> None:
        self.position[annotator] += 1
        self.answered[item] += 1
        position = int(self.position[annotator])
        log_ms = (
            np.log(900) + self.truth[item] + self.slowness[annotator] + 0.3 * np.exp(-position / 40)
            + self.rng.normal(0, self.noise[annotator]) + (self.rng.random() < 0.02) * self.rng.exponential(1.0)
        )  # fmt: skip
        self.trials.append((item, annotator, float(np.exp(log_ms)), position))

    def fit(self) -> Any:
        item, annotator, ms, position = (np.array(column) for column in zip(*self.trials, strict=True))
        if self.knows_model:
            weight = 1 / self.noise[annotator] ** 2
            rest = np.log(ms / 900) - self.slowness[annotator] - 0.3 * np.exp(-position / 40)
            n_items = self.truth.shape[0]
            total, precision = np.bincount(item, weight * rest, n_items), np.bincount(item, weight, n_items)
            se = 1 / np.sqrt(1 / ITEM_SD**2 + precision)
            return KnownModel(se**2 * total, se, float(np.mean(1 / self.noise**2)))
        return fit_response_times(item, annotator, ms, position=position, n_items=self.truth.shape[0])


class Queue:
    """Hands items out as the product does.

    `had`: what was handed out to whom; `taken`: how often each item was; `most`: how often an item of the plan may be.
    """

    def __init__(self, crowd: Crowd, batch: int, first: int) -> None:
        self.crowd, self.batch, self.first = crowd, batch, first
        n_people, n_items = crowd.noise.shape[0], crowd.truth.shape[0]
        self.had = np.zeros((n_people, n_items), dtype=bool)
        self.taken = np.zeros(n_items, dtype=int)
        self.held: list[list[int]] = [[] for _ in range(n_people)]
        self.ranking = self.plan = np.empty(0, dtype=int)
        self.most = np.zeros(n_items, dtype=int)

    def next_for(self, annotator: int) -> int:
        """Return the next item of the annotator, after leasing as many ahead as there have to be."""
        held = self.held[annotator]
        while len(held) <= LOOKAHEAD:
            item = self._draw(annotator)
            self.had[annotator, item] = True
            self.taken[item] += 1
            held.append(item)
        return held.pop(0)

    def _draw(self, annotator: int) -> int:
        is_open = ~self.had[annotator]
        pool = self.plan[is_open[self.plan] & (self.taken[self.plan] < self.most[self.plan])][: self.first]
        if not pool.size:
            pool = self.ranking[is_open[self.ranking]][: self.first]
        if not pool.size:
            pool = np.flatnonzero(is_open)
        return int(self.crowd.rng.choice(pool, 1, replace=False)[0])

    def rank(self, fit: Any) -> None:
        """Follow a new fit."""
        found = rank_for_judgment(
            fit.item_effect, fit.item_se, share=SHARE, judgment_precision=fit.typical_precision, item_sd=fit.item_sd,
            on_their_way=self.taken - self.crowd.answered, batch=self.batch,
        )  # fmt: skip
        self.ranking = found.order
        self.plan = np.array(list(dict.fromkeys(found.plan.tolist())), dtype=int)
        planned = np.bincount(found.plan, minlength=self.taken.shape[0])
        self.most = np.where(planned > 0, self.taken + planned, 0)


def found_share(crowd: Crowd, fit: Any) -> float:
    """Return the share of the items found hardest that truly are."""
    n_hard = round(SHARE * crowd.truth.shape[0])
    effect = np.where(np.isnan(fit.item_effect), -np.inf, fit.item_effect)
    return float(np.isin(np.argsort(-effect)[:n_hard], np.argsort(-crowd.truth)[:n_hard]).mean())


def looks(budget: int) -> np.ndarray:
    """Return after how many judgments the precision is looked at, the same for all orders."""
    at = [FINEST]
    while at[-1] < budget:
        at.append(at[-1] + max(FINEST, at[-1] // (40 * FINEST) * FINEST))
    return np.array(at[:-1] if at[-1] > budget else at)


def adaptive(n_items: int, n_people: int, budget: int, refresh: int, seed: int) -> list[float]:
    """Return the precision at each look in the adaptive order."""
    from annotations.queue.ranked import ADAPTIVE_BATCH, ADAPTIVE_POOL
    from mining.services.queue_ranking import FEWEST_NEW_TRIALS, NEW_SHARE

    crowd = Crowd(n_items, n_people, seed)
    queue = Queue(crowd, ADAPTIVE_BATCH, ADAPTIVE_POOL)
    at, precision, last, looked = set(looks(budget).tolist()), [], 0, 0
    for done in range(1, budget + 1):
        annotator = done % n_people
        crowd.judge(annotator, queue.next_for(annotator))
        # The timetable looks every `refresh` judgments, and ranks where enough has come in.
        due = done - looked >= refresh
        if due:
            looked = done
        if due and done - last >= max(FEWEST_NEW_TRIALS, NEW_SHARE * last):
            fit, last = crowd.fit(), done
            if fit.item_sd > 0:
                queue.rank(fit)
        if done in at:
            precision.append(found_share(crowd, fit if last == done else crowd.fit()))
    return precision


def at_random(n_items: int, n_people: int, budget: int, seed: int, *, evenly: bool = True) -> list[float]:
    """Return the precision at each look in the random order: at its best, or everybody in an order of their own."""
    crowd = Crowd(n_items, n_people, seed)
    had = np.zeros((n_people, n_items), dtype=bool)
    at, precision = set(looks(budget).tolist()), []
    for done in range(1, budget + 1):
        annotator = done % n_people
        pool = ~had[annotator]
        if evenly:
            pool &= crowd.answered == crowd.answered[pool].min()
        item = int(crowd.rng.choice(np.flatnonzero(pool)))
        had[annotator, item] = True
        crowd.judge(annotator, item)
        if done in at:
            precision.append(found_share(crowd, crowd.fit()))
    return precision


def needed(curves: np.ndarray, budget: int, target: float) -> float:
    """Return after how many judgments the mean of the curves reaches the target; infinite if never.

    Between looks it is a straight line. What goes down again by chance is levelled: the rising curve nearest to the
    mean counts, for the first time above would come too early, and the earlier the more often one looks.
    """
    at = looks(budget)
    weights = np.diff(at, prepend=0)
    rising = isotonic_regression(np.append(SHARE, curves.mean(axis=0)), weights=np.append(FINEST, weights)).x
    if rising[-1] < target:
        return float("inf")
    after = int(np.searchsorted(rising, target))
    if after == 0:
        return 0.0
    low, high = rising[after - 1], rising[after]
    before = 0 if after == 1 else int(at[after - 2])
    return float(before + (at[after - 1] - before) * (target - low) / (high - low))


@dataclass(frozen=True, slots=True)
class Curves:
    """Precision of each simulation at each look, and the judgments made in all."""

    precision: np.ndarray
    budget: int

    def needed(self, target: float, rows: np.ndarray | None = None) -> float:
        return needed(self.precision if rows is None else self.precision[rows], self.budget, target)


def saved(ours: Curves, rival: Curves, target: float, rows: np.ndarray) -> tuple[float, float]:
    """Return the least and the most that is saved in these simulations: the same, unless one never gets there."""
    our, its = ours.needed(target, rows), rival.needed(target, rows)
    if np.isinf(our):
        return -np.inf, 1 - ours.budget / its if np.isfinite(its) else 1.0
    return 1 - our / min(its, rival.budget), 1 - our / its


def in_words(ours: Curves, rival: Curves, target: float) -> str:
    """Return what is saved, with its interval."""
    n_seeds = len(rival.precision)
    least, most = saved(ours, rival, target, np.arange(n_seeds))
    if np.isinf(least):
        return "-"
    rng = np.random.default_rng(0)
    again = [saved(ours, rival, target, rng.integers(0, n_seeds, n_seeds)) for _ in range(RESAMPLES)]
    low, high = np.quantile([a for a, _ in again], 0.05, method="lower"), np.quantile([b for _, b in again], 0.95)
    words = f"{least:.0%}" if least == most else f"{least:.0%} and more"
    if n_seeds == 1:
        return words
    return f"{words} ({f'{low:.0%}' if np.isfinite(low) else 'less'} to {f'{high:.0%}' if high < 1 else 'more'})"


def line(curves: dict[str, Curves], target: float, n_items: int) -> str:
    """Return what is printed for one precision."""
    counts = {order: curve.needed(target) for order, curve in curves.items()}
    words = {order: f"{n:,.0f}" if np.isfinite(n) else "not met" for order, n in counts.items()}
    limit = near = "-"
    if np.isfinite(counts["random"]):
        # What a judgment says is taken from the random order itself, so that noise, lapses and fits count alike.
        w = precision_of_judgment(target, counts["random"] / n_items, ITEM_SD, SHARE)
        least = fewest(target, ITEM_SD, w, SHARE) * n_items
        limit, near = f"{1 - least / counts['random']:.0%}", f"{counts['adaptive'] / least:.2f}"
    share = in_words(curves["adaptive"], curves["random"], target)
    columns = f"{target:9.2f} {words['random']:>8} {words['adaptive']:>8}  {share:22} {limit:>5} {near:>7}"
    if "own" in curves:
        columns += f" {words['own']:>9}  {in_words(curves['adaptive'], curves['own'], target)}"
    return columns


def main() -> None:
    """Print the judgments that both orders need for each precision."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--people", type=int, default=30, help="Annotators at work at the same time.")
    parser.add_argument(
        "--refresh", type=int, nargs="+", default=[200], help="Judgments between two looks at the list."
    )
    parser.add_argument("--per-item", type=int, default=22, help="Budget in judgments an item; half for adaptive.")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument(
        "--own", action="store_true", help="Beside it the random order in which everybody has their own."
    )
    parser.add_argument("--known-model", action="store_true", help="No fits: annotators and noise are known.")
    options = parser.parse_args()
    Crowd.knows_model = options.known_model
    import django

    django.setup()
    started = time.perf_counter()
    budget = options.per_item * options.items
    seeds, common = range(options.first_seed, options.first_seed + options.seeds), (options.items, options.people)
    curves = {"random": Curves(np.array([at_random(*common, budget, seed) for seed in seeds]), budget)}
    if options.own:
        curves["own"] = Curves(np.array([at_random(*common, budget, s, evenly=False) for s in seeds]), budget)
    for refresh in options.refresh:
        precision = np.array([adaptive(*common, budget // 2, refresh, seed) for seed in seeds])
        curves["adaptive"] = Curves(precision, budget // 2)
        print(
            f"{options.items} items, the hardest {SHARE:.0%}, {options.people} annotators at once, a look at the list "
            f"every {refresh} judgments, {options.seeds} simulations"
        )
        print(
            f"{'precision':>9} {'random':>8} {'adaptive':>8}  {'saved (90 %)':22} {'limit':>5} {'x least':>7}"
            + (f" {'own order':>9}  saved" if options.own else "")
        )
        for target in TARGETS:
            print(line(curves, target, options.items), flush=True)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
