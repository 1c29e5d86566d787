"""The round's hard sets and what the noise gate says of them."""

from __future__ import annotations

from typing import Any

from mining.strategies.second_look import OUTCOME_TITLES

from .charts import stacked
from .section import Column, Headline, RoundFiles, Section, Table, counted

MOST_CHANGED = 50


def build(files: RoundFiles) -> Section:
    section = Section("hard_sets", "Hard sets")
    sets, titles = files.hard_sets["hard_sets"], files.hard_sets["verdict_titles"]
    filled = [one for one in sets if one["n_members"]]
    suspects = max((one["verdicts"].get("mislabelled", 0) for one in sets), default=0)
    section.headlines.append(
        Headline(
            "hard_sets", "Hard sets", str(len(filled)),
            ", ".join(f"{one['title'].lower()} {one['n_members']:,}" for one in filled) + "."
            if filled
            else "No strategy found an item.",
            tone="neutral" if filled else "warning",
        )
    )  # fmt: skip
    if suspects:
        section.text.append(
            f"{counted(suspects, 'item')} of one set look wrongly labelled rather than hard. Ask people before "
            "anything is trained on them: ask again puts them first."
        )
    section.text += _gate_text(files.hard_sets.get("gate", {}))
    rows = [
        {"label": one["title"], "part": titles.get(verdict, verdict), "count": count}
        for one in filled
        for verdict, count in one["verdicts"].items()
        if verdict
    ]
    if rows:
        section.charts.append(
            stacked("verdicts", "What the noise gate says", rows, "Items",
                    "Members of every hard set by the verdict of the noise gate.")
        )  # fmt: skip
    columns = (
        Column("set", "Hard set"), Column("n", "Items", "count"), Column("new", "New since the round before", "count"),
        Column("notes", "Remarks"),
    )  # fmt: skip
    changes = files.hard_sets.get("compared", {}).get("changes", {})
    table = [
        [one["title"], one["n_members"], changes.get(one["strategy"], {}).get("n_new"), " ".join(one["notes"])]
        for one in sets
    ]
    section.tables.append(Table("sets", "Hard sets of this round", columns, table))
    _add_second_looks(section, files.second_looks["looks"])
    return section


def _gate_text(gate: dict[str, int]) -> list[str]:
    """Say what the noise gate finds against the given label, and against the label that was used."""
    if not gate.get("mislabelled_given"):
        return []
    text = (
        f"Against the given label {counted(gate['mislabelled_given'], 'item')} of {gate['n_given']:,} look wrongly "
        f"labelled; against the label used, {gate['mislabelled_used']:,}."
    )
    if gate["repaired"]:
        text += f" For {gate['repaired']:,} of them people's label has taken the place of the given one in training."
    return [text]


def _add_second_looks(section: Section, looks: list[dict[str, Any]]) -> None:
    """Say what came of asking again: a row for each set that was sent back."""
    if not looks:
        return
    columns = (
        Column("set", "Asked again"), Column("round", "Of round", "count"), Column("n", "Items", "count"),
        *(Column(name, OUTCOME_TITLES[name], "count") for name in OUTCOME_TITLES),
    )  # fmt: skip
    rows = [
        [look["title"], look["round"], look["n_items"], *(look["counts"].get(name, 0) for name in OUTCOME_TITLES)]
        for look in looks
    ]
    section.tables.append(Table("second_looks", "What came of asking again", columns, rows))
    changed = [
        [look["title"], {"id": item, "path": path}, was, now]
        for look in looks
        for item in look["items"].get("label_changed", [])[:MOST_CHANGED]
        for was, now, path in [look["labels"][str(item)]]
    ]
    if changed:
        columns = (
            Column("set", "Asked again"), Column("item", "Item", "item"), Column("was", "Label before"),
            Column("now", "Label now"),
        )  # fmt: skip
        section.tables.append(Table("labels_changed", "Labels that changed", columns, changed))
