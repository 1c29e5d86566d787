"""What a report is made of. Everything here ends up in report.json and charts/, see docs/rounds.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from mining.artifacts import Folder
from mining.human_words import DEFAULT_MEASURE
from mining.learners.catalogue import LEARNERS
from mining.models import Round
from mining.people import human_facts
from mining.selectors.choices import FILE_PREFIX


@dataclass(frozen=True)
class Column:
    """`kind` says how a page shows it: item, text, count, number, percent or interval."""

    name: str
    title: str
    kind: str = "text"


@dataclass(frozen=True)
class Table:
    name: str
    title: str
    columns: tuple[Column, ...]
    rows: list[list[Any]]

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "columns": [vars(column) for column in self.columns],
            "rows": self.rows,
        }


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite specification with its data inside, and what it shows in words."""

    name: str
    title: str
    alt: str
    spec: dict[str, Any]

    @property
    def file(self) -> str:
        return f"charts/{self.name}.json"

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "title": self.title, "alt": self.alt, "file": self.file}


@dataclass(frozen=True)
class Headline:
    """One figure at the top. `tone`: good, neutral or warning."""

    name: str
    title: str
    value: str
    text: str
    interval: str = ""
    tone: str = "neutral"


@dataclass
class Section:
    name: str
    title: str
    text: list[str] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    headlines: list[Headline] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "text": self.text,
            "charts": [chart.name for chart in self.charts],
            "tables": [table.as_dict() for table in self.tables],
        }


@dataclass
class RoundFiles:
    """What a round has computed, each file read when it is first asked for."""

    round: Round

    @property
    def folder(self) -> Folder:
        return Folder(self.round.folder)

    @cached_property
    def snapshot(self) -> dict[str, Any]:
        return dict(self.folder.read_json("snapshot.json"))

    @cached_property
    def people(self) -> dict[str, Any]:
        return dict(self.folder.read_json("people.json"))

    @cached_property
    def predictions(self) -> dict[str, Any]:
        return dict(self.folder.read_json("predictions.json"))

    @cached_property
    def comparison(self) -> dict[str, Any]:
        return dict(self.folder.read_json("comparison.json"))

    @cached_property
    def hard_sets(self) -> dict[str, Any]:
        return dict(self.folder.read_json("hard_sets.json"))

    @cached_property
    def second_looks(self) -> dict[str, Any]:
        return dict(self.folder.read_json("second_looks.json"))

    @cached_property
    def retraining(self) -> dict[str, Any]:
        return dict(self.folder.read_json("retraining.json"))

    @cached_property
    def measures(self) -> pl.DataFrame:
        return self.folder.read_table("measures.parquet")

    @property
    def human(self) -> dict[str, str]:
        """Measure, column, title and unit of hardness by people in this round."""
        return self.people.get("human") or human_facts(DEFAULT_MEASURE, self.people["time"].get("scale", ""))

    @property
    def classes(self) -> list[str]:
        return [entry["name"] for entry in self.snapshot["classes"]]

    @property
    def main(self) -> str | None:
        """The measure that is shown first."""
        return self.comparison["main"]

    @property
    def learner(self) -> str | None:
        return self.main.rpartition(".")[0] if self.main else None


def learner_title(name: str | None) -> str:
    """Return the name of a learner for people; imported predictions go by the name they were given."""
    if name in LEARNERS:
        return LEARNERS[name].title
    return (name or "").removeprefix(FILE_PREFIX)


def figure(value: float | None, digits: int = 2) -> str:
    """Write a number as the pages do: with a real minus; a dash where it is not known."""
    if value is None or value != value:
        return "–"
    text = f"{abs(value):.{digits}f}"
    return f"−{text}" if value < 0 and float(f"{abs(value):.{digits}f}") else text


def interval_text(estimate: dict[str, Any] | None, digits: int = 2) -> str:
    if not estimate or estimate.get("low") is None or estimate.get("high") is None:
        return ""
    return f"{figure(estimate['low'], digits)} to {figure(estimate['high'], digits)}"


def percent(value: float | None) -> str:
    return "–" if value is None or value != value else f"{100 * value:.0f} %"


def counted(count: int, noun: str, plural: str = "") -> str:
    """Write "1 item", "1,000 items"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
