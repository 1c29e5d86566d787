"""Write the time hardness of every item."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.naming import project_named
from hardness_site.management.command import SiteCommand
from mining.human_words import DEFAULT_MEASURE, known_measure, words_of

from ._files import replaced_file

COLUMNS = (
    "item", "path", "time_hardness", "time_se", "time_reliability", "n_judgments", "n_censored", "time_alone",
    "raw_mean_ms", "geometric_mean_ms", "n_labels", "people_label", "label_confidence", "disagreement",
    "label_entropy",
)  # fmt: skip


class Command(SiteCommand):
    help = "Write how hard every item is by people's response times, with standard errors. Needs no round."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="PROJECT", help="Slug of the project.")
        parser.add_argument(
            "--measure", metavar="NAME",
            help="How times and answers become hardness (default: the project's own choice); the names stand on the "
            "page Hardness, Measures, with the reliability of each on the project's own trials.",
        )  # fmt: skip
        parser.add_argument("--out", required=True, metavar="FILE", help="FILE.csv or FILE.parquet.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        path = Path(options["out"])
        if path.suffix not in (".csv", ".parquet"):
            raise CommandError(f"--out must end in .csv or .parquet, not {path.name!r}.", returncode=2)
        import polars as pl

        from annotations.services.drawn_objects import update_objects
        from mining.adapters import annotator_table, item_table, read_classes, trial_table
        from mining.exports.csv_format import safe_cell
        from mining.hardness.human_measures import HUMAN_MEASURES
        from mining.people import NO_LABELS, judge_items, measure_items
        from mining.people_now.cautions import with_names

        measure = options["measure"] or known_measure(project.human_measure)
        if measure not in HUMAN_MEASURES:
            raise CommandError(
                f"No measure is called {measure!r}. There are: {', '.join(HUMAN_MEASURES)}.", returncode=2
            )
        update_objects(project=project)
        items = item_table(project)
        if items.is_empty():
            raise CommandError(f"{project.slug} has no items yet: import images first.")
        classes = [entry["name"] for entry in read_classes(project)]
        trials = trial_table(project, items)
        view = judge_items(items, trials, n_classes=len(classes))
        needs = HUMAN_MEASURES[measure].needs
        if "labels" in needs and measure != DEFAULT_MEASURE and not view.facts["labels"]["n_labels"]:
            raise CommandError(f"{HUMAN_MEASURES[measure].title}: {NO_LABELS['what']} {NO_LABELS['remedy']}")
        if view.fit is None and "times" in needs:
            entry = view.facts["missing"][0]
            raise CommandError(f"{entry['what']} {entry['remedy']}")
        names = pl.Series(classes, dtype=pl.String)
        table = view.table.with_columns(
            people_label=names.gather(view.table["consensus"].cast(pl.UInt32)),
            label_confidence=pl.when(pl.col("label_from") == "people").then(pl.col("label_confidence")),
        )
        columns = list(COLUMNS)
        if measure != DEFAULT_MEASURE:
            table = table.with_columns(pl.Series(measure, measure_items(view, trials, measure)).fill_nan(None))
            columns = [*columns[:2], measure, *(name for name in columns[2:] if name != measure)]
        table = table.select(columns)
        people = annotator_table(project)
        for warning in view.facts["time"].get("warnings", ()):
            self.stderr.write(f"Warning: {with_names(warning['message'], people)[0]}")
        buffer = io.BytesIO()
        if path.suffix == ".parquet":
            table.write_parquet(buffer)
        else:
            text = pl.col("path", "people_label").map_elements(safe_cell, return_dtype=pl.String)
            table.with_columns(text).write_csv(buffer)
        with replaced_file(path) as file:
            file.write(buffer.getvalue())
        time = view.facts["time"]
        unit, reliability = time.get("scale", "no unit"), _rounded(time.get("reliability"))
        self.stderr.write(
            f"{_counted(len(table), 'item')}, {_counted(time['n_timed'], 'trial')} by "
            f"{_counted(time['n_annotators'], 'annotator')}. "
            f"Hardness: {words_of(measure).title}. "
            f"Time hardness in {unit}; reliability {reliability}. Written to {path}."
        )
        self.stdout.write(project.slug)


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _rounded(value: float | None) -> str:
    return "unknown" if value is None or value != value else f"{value:.2f}"
