"""What people say: how hard the items are by their times, how sure that is, and how far people agree."""

from __future__ import annotations

import polars as pl

from mining.human_words import in_text

from .charts import bars_by_class, histogram
from .section import Column, Headline, RoundFiles, Section, Table, counted, figure

FEWEST_IN_CLASS = 3


def build(files: RoundFiles) -> Section:
    section = Section("people", "What people find hard")
    time, table = files.people["time"], files.measures
    judged = int((table["n_judgments"] > 0).sum())
    section.headlines.append(
        Headline(
            "judged", "Items judged", f"{judged:,} of {len(table):,}",
            f"{counted(files.snapshot['n_annotators'], 'annotator')} and "
            f"{counted(files.snapshot['n_trials'], 'trial')}, {time['n_timed'] - time['n_censored']:,} of them with a "
            f"usable time and {time['n_censored']:,} that ran out of time.",
            tone="neutral" if judged else "warning",
        )
    )  # fmt: skip
    if files.snapshot["has_synthetic"]:
        section.text.append("Synthetic annotators took part: these times are made by a simulation, not by people.")
    if time["null_reasons"]:
        reasons = ", ".join(f"{reason.replace('_', ' ')} {count:,}" for reason, count in time["null_reasons"].items())
        section.text.append(f"Trials without a response time, by reason: {reasons}.")
    if "reliability" in time:
        _time(section, files)
    section.text += [warning["message"] for warning in time.get("warnings", [])]
    _disagreement(section, files)
    return section


def _time(section: Section, files: RoundFiles) -> None:
    reliability, table = files.people["time"]["reliability"], files.measures
    if reliability is not None:
        section.headlines.append(
            Headline(
                "reliability", "Reliability of time hardness", figure(reliability),
                "How much of the differences between items is the items and not chance; above 0.7 is good, below 0.4 "
                "more judgments are needed.",
                tone="good" if reliability >= 0.7 else "neutral" if reliability >= 0.4 else "warning",
            )
        )  # fmt: skip
    human = files.human
    column, title = human["column"], human["title"]
    values = table[column].drop_nulls().to_numpy()
    section.charts.append(
        histogram(
            "time_hardness", f"{title} of the items", values, f"{title} ({human['unit']})",
            f"How many items have which {in_text(title)}.",
        )
    )  # fmt: skip
    by_class = class_means(table, files.classes, column)
    if by_class:
        section.charts.append(
            bars_by_class("time_by_class", f"{title} by class", by_class, f"Mean {in_text(title)}", in_text(title))
        )
    known = table.filter(pl.col(column).is_not_null())
    hardest = known.sort(column, "ordinal", descending=[True, False])
    with_error = column == "time_hardness"
    rows = [
        [{"id": row["item"], "path": row["path"]}, _class(files, row["label"]), row[column],
         *([row["time_se"]] if with_error else []), row["n_judgments"], row["disagreement"]]
        for row in hardest.head(20).iter_rows(named=True)
    ]  # fmt: skip
    columns = (
        Column("item", "Item", "item"), Column("label", "Label"), Column(column, title, "number"),
        *([Column("time_se", "Standard error", "number")] if with_error else []),
        Column("n_judgments", "Judgments", "count"), Column("disagreement", "Disagreement", "percent"),
    )  # fmt: skip
    section.tables.append(Table("slowest", f"Hardest items by {in_text(title)}", columns, rows))


def _disagreement(section: Section, files: RoundFiles) -> None:
    table = files.measures
    both = table.filter(pl.col("given").is_not_null() & pl.col("consensus").is_not_null())
    differing = both.filter(pl.col("given") != pl.col("consensus"))
    if len(both):
        section.text.append(
            f"People agree on another label than the given one on {len(differing):,} of "
            f"{counted(len(both), 'item')} that have both."
        )


def _class(files: RoundFiles, code: int | None) -> str:
    return "" if code is None else files.classes[code]


def class_means(table: pl.DataFrame, classes: list[str], measure: str) -> list[dict[str, object]]:
    """Mean of a measure in every class that has three known items, with a 95 % interval, hardest first."""
    means = (
        table.filter(pl.col("label").is_not_null() & pl.col(measure).is_not_null())
        .group_by("label")
        .agg(mean=pl.col(measure).mean(), sd=pl.col(measure).std(), n=pl.len())
        .filter(pl.col("n") >= FEWEST_IN_CLASS)
        .sort("mean", "label", descending=[True, False])
    )
    rows: list[dict[str, object]] = []
    for row in means.iter_rows(named=True):
        half = 1.96 * row["sd"] / row["n"] ** 0.5
        rows.append({"class": classes[row["label"]], "mean": row["mean"], "low": row["mean"] - half,
                     "high": row["mean"] + half, "n": row["n"]})  # fmt: skip
    return rows
