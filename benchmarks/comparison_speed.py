"""The comparison stage of a round: processor seconds and peak memory, by number of items.

Synthetic trials (200 annotators, five judgments an item) and two learners of ten classes with all their measures.

Run: OMP_NUM_THREADS=1 python -m benchmarks.comparison_speed [n_items ...]   (default 100000 1000000)
"""

from __future__ import annotations

import os
import resource
import sys
import time
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hardness_site.settings.test")

import django
import numpy as np
import polars as pl

django.setup()

from mining.hardness.registry import compute_measures  # noqa: E402
from mining.services.round_params import DEFAULTS  # noqa: E402
from mining.stages import comparison  # noqa: E402

N_ANNOTATORS, JUDGMENTS, N_CLASSES = 200, 5, 10


class Files:
    """The files of a round, in memory."""

    def __init__(self, tables: dict[str, pl.DataFrame]) -> None:
        self.tables = tables

    def read_table(self, name: str, columns: list[str] | None = None) -> pl.DataFrame:
        return self.tables[name] if columns is None else self.tables[name].select(columns)

    def read_json(self, name: str) -> dict[str, Any]:
        return {"time": {"scale": "log-seconds"}}


def stage_of(tables: dict[str, pl.DataFrame]) -> Any:
    """Return what the stage wants of a `StageRun`."""
    written: dict[str, Any] = {}
    return SimpleNamespace(
        folder=Files(tables),
        params={**DEFAULTS, "learners": [{"name": "hog_svm"}, {"name": "knn"}]},
        run=SimpleNamespace(progress=lambda *_, **__: None, note=lambda *_, **__: None),
        on_progress=lambda doing: lambda done, total: None,
        lack=lambda what, remedy: None,
        missing=[],
        written=written,
        write_json=written.__setitem__,
        result=lambda **facts: facts,
    )


def tables_of(n_items: int, seed: int = 0) -> dict[str, pl.DataFrame]:
    """Return measures.parquet and trials.parquet of a round with known truth."""
    generator = np.random.default_rng(seed)
    hardness = generator.normal(0, 0.3, n_items)
    given = generator.integers(0, N_CLASSES, n_items)
    item = np.repeat(np.arange(n_items), JUDGMENTS)
    annotator = generator.integers(0, N_ANNOTATORS, len(item))
    slow = generator.normal(0, 0.3, N_ANNOTATORS)
    response_ms = np.exp(6.8 + hardness[item] + slow[annotator] + generator.normal(0, 0.4, len(item)))
    wrong = generator.random(len(item)) < 0.03 + 0.1 * (hardness[item] > 0.3)
    label = np.where(wrong, generator.integers(0, N_CLASSES, len(item)), given[item])
    trials = pl.DataFrame({"item": item, "annotator": annotator, "response_ms": response_ms, "label": label,
                           "timed": np.ones(len(item), dtype=bool)})  # fmt: skip
    columns: dict[str, Any] = {
        "item": np.arange(n_items), "ordinal": np.arange(n_items), "label": given, "time_hardness": hardness,
        "time_alone": hardness + generator.normal(0, 0.1, n_items),
        "disagreement": np.bincount(item, wrong, n_items) / JUDGMENTS,
        "label_entropy": np.bincount(item, wrong, n_items) / JUDGMENTS,
        "raw_mean_ms": np.bincount(item, response_ms, n_items) / JUDGMENTS,
        "geometric_mean_ms": np.exp(np.bincount(item, np.log(response_ms), n_items) / JUDGMENTS),
    }  # fmt: skip
    for name in ("hog_svm", "knn"):
        logits = generator.normal(0, 1, (n_items, N_CLASSES))
        logits[np.arange(n_items), given] += 2.5 - 2 * hardness
        belief = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        if name == "knn":
            belief = (np.round(belief * 15) + 0.01) / (np.round(belief * 15) + 0.01).sum(axis=1, keepdims=True)
        measures = compute_measures(belief, given)
        columns |= {f"{name}.{key}": value for key, value in measures.items() if key != "band"}
    columns["kdn"] = generator.integers(0, 11, n_items) / 10
    columns["instance_hardness"] = 1 - np.exp(-columns["hog_svm.loss"])
    return {"measures.parquet": pl.DataFrame(columns), "trials.parquet": trials}


def main(sizes: list[int]) -> None:
    comparison._time_scores(np.array([0, 1]), np.array([0, 1]), np.array([500.0, 600.0]), np.array([0, 1]), 2)
    for n_items in sizes:
        tables = tables_of(n_items)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started, processor = time.perf_counter(), time.process_time()
        stage = stage_of(tables)
        comparison.run(stage)
        main_pair = next(p for p in stage.written["comparison.json"]["pairs"] if p["measure"] == "hog_svm.loss")
        rho = main_pair["spearman"]
        print(
            f"{n_items:,} items, {len(tables['trials.parquet']):,} trials, "
            f"{len(stage.written['comparison.json']['pairs'])} measures: {time.process_time() - processor:.1f} s of "
            f"processor, {time.perf_counter() - started:.1f} s by the clock, peak memory "
            f"+{(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024:.0f} MB; "
            f"rho {rho['value']:.4f} ({rho['low']:.4f} to {rho['high']:.4f})"
        )


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [100_000, 1_000_000])
