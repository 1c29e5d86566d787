"""What people say of every item: time hardness with its standard error, consensus, and the label to use."""

from __future__ import annotations

from typing import Any

from mining.human_words import DEFAULT_MEASURE
from mining.people import judge_items

from .context import StageRun


def run(stage: StageRun) -> dict[str, Any]:
    """Write people.parquet (a row an item, in the items' order) and people.json."""
    stage.run.progress(0, 2, stage="Fitting response times")
    items = stage.folder.read_table("items.parquet")
    trials = stage.folder.read_table("trials.parquet")
    classes = stage.folder.read_json("snapshot.json")["classes"]
    view = judge_items(
        items,
        trials,
        n_classes=len(classes),
        label_source=stage.params["label_source"],
        measure=stage.params.get("human_measure", DEFAULT_MEASURE),
    )
    for entry in view.facts["missing"]:
        stage.lack(entry["what"], entry["remedy"])
    for warning in view.facts["time"].get("warnings", ()):
        stage.run.note(warning["message"], subject=warning["name"], level="warning")
    stage.run.progress(1, 2, stage="Writing")
    table = view.table
    stage.write_table("people.parquet", table)
    stage.write_json("people.json", view.facts)
    return stage.result(
        n_judged=int((table["n_judgments"] > 0).sum()),
        n_labelled=int(table["label"].is_not_null().sum()),
        reliability=view.facts["time"].get("reliability"),
    )
