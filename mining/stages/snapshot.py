"""Take down what the round works on: items, trials, annotators and classes, as they are now."""

from __future__ import annotations

from typing import Any

import polars as pl

from annotations.services.drawn_objects import update_objects
from mining.adapters import annotator_table, item_table, read_classes, trial_table
from mining.models import Round

from .context import StageRun

SYNTHETIC = "synthetic"


def run(stage: StageRun) -> dict[str, Any]:
    """Write items.parquet, trials.parquet, annotators.parquet and snapshot.json."""
    project = stage.round.project
    update_objects(project=project, on_images=lambda count: stage.run.check())
    progress = stage.on_progress("Reading items")
    items = item_table(project, on_chunk=lambda count: progress(count, project.n_items or count))
    n_trials = project.trials.count()
    progress = stage.on_progress("Reading trials")
    trials = trial_table(project, items, on_chunk=lambda count: progress(count, n_trials))
    annotators = annotator_table(project)
    kinds = trials.select("annotator").unique().join(annotators.with_row_index("annotator"), on="annotator")
    has_synthetic = SYNTHETIC in kinds["kind"].to_list() or SYNTHETIC in trials["source"].unique().to_list()
    stage.write_table("items.parquet", items)
    stage.write_table("trials.parquet", trials)
    stage.write_table("annotators.parquet", annotators)
    facts = {
        "classes": read_classes(project),
        "n_items": len(items),
        "n_given": int(items["given"].is_not_null().sum()),
        "n_trials": len(trials),
        "n_answers": int(trials.select(pl.col("label").is_not_null().sum()).item()),
        "n_annotators": len(kinds),
        "order": project.order,
        "overlap": project.overlap,
        "has_synthetic": has_synthetic,
    }
    stage.write_json("snapshot.json", facts)
    Round.objects.filter(pk=stage.round.pk).update(has_synthetic=has_synthetic)
    return stage.result(**{name: value for name, value in facts.items() if name != "classes"})
