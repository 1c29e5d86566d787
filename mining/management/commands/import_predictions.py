"""Take in the predictions of a model from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mining.services.predictions import PredictionsRefused, store_predictions

from ._projects import project_named

SHOWN = 50


class Command(BaseCommand):
    help = (
        "Take in class probabilities of a model: a column item (path given at import) and one a class, as CSV, Parquet "
        "or NPZ. The next round uses them as the learner file:NAME, which is printed last."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="PROJECT", help="Slug of the project.")
        parser.add_argument("file", type=Path, metavar="FILE", help="FILE.csv, FILE.parquet or FILE.npz.")
        parser.add_argument("--name", required=True, metavar="X", help="Name of the model; replaces earlier ones.")
        parser.add_argument("--out-of-fold", action="store_true",
                            help="Each item was predicted by a model that was not trained on it.")  # fmt: skip
        parser.add_argument("--logits", action="store_true", help="The values are logits, not probabilities.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        from mining.prediction_files import read_predictions

        try:
            stored = store_predictions(
                project=project,
                name=options["name"],
                table=read_predictions(options["file"]),
                out_of_fold=options["out_of_fold"],
                logits=options["logits"],
            )
        except PredictionsRefused as reason:
            for row, problem in reason.problems[:SHOWN]:
                self.stderr.write(f"row {row}: {problem}" if row else problem)
            if reason.n_problems > SHOWN:
                self.stderr.write(f"… and {reason.n_problems - SHOWN} more.")
            raise CommandError(f"Nothing was stored: {reason.n_problems} problems in {options['file'].name}.") from None
        if not stored.out_of_fold:
            self.stderr.write(
                "Warning: without --out-of-fold these may be predictions of items the model was trained on; then every "
                "item looks easier than it is. The report will say so."
            )
        if stored.n_without:
            self.stderr.write(f"Warning: {stored.n_without} items of {project.slug} have no prediction in this file.")
        self.stderr.write(f"{stored.n_items} predictions stored.")
        self.stdout.write(stored.learner)
