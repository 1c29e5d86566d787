"""Time and memory of `fit_response_times`.

Run: python benchmarks/human_hardness_speed.py [--trials 1e6 1e7] [--labels] [--positions] [--lme4]
Prints seconds (wall and processor), the peak of memory over the size of the input arrays (the inputs counted), and the
growth from one size to the next: sizes up to ten million are fitted several times, and the median counts. Beside them a
limit of this machine in the same minute: one round of plain backfitting in bare NumPy (a look-up and a `bincount` for
annotators and for items, ln and counts made before, one core). A slow hour moves both. ``--lme4`` fits 500,000 trials
of 10,000 items by 2,500 annotators with both.
"""

from __future__ import annotations

import argparse
import threading
import time
from pathlib import Path

import numpy as np
from human_hardness_simulation import lme4_effects
from scipy.stats import spearmanr

from mining.hardness import _layout
from mining.hardness.timing import fit_response_times

PAGE = 4096
TRIALS_FITTED, MOST_FITS = 3e7, 5
"""A size is fitted until so many trials have been, but not more often than that."""


def trials(n, n_items, n_annotators, seed=0):
    rng = np.random.default_rng(seed)
    item, annotator = rng.integers(0, n_items, n), rng.integers(0, n_annotators, n)
    b, slow, sd = rng.normal(0, 0.25, n_items), rng.normal(0, 0.4, n_annotators), rng.uniform(0.2, 0.8, n_annotators)
    times = rng.standard_normal(n)
    times *= sd[annotator]
    times += b[item]
    times += slow[annotator]
    times += 7
    np.exp(times, out=times)
    return item, annotator, times, b


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


class Peak:
    """Watches the process's memory while it is open."""

    def __enter__(self):
        self.before, self.most, self.open = resident(), 0, True
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while self.open:
            self.most = max(self.most, resident())
            time.sleep(0.01)

    def __exit__(self, *_):
        self.open = False
        self.thread.join()


def timed(*arrays, **extra):
    """Return a fit, its seconds, and those of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    fit = fit_response_times(*arrays, **extra)
    return fit, time.perf_counter() - wall, time.process_time() - processor


def bare_sweep(item, annotator, times, n_items):
    """Return the seconds of one round of backfitting in NumPy: equal weights, no noise, no robustness, no errors."""
    y = np.log(times)
    by_annotator = np.maximum(np.bincount(annotator), 1)
    by_item = np.maximum(np.bincount(item, minlength=n_items), 1)
    b = np.zeros(n_items)
    start = time.perf_counter()
    a = np.bincount(annotator, y - b[item]) / by_annotator
    b = np.bincount(item, y - a[annotator], n_items) / by_item
    return time.perf_counter() - start


def warm_up(extra):
    """Compile, or read from the cache, what both precisions need."""
    item, annotator, times, _ = trials(4000, 200, 20)
    arrays = {name: values[:4000] for name, values in extra.items()}
    keep = _layout.LARGE, _layout.BLOCK_BITS
    _layout.BLOCK_BITS = 5
    for large in (_layout.LARGE, 0):
        _layout.LARGE = large
        fit_response_times(item, annotator, times, **arrays)
    _layout.LARGE, _layout.BLOCK_BITS = keep


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=float, nargs="+", default=[1e6, 1e7])
    parser.add_argument("--labels", action="store_true")
    parser.add_argument("--positions", action="store_true")
    parser.add_argument("--lme4", action="store_true")
    arguments = parser.parse_args()
    start = time.perf_counter()
    rng = np.random.default_rng(1)
    before = None
    for n in (int(n) for n in arguments.trials):
        item, annotator, times, b = trials(n, max(n // 50, 100), 2500)
        extra = {}
        if arguments.labels:
            extra["label"] = rng.integers(0, 10, n)
        if arguments.positions:
            extra["position"] = rng.integers(1, 5000, n)
        if before is None:
            start = time.perf_counter()
            warm_up(extra)
            print(f"first fit, compiling or reading the cache: {time.perf_counter() - start:.1f} s")
        size = item.nbytes + annotator.nbytes + times.nbytes + sum(values.nbytes for values in extra.values())
        fits = int(min(max(TRIALS_FITTED // n, 1), MOST_FITS))
        with Peak() as peak:  # of the first alone: what it leaves behind would be taken for memory of the next
            fit, *took = timed(item, annotator, times, n_items=b.size, **extra)
        took = [took, *(timed(item, annotator, times, n_items=b.size, **extra)[1:] for _ in range(fits - 1))]
        wall, processor = np.median(took, axis=0)
        bare = float(np.median([bare_sweep(item, annotator, times, b.size) for _ in took]))
        growth = "" if before is None else f", {wall / before[1]:.1f} x the time for {n / before[0]:.0f} x the trials"
        print(
            f"{n:>11,} trials: {wall:6.2f} s wall (median of {len(took)}), {processor:6.2f} s processor, "
            f"{fit.n_sweeps} sweeps, memory {(size + peak.most - peak.before) / size:.2f} x inputs, "
            f"Spearman {spearmanr(fit.item_effect, b)[0]:.4f}; "
            f"the fit takes as long as {wall / bare:.1f} bare NumPy sweeps of {bare:.2f} s{growth}",
            flush=True,
        )
        before = (n, wall)
    if arguments.lme4:
        item, annotator, times, b = trials(500_000, 10_000, 2500)
        start = time.perf_counter()
        fit = fit_response_times(item, annotator, times)
        ours = time.perf_counter() - start
        reference = lme4_effects(item, annotator, times, 10_000)
        if reference is None:
            print("lme4 is not installed (Debian: r-cran-lme4): skipped")
            return
        theirs = reference[1]
        print(
            f"500,000 trials: {ours:.2f} s, Spearman {spearmanr(fit.item_effect, b)[0]:.4f}; lme4 {theirs:.1f} s, "
            f"{spearmanr(reference[0], b)[0]:.4f}: {theirs / ours:.0f} x faster"
        )


if __name__ == "__main__":
    main()
