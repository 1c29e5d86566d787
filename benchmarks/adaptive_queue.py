"""How many judgments the adaptive order saves against the random one, with known truth.

Simulated annotators (slowness, noise and practice of their own, lapses) judge items whose true hardness is known. They
all work at once, as in the product: everybody holds some items ahead and draws a chunk at a time from the stored
ranking, which is worked out anew only now and then, from a fit of the times (`fit_response_times`) that are in by then.
The random order is its best case: every item gets its n-th judgment before any gets the next. Nobody judges an item
twice. Precision: the share of the items found hardest that truly are among the hardest. Intervals: bootstrap over the
simulations.

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

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hardness_site.settings.test")

from mining.hardness.next_judgments import rank_for_judgment
from mining.hardness.timing import fit_response_times

SHARE = 0.1
LOOKAHEAD = 4
ITEM_SD = 0.3
STEP = 200
"""Judgments between two looks at the precision."""
TARGETS = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85)
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

    def __init__(self, crowd: Crowd, batch: int, chunk: int, after: int) -> None:
        self.crowd, self.batch, self.chunk, self.after = crowd, batch, chunk, after
        n_people, n_items = crowd.noise.shape[0], crowd.truth.shape[0]
        self.had = np.zeros((n_people, n_items), dtype=bool)
        self.taken = np.zeros(n_items, dtype=int)
        self.drawn: list[list[int]] = [[] for _ in range(n_people)]
        self.held: list[list[int]] = [[] for _ in range(n_people)]
        self.ranking = np.empty(0, dtype=int)
        self.most = np.zeros(n_items, dtype=int)

    def next_for(self, annotator: int) -> int:
        """Return the next item of the annotator, after leasing as many ahead as there have to be."""
        held = self.held[annotator]
        while len(held) <= LOOKAHEAD:
            if not self.drawn[annotator]:
                self.drawn[annotator] = self._draw(annotator)
            item = self.drawn[annotator].pop()
            self.had[annotator, item] = True
            self.taken[item] += 1
            held.append(item)
        return held.pop(0)

    def _draw(self, annotator: int) -> list[int]:
        is_open = ~self.had[annotator]
        pool = np.flatnonzero(is_open & (self.taken < self.most))
        if not pool.size:
            pool = self.ranking[is_open[self.ranking]][: self.after]
        if not pool.size:
            pool = np.flatnonzero(is_open)
        return self.crowd.rng.choice(pool, min(self.chunk, pool.size), replace=False).tolist()

    def rank(self, fit: Any) -> None:
        """Follow a new fit; what was drawn by the old plan is put back."""
        found = rank_for_judgment(
            fit.item_effect, fit.item_se, share=SHARE, judgment_precision=fit.typical_precision, item_sd=fit.item_sd,
            on_their_way=self.taken - self.crowd.answered, batch=self.batch,
        )  # fmt: skip
        self.ranking = found.order
        planned = np.bincount(found.plan, minlength=self.taken.shape[0])
        self.most = np.where(planned > 0, self.taken + planned, 0)
        self.drawn = [[] for _ in self.drawn]


def found_share(crowd: Crowd, fit: Any) -> float:
    """Return the share of the items found hardest that truly are."""
    n_hard = round(SHARE * crowd.truth.shape[0])
    effect = np.where(np.isnan(fit.item_effect), -np.inf, fit.item_effect)
    return float(np.isin(np.argsort(-effect)[:n_hard], np.argsort(-crowd.truth)[:n_hard]).mean())


def adaptive(n_items: int, n_people: int, budget: int, refresh: int, seed: int) -> list[float]:
    """Return the precision after every two hundred judgments in the adaptive order."""
    from annotations.queue.ranked import ADAPTIVE_BATCH, ADAPTIVE_CHUNK, ADAPTIVE_POOL
    from mining.services.queue_ranking import FEWEST_NEW_TRIALS, NEW_SHARE

    crowd = Crowd(n_items, n_people, seed)
    queue = Queue(crowd, ADAPTIVE_BATCH, ADAPTIVE_CHUNK, ADAPTIVE_POOL)
    precision, last, looked = [], 0, 0
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
        if done % STEP == 0:
            precision.append(found_share(crowd, fit if last == done else crowd.fit()))
    return precision


def at_random(n_items: int, n_people: int, budget: int, seed: int) -> list[float]:
    """Return the precision after every two hundred judgments in the random order at its best."""
    crowd = Crowd(n_items, n_people, seed)
    had = np.zeros((n_people, n_items), dtype=bool)
    precision = []
    for done in range(1, budget + 1):
        annotator = done % n_people
        fewest = crowd.answered[~had[annotator]].min()
        item = int(crowd.rng.choice(np.flatnonzero(~had[annotator] & (crowd.answered == fewest))))
        had[annotator, item] = True
        crowd.judge(annotator, item)
        if done % STEP == 0:
            precision.append(found_share(crowd, crowd.fit()))
    return precision


def needed(curves: np.ndarray, target: float) -> float:
    """Return after how many judgments the mean curve reaches the target for good on average; infinite if never."""
    smooth = np.convolve(curves.mean(axis=0), np.ones(3) / 3, mode="valid")
    reached = np.flatnonzero(smooth >= target)
    return float("inf") if reached.size == 0 else float((reached[0] + 2) * STEP)


def saved(curves: dict[str, np.ndarray], target: float, rows: np.ndarray) -> float:
    """Return the share of judgments saved, in these simulations."""
    return 1 - needed(curves["adaptive"][rows], target) / needed(curves["random"][rows], target)


def line(curves: dict[str, np.ndarray], target: float) -> str:
    """Return what is printed for one precision."""
    n_seeds = len(curves["random"])
    counts = {order: needed(curve, target) for order, curve in curves.items()}
    words = {order: f"{n:,.0f}" if np.isfinite(n) else "not met" for order, n in counts.items()}
    share = "-"
    if np.isfinite(counts["adaptive"]) and np.isfinite(counts["random"]):
        rng = np.random.default_rng(0)
        again = [saved(curves, target, rng.integers(0, n_seeds, n_seeds)) for _ in range(RESAMPLES)]
        low, high = np.nanpercentile(again, [5, 95])
        share = f"{saved(curves, target, np.arange(n_seeds)):.0%}  ({low:.0%} to {high:.0%})"
    elif np.isfinite(counts["adaptive"]):
        budget = curves["random"].shape[1] * STEP
        share = f"more than {1 - counts['adaptive'] / budget:.0%}"
    return f"{target:9.2f} {words['random']:>9} {words['adaptive']:>9}  {share}"


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
    parser.add_argument("--known-model", action="store_true", help="No fits: annotators and noise are known.")
    options = parser.parse_args()
    Crowd.knows_model = options.known_model
    import django

    django.setup()
    started = time.perf_counter()
    budget = options.per_item * options.items
    seeds, common = range(options.seeds), (options.items, options.people)
    random = np.array([at_random(*common, budget, seed) for seed in seeds])
    for refresh in options.refresh:
        curves = {"random": random, "adaptive": np.array([adaptive(*common, budget // 2, refresh, s) for s in seeds])}
        print(
            f"{options.items} items, the hardest {SHARE:.0%}, {options.people} annotators at once, a look at the list "
            f"every {refresh} judgments, {options.seeds} simulations"
        )
        print(f"{'precision':>9} {'random':>9} {'adaptive':>9}  saved (90 %)")
        for target in TARGETS:
            print(line(curves, target), flush=True)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
