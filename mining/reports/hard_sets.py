"""The round's hard sets and what the noise gate says of them."""

from __future__ import annotations

from .charts import stacked
from .section import Column, Headline, RoundFiles, Section, Table, counted


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
    columns = (Column("set", "Hard set"), Column("n", "Items", "count"), Column("notes", "Remarks"))
    table = [[one["title"], one["n_members"], " ".join(one["notes"])] for one in sets]
    section.tables.append(Table("sets", "Hard sets of this round", columns, table))
    return section
