"""How many judgments the adaptive order saves against the random one, with known truth.

Simulated annotators (slowness, noise and practice of their own, lapses) judge items whose true hardness is known. After
every refill the times are fitted as in the product (`fit_response_times`), and the next judgments are drawn either at
random from all open items, or at random from the head of the adaptive ranking, as the queue does it. Precision: the
share of the items found hardest that truly are among the hardest. Nobody judges an item twice.

Run: python benchmarks/adaptive_queue.py [--items 1000] [--seeds 4]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mining.hardness.next_judgments import rank_for_judgment
from mining.hardness.timing import fit_response_times

SHARE = 0.1
N_ANNOTATORS = 30
REFILL = 200
POOL = 60
ITEM_SD = 0.3
TARGETS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85)


class Crowd:
    """Annotators who judge items on demand; all trials so far as arrays."""

    def __init__(self, n_items: int, seed: int) -> None:
        self.rng = np.random.default_rng([seed, 7])
        self.truth = self.rng.normal(0, ITEM_SD, n_items)
        self.slowness = self.rng.normal(0, 0.25, N_ANNOTATORS)
        self.noise = self.rng.uniform(0.35, 0.55, N_ANNOTATORS)
        self.had = np.zeros((N_ANNOTATORS, n_items), dtype=bool)
        self.item: list[int] = []
        self.annotator: list[int] = []
        self.log_ms: list[float] = []
        self.position: list[int] = []

    def judge(self, annotator: int, item: int) -> None:
        self.had[annotator, item] = True
        position = int(self.had[annotator].sum())
        log_ms = (
            np.log(900) + self.truth[item] + self.slowness[annotator] + 0.3 * np.exp(-position / 40)
            + self.rng.normal(0, self.noise[annotator]) + (self.rng.random() < 0.02) * self.rng.exponential(1.0)
        )  # fmt: skip
        self.item.append(item)
        self.annotator.append(annotator)
        self.position.append(position)
        self.log_ms.append(float(log_ms))

    def fit(self):
        return fit_response_times(
            np.array(self.item), np.array(self.annotator), np.exp(self.log_ms),
            position=np.array(self.position), n_items=self.truth.shape[0],
        )  # fmt: skip


def precision_by_judgments(policy: str, n_items: int, budget: int, seed: int) -> list[float]:
    """Return the precision after every refill."""
    crowd = Crowd(n_items, seed)
    n_hard = round(SHARE * n_items)
    hardest = set(np.argsort(-crowd.truth)[:n_hard].tolist())
    precision, ranking = [], np.empty(0, dtype=int)
    for _ in range(0, budget, REFILL):
        for number in range(REFILL):
            annotator = number % N_ANNOTATORS
            open_to = ~crowd.had[annotator]
            pool = ranking[open_to[ranking]][:POOL] if policy == "adaptive" else np.empty(0, dtype=int)
            if pool.size == 0:
                fewest = crowd.had.sum(axis=0)
                # The random order fills every item up to an overlap before it is raised: its best case.
                pool = np.flatnonzero(open_to & (fewest == fewest[open_to].min()))
            crowd.judge(annotator, int(crowd.rng.choice(pool)))
        fit = crowd.fit()
        effect = np.where(np.isnan(fit.item_effect), -np.inf, fit.item_effect)
        precision.append(len(hardest & set(np.argsort(-effect)[:n_hard].tolist())) / n_hard)
        if fit.item_sd > 0:
            found = rank_for_judgment(
                fit.item_effect, fit.item_se, share=SHARE, judgment_precision=fit.typical_precision, item_sd=fit.item_sd
            )
            ranking = found.order[:2000]
    return precision


def needed(curve: np.ndarray, target: float) -> int | None:
    """Return after how many judgments the mean curve reaches the target and stays there on average (three refills)."""
    smooth = np.convolve(curve, np.ones(3) / 3, mode="valid")
    reached = np.flatnonzero(smooth >= target)
    return None if reached.size == 0 else int((reached[0] + 2) * REFILL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--per-item", type=int, default=22, help="Budget in judgments an item.")
    options = parser.parse_args()
    started = time.perf_counter()
    curves = {
        policy: np.mean(
            [
                precision_by_judgments(policy, options.items, options.per_item * options.items, s)
                for s in range(options.seeds)
            ],
            axis=0,
        )
        for policy in ("random", "adaptive")
    }
    print(f"{options.items} items, the hardest {SHARE:.0%}, {N_ANNOTATORS} annotators, mean of {options.seeds} seeds")
    print(f"{'precision':>9} {'random':>9} {'adaptive':>9}  saved")
    for target in TARGETS:
        counts = {policy: needed(curve, target) for policy, curve in curves.items()}
        words = {policy: f"{n:,}" if n else "not met" for policy, n in counts.items()}
        both = counts["random"] and counts["adaptive"]
        saved = f"{1 - counts['adaptive'] / counts['random']:.0%}" if both else "-"
        print(f"{target:9.2f} {words['random']:>9} {words['adaptive']:>9}  {saved}")
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
