"""Where the signals of people and models agree, and where they part."""

from __future__ import annotations

import polars as pl

from mining.comparison.quadrants import QUADRANT_TITLES
from mining.human_words import in_text

from .charts import intervals, scatter
from .section import (
    Chart,
    Column,
    Headline,
    RoundFiles,
    Section,
    Table,
    figure,
    interval_text,
    learner_title,
    percent,
)

MOST_POINTS = 2000


def build(files: RoundFiles) -> Section:
    section = Section("agreement", "Do people and models agree?")
    pairs = {pair["measure"]: pair for pair in files.comparison["pairs"]}
    if not pairs:
        section.text.append("There is too little to compare yet.")
        return section
    human = files.comparison["human"]
    if human["ceiling"] is not None:
        section.text.append(
            f"With the judgments there are, even a perfect measure could correlate with {in_text(human['title'])} at "
            f"{figure(human['ceiling'])} at most (split-half reliability {figure(human['reliability']['value'])})."
        )
    models = [pair for pair in pairs.values() if pair["family"] != "people"]
    if files.main in pairs:
        _main(section, files, pairs[files.main])
    if models:
        several = len({pair["learner"] for pair in models if pair["learner"]}) > 1
        rows = [
            {
                "label": _name(pair) if several else pair["title"],
                "group": pair["family"],
                **{k: pair["spearman"][k] for k in ("value", "low", "high")},
            }
            for pair in models
            if pair["spearman"]["value"] is not None
        ]
        rows.sort(key=lambda row: -row["value"])
        section.charts.append(
            intervals(
                "correlations", f"Rank correlation with {in_text(human['title'])}", rows, "Spearman's rho",
                f"Rank correlation of every measure of models with {in_text(human['title'])}, with 95 % intervals.",
            )
        )  # fmt: skip
    section.tables.append(_pairs(list(pairs.values()), human["title"]))
    return section


def _name(pair: dict) -> str:
    return f"{pair['title']} ({learner_title(pair['learner'])})" if pair["learner"] else pair["title"]


def _main(section: Section, files: RoundFiles, pair: dict) -> None:
    rho = pair["spearman"]
    if rho["value"] is None:
        section.text.append(f"The rank correlation of people's hardness and loss cannot be known: {rho['reason']}.")
        return
    shown = rho["low"] is not None and (rho["low"] > 0 or rho["high"] < 0)
    words = _strength(rho["value"]) if shown else "No agreement is shown: the interval holds zero"
    section.headlines.append(
        Headline(
            "agreement", "People and model agree", figure(rho["value"]),
            f"Rank correlation between the loss and {in_text(files.human['title'])} over {rho['n']:,} items. {words}.",
            interval_text(rho),
        )
    )  # fmt: skip
    if pair["time_alone"] is not None and files.human["column"] == "time_hardness":
        section.text.append(
            f"Time hardness also learns from how people answered. By response times alone the correlation is "
            f"{figure(pair['time_alone'])}."
        )
    within, between = pair["within_classes"], pair["between_classes"]
    if within["value"] is not None and between["value"] is not None:
        section.text.append(
            f"Between classes the correlation is {figure(between['value'])}, within classes {figure(within['value'])}: "
            "how much of the agreement is about which classes are hard, and how much about single items."
        )
    corrected = pair["disattenuated"]
    if corrected["value"] is not None:
        section.text.append(
            f"If people had been asked without end, the correlation would be about {figure(corrected['value'])} "
            f"({interval_text(corrected)})."
        )
    overlap, people = pair["overlap"], in_text(files.human["title"])
    section.text.append(
        f"Of the {overlap['k']:,} hardest items by {people}, {percent(overlap['share'])} are among the "
        f"{overlap['k']:,} with the highest loss; chance would give {percent(overlap['chance'])}."
    )
    section.charts.append(_scatter(files))


def _strength(rho: float) -> str:
    if rho < 0:
        return "They go in opposite directions"
    return "They agree strongly" if rho >= 0.6 else "They agree in part" if rho >= 0.3 else "They agree weakly"


def _scatter(files: RoundFiles) -> Chart:
    main, parted = files.main, files.comparison["quadrants"]
    assert main is not None
    human = files.human["column"]
    known = files.measures.filter(pl.col(human).is_not_null() & pl.col(main).is_not_null())
    drawn = known if len(known) <= MOST_POINTS else known.sample(MOST_POINTS, seed=0).sort("ordinal")
    slow, lost = pl.col(human) > parted["x_cut"], pl.col(main) > parted["y_cut"]
    which = (
        pl.when(slow & lost).then(pl.lit("both_hard")).when(slow).then(pl.lit("people_only"))
        .when(lost).then(pl.lit("model_only")).otherwise(pl.lit("both_easy"))
    )  # fmt: skip
    rows = [
        {"item": item, "path": path, "label": "" if label is None else files.classes[label], "x": round(x, 4),
         "y": float(f"{y:.4g}"), "quadrant": QUADRANT_TITLES[name]}
        for item, path, label, x, y, name in drawn.select("item", "path", "label", human, main, which).iter_rows()
    ]  # fmt: skip
    # Where half of the items lie in the lowest hundredth, a linear axis would show nothing of them.
    spans_decades = 0 < parted["y_cut"] < 0.02 * max(row["y"] for row in rows)
    some = f", {len(drawn):,} of {len(known):,} drawn" if len(drawn) < len(known) else ""
    counts = ", ".join(f"{cell['title'].lower()} {cell['count']:,}" for cell in parted["cells"])
    return scatter(
        "time_and_loss", f"Loss beside {in_text(files.human['title'])}{some}", rows,
        x_title=f"{files.human['title']} ({files.human['unit']})", y_title="Loss (nats)",
        cuts=(parted["x_cut"], parted["y_cut"]), log_y=spans_decades,
        alt_text=f"Every point is an item. Items by quadrant: {counts}.",
    )  # fmt: skip


def _pairs(pairs: list[dict], title: str) -> Table:
    columns = (
        Column("measure", "Measure"), Column("learner", "Learner"), Column("spearman", "Spearman's rho", "interval"),
        Column("kendall", "Kendall's tau-b", "interval"), Column("within", "Within classes", "interval"),
        Column("between", "Between classes", "interval"), Column("corrected", "Corrected for noise", "interval"),
        Column("overlap", "Overlap of the hardest tenth", "percent"), Column("ties", "Tied", "percent"),
    )  # fmt: skip
    rows = [
        [pair["title"], learner_title(pair["learner"]), pair["spearman"], pair["kendall"], pair["within_classes"],
         pair["between_classes"], pair["disattenuated"], pair["overlap"]["share"], pair["ties"]]
        for pair in pairs
    ]  # fmt: skip
    return Table("pairs", f"Every measure beside {in_text(title)}", columns, rows)
