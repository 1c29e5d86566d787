"""How well hardness is recovered from simulated trials of known truth, beside plain scores and lme4.

Run: python benchmarks/human_hardness_simulation.py [--seeds 8]
Prints, for each design, Spearman's correlation with the truth (means over seeds; lme4's over the first three), the
share of 90 % intervals that hold the truth (wanted: .85 to .95), and paired differences. lme4 runs where Rscript and
its package are installed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from mining.hardness.timing import fit_response_times
from mining.hardness.timing_rivals import mean_by_item, within_annotator_rank

DESIGNS = {
    "6 of 30 annotators": {},
    "equal noise": {"noise": (0.5, 0.5)},
    "2 judgments": {"per_item": 2},
    "3 judgments": {"per_item": 3},
    "30 judgments": {"per_item": 30},
    "3 annotators, 2 judgments": {"n_annotators": 3, "per_item": 2},
    "5 annotators, all judge all": {"n_annotators": 5, "per_item": 5, "n_items": 160},
    "300 annotators, 2 judgments": {"n_annotators": 300, "per_item": 2, "n_items": 1000},
    "2,500 annotators, 5 judgments": {"n_annotators": 2500, "per_item": 5, "n_items": 2500},
    "heavy tails (t3)": {"tail": "t3"},
    "skewed (exponential)": {"tail": "exponential"},
    "5 % lapses": {"lapses": 0.05},
    "practice": {"practice": 0.15},
    "neighbouring trials alike": {"alike": 0.2},
    "10 % censored": {"censored": 0.1},
    "all of it, 4 judgments": {"tail": "t3", "lapses": 0.05, "practice": 0.1, "censored": 0.1, "per_item": 4},
}
R_SCRIPT = """
suppressMessages(library(lme4)); path <- commandArgs(TRUE)
d <- read.csv(path[1]); start <- proc.time()[3]
fit <- lmer(y ~ 1 + (1 | item) + (1 | annotator), d, control = lmerControl(calc.derivs = FALSE))
cat(proc.time()[3] - start, "\n")
effects <- ranef(fit)$item
write.csv(data.frame(item = rownames(effects), effect = effects[, 1]), path[2], row.names = FALSE)
"""


def simulate(
    seed,
    n_items=300,
    n_annotators=30,
    per_item=6,
    noise=(0.2, 0.8),
    tail="normal",
    lapses=0.0,
    practice=0.0,
    censored=0.0,
    alike=0.0,
):
    """Return item, annotator, response_ms, position and the true item effects."""
    rng = np.random.default_rng(seed)
    b, slow = rng.normal(0, 0.25, n_items), rng.normal(0, 0.4, n_annotators)
    sd = rng.uniform(*noise, n_annotators)
    item = np.repeat(np.arange(n_items), per_item)
    annotator = np.concatenate([rng.permutation(n_annotators)[:per_item] for _ in range(n_items)])
    n = item.size
    error = {
        "normal": lambda: rng.standard_normal(n),
        "t3": lambda: rng.standard_t(3, n) / np.sqrt(3),
        "exponential": lambda: rng.exponential(1, n) - 1,
    }[tail]()
    position, order, state = np.empty(n), rng.permutation(n), np.zeros(n)
    for j in range(n_annotators):
        own = order[annotator[order] == j]
        position[own] = np.arange(1, own.size + 1)
        if alike:
            state[own] = attention(own.size, rng)
    error = np.sqrt(1 - alike) * error + np.sqrt(alike) * state
    y = 7 + b[item] + slow[annotator] + sd[annotator] * error
    y -= practice * rng.uniform(0.5, 1.5, n_annotators)[annotator] * np.log(position)
    lapse = rng.random(n) < lapses
    y[lapse] = 7 + slow[annotator[lapse]] + np.where(rng.random(lapse.sum()) < 0.5, 2.0, -1.7)
    times = np.exp(y)
    if censored:
        times[times > np.quantile(times, 1 - censored)] = np.nan
    return item, annotator, times, position, b


def attention(n, rng, lasting=8.0):
    """Return a state of mean 0 and variance 1 over n trials; after ``lasting`` of them 1/e of it is left."""
    left, state = np.exp(-1 / lasting), np.empty(n)
    state[0] = rng.standard_normal()
    for t in range(1, n):
        state[t] = left * state[t - 1] + np.sqrt(1 - left * left) * rng.standard_normal()
    return state


def lme4_effects(item, annotator, times, n_items):
    """Return (item effects, seconds) of lme4 through Rscript, or None where it is not installed."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, target, script = (Path(folder) / name for name in ("trials.csv", "effects.csv", "fit.R"))
        script.write_text(R_SCRIPT)
        known = ~np.isnan(times)
        rows = np.column_stack([item[known], annotator[known], np.log(times[known] / 1000)])
        np.savetxt(source, rows, delimiter=",", header="item,annotator,y", comments="", fmt=["%d", "%d", "%.9g"])
        done = subprocess.run(["Rscript", script, source, target], capture_output=True, text=True, check=False)
        if done.returncode:
            return None
        table = np.loadtxt(target, delimiter=",", skiprows=1, dtype=str)
        effects = np.full(n_items, np.nan)
        effects[[int(name.strip('"')) for name in table[:, 0]]] = table[:, 1].astype(float)
        return effects, float(done.stdout.split()[0])


def standardised(annotator, times):
    """Return ln times as z-scores of their annotator."""
    y = np.log(times)
    size = annotator.max() + 1
    mean = mean_by_item(annotator, y, size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return (y - mean[annotator]) / np.sqrt(mean_by_item(annotator, (y - mean[annotator]) ** 2, size))[annotator]


def compare(seed, *, with_lme4=True, **design):
    """Return {score: correlation with the truth}, and the share of 90 % intervals that hold it."""
    item, annotator, times, position, b = simulate(seed, **design)
    n_items = b.size
    fit = fit_response_times(
        item,
        annotator,
        times,
        n_items=n_items,
        position=position if design.get("practice") or design.get("alike") else None,
    )
    scores = {
        "fit": fit.item_effect,
        "raw mean": mean_by_item(item, times, n_items),
        "z": mean_by_item(item, standardised(annotator, times), n_items),
        "rank": mean_by_item(item, within_annotator_rank(annotator, times), n_items),
    }
    reference = lme4_effects(item, annotator, times, n_items) if with_lme4 and seed < 3 else None
    if reference is not None:
        scores["lme4"] = reference[0]
    rho = {}
    for name, score in scores.items():
        known = np.isfinite(score)
        rho[name] = spearmanr(score[known], b[known])[0]
    truth = b - b.mean()
    if fit.scale != "log-seconds":
        truth *= fit.item_sd / truth.std()  # in annotator SDs
    return rho, np.mean(np.abs(fit.item_effect - truth) < 1.645 * fit.item_se)


def gain(results, name):
    """Mean gain of the fit over a score, on the seeds that have both, with its standard error."""
    gains = [rho["fit"] - rho[name] for rho, _ in results if name in rho]
    if len(gains) < 2:
        return "-"
    return f"{np.mean(gains):+.4f} ({np.std(gains, ddof=1) / len(gains) ** 0.5:.4f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--designs", nargs="+", choices=list(DESIGNS), default=list(DESIGNS), metavar="NAME")
    parser.add_argument("--no-lme4", action="store_true", help="lme4 takes minutes for 2,500 annotators")
    arguments = parser.parse_args()
    seeds = arguments.seeds
    if shutil.which("Rscript") is None:
        print("Rscript is not installed: lme4 (Debian: r-cran-lme4) is skipped.")
    names = ["fit", "raw mean", "z", "rank", "lme4"]
    titles = "".join(f"{name:>10s}" for name in names)
    print(f"{'design':32s}{titles}  coverage  seconds   fit over z, and over lme4 on the same seeds (standard error)")
    for title in arguments.designs:
        design, start = DESIGNS[title], time.perf_counter()
        results = [compare(seed, with_lme4=not arguments.no_lme4, **design) for seed in range(seeds)]
        columns = []
        for name in names:
            values = [rho[name] for rho, _ in results if name in rho]
            columns.append(f"{np.mean(values):10.3f}" if values else f"{'-':>10s}")
        coverage = np.mean([share for _, share in results])
        gains = "   ".join(gain(results, name) for name in ("z", "lme4"))
        print(f"{title:32s}{''.join(columns)}{coverage:10.3f}{time.perf_counter() - start:9.1f}   {gains}", flush=True)


if __name__ == "__main__":
    main()
