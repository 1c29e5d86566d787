"""Picking 10,000 of a million items with every strategy, once the measures stand; and the noise gate for all of them.

Run: OMP_NUM_THREADS=1 python -m benchmarks.mining_speed
"""

import time

import numpy as np

from mining.hardness.near_duplicates import near_duplicate_groups
from mining.hardness.registry import compute_measures
from mining.learners.folds import group_folds
from mining.strategies.catalogue import STRATEGIES
from mining.strategies.noise_gate import gate_verdicts

N_ITEMS, N_CLASSES = 1_000_000, 10


def main() -> None:
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.full(N_CLASSES, 0.5), size=N_ITEMS)
    given = generator.integers(0, N_CLASSES, N_ITEMS)
    table = {
        "given": given,
        "probabilities": probabilities,
        **compute_measures(probabilities, given),
        "time_hardness": generator.normal(size=N_ITEMS),
        "disagreement": generator.random(N_ITEMS).round(1),
        "n_judgments": generator.integers(2, 5, N_ITEMS),
        "people_label": np.where(generator.random(N_ITEMS) < 0.7, given, generator.integers(0, N_CLASSES, N_ITEMS)),
        "people_confidence": generator.random(N_ITEMS),
    }
    eligible = np.ones(N_ITEMS, dtype=bool)
    for name, strategy in STRATEGIES.items():
        started = time.perf_counter()
        selection = strategy.select(table, eligible=eligible, limit=10_000)
        print(f"{name:20s} {time.perf_counter() - started:.3f} s, {len(selection.index)} items")
    for name, work in (
        ("noise gate", lambda: gate_verdicts(table)),
        ("folds, 200,000 groups", lambda: group_folds(given, np.arange(N_ITEMS) // 5)),
        ("near-duplicates", lambda: near_duplicate_groups(generator.integers(0, 2**63, N_ITEMS).astype(np.uint64))),
    ):
        started = time.perf_counter()
        work()
        print(f"{name:20s} {time.perf_counter() - started:.3f} s")


if __name__ == "__main__":
    main()
