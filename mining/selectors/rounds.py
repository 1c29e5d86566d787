"""Reads of rounds: their rows, and the files they computed. Files are read lazily; docs/rounds.md has their shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from annotations.models import Project
from mining.artifacts import ArtifactMissing, Folder
from mining.human_words import DEFAULT_MEASURE, words_of
from mining.models import Round, RoundStage

if TYPE_CHECKING:
    import polars as pl

MEASURES = "measures.parquet"


def rounds_of(project: Project) -> QuerySet[Round]:
    """Return the project's rounds, newest first, with who started them; `summary["headline"]` holds their figures."""
    return Round.objects.filter(project=project).select_related("created_by").order_by("-number")


def round_of(project: Project, number: int) -> Round | None:
    return Round.objects.filter(project=project, number=number).select_related("project", "created_by").first()


def latest_round(project: Project, *, done: bool = True) -> Round | None:
    """Return the newest round, by default the newest that has a report."""
    rounds = Round.objects.filter(project=project).order_by("-number")
    return (rounds.filter(status=Round.Status.SUCCEEDED) if done else rounds).first()


def stages_of(round_: Round) -> list[RoundStage]:
    """Return the stages in order, each with its job (progress, error, log)."""
    return list(round_.stages.select_related("job").order_by("index"))


def is_active(round_: Round) -> bool:
    return round_.status in (Round.Status.QUEUED, Round.Status.RUNNING)


def comparison_of(round_: Round) -> dict[str, Any] | None:
    """Return comparison.json, or None while there is none."""
    return _json(round_, "comparison.json")


def report_of(round_: Round) -> dict[str, Any] | None:
    """Return report.json, or None while there is none."""
    return _json(round_, "report.json")


def retraining_of(round_: Round) -> dict[str, Any] | None:
    """Return retraining.json, or None while there is none."""
    return _json(round_, "retraining.json")


def second_looks_in(round_: Round) -> list[dict[str, Any]]:
    """Return what the round says came of asking again: the looks of second_looks.json, see docs/rounds.md."""
    return list((_json(round_, "second_looks.json") or {}).get("looks", []))


def hard_set_facts(round_: Round) -> dict[str, Any]:
    """Return hard_sets.json: how sets compare, and what the noise gate found; empty while there is none."""
    return _json(round_, "hard_sets.json") or {}


def learning_of(project: Project) -> dict[str, Any] | None:
    """Return the learning curve over the project's rounds and the advice whether to stop, as of the latest done."""
    latest = latest_round(project)
    learning = None if latest is None else _json(latest, "learning.json")
    return learning if learning and learning["points"] else None


def chart_of(round_: Round, name: str) -> dict[str, Any] | None:
    """Return the Vega-Lite specification of one chart of the report, or None where it has no such chart."""
    report = report_of(round_)
    chart = next((chart for chart in (report or {}).get("charts", []) if chart["name"] == name), None)
    return None if chart is None else _json(round_, chart["file"])


def classes_of(round_: Round) -> list[str]:
    """Return the names of the classes as they were, in the order of their codes."""
    snapshot = _json(round_, "snapshot.json")
    return [] if snapshot is None else [entry["name"] for entry in snapshot["classes"]]


def time_unit(round_: Round) -> str:
    """Return the unit of time hardness: log-seconds or annotator SDs."""
    people = _json(round_, "people.json")
    return str((people or {}).get("time", {}).get("scale", "log-seconds"))


def human_measure(round_: Round) -> dict[str, str]:
    """Return name (`measure`), `column`, `title` and `unit` of the measure of people that the round used."""
    facts = (_json(round_, "people.json") or {}).get("human")
    if facts:
        return dict(facts)
    words = words_of(DEFAULT_MEASURE)
    return {
        "measure": DEFAULT_MEASURE, "column": words.column, "title": words.title, "unit": time_unit(round_),
    }  # fmt: skip


def measure_columns(round_: Round) -> list[str]:
    """Return the columns of measures.parquet; empty while there is none."""
    table = _table(round_)
    return [] if table is None else table.collect_schema().names()


def measures_of(
    round_: Round, item_ids: Sequence[int], columns: Sequence[str] | None = None
) -> dict[int, dict[str, Any]]:
    """Return item id -> its row of measures.parquet, for these items only. Unknown columns are left out."""
    import polars as pl

    table = _table(round_)
    if table is None or not item_ids:
        return {}
    if columns is not None:
        have = table.collect_schema().names()
        table = table.select(["item", *(name for name in columns if name in have and name != "item")])
    rows = table.filter(pl.col("item").is_in(list(item_ids))).collect()
    return {row["item"]: row for row in rows.iter_rows(named=True)}


def measures_page(
    round_: Round, *, order_by: str = "time_hardness", descending: bool = True, offset: int = 0, limit: int = 50,
    label: int | None = None,
) -> tuple[list[dict[str, Any]], int]:  # fmt: skip
    """Return one page of the items as rows of measures.parquet, and how many there are; unknown values come last.

    `label` keeps items of one class only. An unknown `order_by` orders by import.
    """
    import polars as pl

    table = _table(round_)
    if table is None:
        return [], 0
    if label is not None:
        table = table.filter(pl.col("label") == label)
    if order_by not in table.collect_schema().names():
        order_by, descending = "ordinal", False
    total = int(table.select(pl.len()).collect().item())
    ordered = table.sort(order_by, "ordinal", descending=[descending, False], nulls_last=True)
    return ordered.slice(offset, limit).collect().to_dicts(), total


def _table(round_: Round) -> pl.LazyFrame | None:
    try:
        return Folder(round_.folder).scan_table(MEASURES)
    except ArtifactMissing:
        return None


def _json(round_: Round, name: str) -> dict[str, Any] | None:
    try:
        return dict(Folder(round_.folder).read_json(name))
    except ArtifactMissing:
        return None
