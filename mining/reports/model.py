"""What models find hard: how good the learners are, the classes and confusions, the items with the highest loss."""

from __future__ import annotations

import polars as pl

from .charts import bars_by_class, histogram
from .gradient_chart import loss_and_gradient, training_map
from .people import class_means
from .section import Chart, Column, Headline, RoundFiles, Section, Table, learner_title, percent

MOST_ROWS = 20
MOST_POINTS = 1500


def build(files: RoundFiles) -> Section:
    section = Section("model", "What models find hard")
    learners = files.predictions["learners"]
    if not learners or files.main is None:
        section.text.append("No model could be trained in this round.")
        return section
    first = next(entry for entry in learners if entry["name"] == files.learner)
    chance = 1 / max(1, len(files.classes))
    section.headlines.append(
        Headline(
            "accuracy", "Accuracy out of fold", percent(first["accuracy"]),
            f"{learner_title(first['name'])}: share of the items that models get right which were not trained on them "
            f"(guessing: {percent(chance)}).",
        )
    )  # fmt: skip
    section.tables.append(_learners(learners))
    for entry in learners:
        section.text += [f"{learner_title(entry['name'])}: {warning}." for warning in entry["warnings"]]
        if not entry["out_of_fold"]:
            section.text.append(
                f"{learner_title(entry['name'])} is in-sample: it judged items that it was trained on, so every figure "
                "made from it looks far too easy, and wrong labels look right."
            )
    loss = files.measures[files.main].drop_nulls().to_numpy()
    section.charts.append(
        histogram("loss", "Loss of the items", loss, "Loss (nats)", "How many items have which loss.")
    )
    section.charts.append(_loss_and_gradient(files, files.main))
    section.charts += [_training_map(files, one["name"]) for one in learners if _followed(files, one["name"])]
    by_class = class_means(files.measures, files.classes, files.main)
    if by_class:
        section.charts.append(bars_by_class("loss_by_class", "Loss by class", by_class, "Mean loss (nats)", "loss"))
    section.tables += [_confusions(files), _surprising(files, files.main)]
    return section


def _loss_and_gradient(files: RoundFiles, main: str) -> Chart:
    gradient = f"{files.learner}.el2n"
    known = files.measures.filter(pl.col(main).is_not_null() & pl.col(gradient).is_not_null())
    drawn = known if len(known) <= MOST_POINTS else known.sample(MOST_POINTS, seed=0).sort("ordinal")
    rows = [
        {"item": item, "path": path, "x": float(f"{loss:.4g}"), "y": float(f"{size:.4g}")}
        for item, path, loss, size in drawn.select("item", "path", main, gradient).iter_rows()
    ]
    return loss_and_gradient("loss_and_gradient", rows, n_items=len(known), n_classes=len(files.classes))


def _followed(files: RoundFiles, learner: str) -> bool:
    return f"{learner}.variability" in files.measures.columns


def _training_map(files: RoundFiles, learner: str) -> Chart:
    known = files.measures.filter(pl.col(f"{learner}.variability").is_not_null())
    drawn = known if len(known) <= MOST_POINTS else known.sample(MOST_POINTS, seed=0).sort("ordinal")
    names = [f"{learner}.{measure}" for measure in ("variability", "inverse_confidence", "forgetting")]
    rows = [
        {"item": item, "path": path, "x": float(f"{moved:.4g}"), "y": float(f"{1 - doubt:.4g}"), "turns": turns}
        for item, path, moved, doubt, turns in drawn.select("item", "path", *names).iter_rows()
    ]
    short = learner.rpartition(":")[2].replace("-", "_")
    return training_map(f"training_map_{short}", learner_title(learner), rows, n_items=len(known))


def _learners(learners: list[dict]) -> Table:
    columns = (
        Column("name", "Learner"), Column("accuracy", "Accuracy", "percent"), Column("loss", "Mean loss", "number"),
        Column("n", "Items", "count"), Column("out_of_fold", "Out of fold"),
    )  # fmt: skip
    rows = [
        [
            learner_title(one["name"]),
            one["accuracy"],
            one["mean_loss"],
            one["n_scored"],
            "yes" if one["out_of_fold"] else "no, in-sample",
        ]
        for one in learners
    ]
    return Table("learners", "Learners", columns, rows)


def _confusions(files: RoundFiles) -> Table:
    predicted = f"{files.learner}.predicted"
    pairs = (
        files.measures.filter(pl.col("label").is_not_null() & pl.col(predicted).is_not_null())
        .with_columns(total=pl.len().over("label"))
        .filter(pl.col("label") != pl.col(predicted))
        .group_by("label", predicted)
        .agg(count=pl.len(), share=pl.len() / pl.col("total").first())
        .sort("count", "label", predicted, descending=[True, False, False])
        .head(MOST_ROWS)
    )
    columns = (
        Column("label", "Label"), Column("predicted", "Taken for"), Column("count", "Items", "count"),
        Column("share", "Share of the class", "percent"),
    )  # fmt: skip
    rows = [[files.classes[a], files.classes[b], count, share] for a, b, count, share in pairs.iter_rows()]
    return Table("confusions", "What is taken for what", columns, rows)


def _surprising(files: RoundFiles, main: str) -> Table:
    predicted = f"{files.learner}.predicted"
    known = files.measures.filter(pl.col(main).is_not_null())
    top = known.sort(main, "ordinal", descending=[True, False]).head(MOST_ROWS)
    columns = (
        Column("item", "Item", "item"), Column("label", "Label"), Column("predicted", "The model says"),
        Column("loss", "Loss", "number"), Column("human", files.human["title"], "number"),
    )  # fmt: skip
    rows = [
        [{"id": row["item"], "path": row["path"]}, files.classes[row["label"]], files.classes[row[predicted]],
         row[main], row[files.human["column"]]]
        for row in top.iter_rows(named=True)
    ]  # fmt: skip
    return Table("surprising", "Items with the highest loss", columns, rows)
