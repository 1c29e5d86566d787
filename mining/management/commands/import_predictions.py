"""Take in the predictions of a model from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.naming import project_named
from hardness_site.management.command import SiteCommand
from mining.prediction_checks import PredictionTable
from mining.services.predictions import FILES_ARE, PredictionsRefused, store_predictions

SHOWN = 50


class Command(SiteCommand):
    help = (
        "Take in class probabilities of a model: a column item (path given at import) and one a class, as CSV, "
        "Parquet, NPZ or JSON. The next round uses them as the learner file:NAME, which is printed last. Say whether "
        "the model that predicted an item had been trained on it: --out-of-fold or --in-sample."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="PROJECT", help="Slug of the project.")
        parser.add_argument("files", type=Path, nargs="+", metavar="FILE",
                            help="FILE.csv, .parquet, .npz or .json; several: see --files-are.")  # fmt: skip
        parser.add_argument("--name", required=True, metavar="X", help="Name of the model; replaces earlier ones.")
        honest = parser.add_mutually_exclusive_group(required=True)
        honest.add_argument("--out-of-fold", action="store_true",
                            help="Each item was predicted by a model that was not trained on it.")  # fmt: skip
        honest.add_argument("--in-sample", action="store_true",
                            help="Items were predicted by a model trained on them, or nobody knows: every figure made "
                            "from these predictions will carry a warning.")  # fmt: skip
        parser.add_argument("--logits", action="store_true", help="The values are logits, not probabilities.")
        parser.add_argument("--files-are", choices=tuple(FILES_ARE),
                            help="What several files are: "
                            + "; ".join(f"{name}: {words.lower()}" for name, words in FILES_ARE.items())
                            + ". Epochs give the measures of training dynamics.")  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        files: list[Path] = options["files"]
        if len(files) > 1 and options["files_are"] is None:
            raise CommandError(
                f"What are the {len(files)} files? Say --files-are {', '.join(FILES_ARE)}.", returncode=2
            )
        try:
            stored = store_predictions(
                project=project,
                name=options["name"],
                tables=_read(files),
                out_of_fold=options["out_of_fold"],
                logits=options["logits"],
                files_are=options["files_are"] or "folds",
            )
        except PredictionsRefused as reason:
            for problem in reason.problems[:SHOWN]:
                self.stderr.write(str(problem))
            if reason.n_problems > SHOWN:
                self.stderr.write(f"… and {reason.n_problems - SHOWN:,} more.")
            count = "1 problem" if reason.n_problems == 1 else f"{reason.n_problems:,} problems"
            where = files[0].name if len(files) == 1 else f"{len(files)} files"
            raise CommandError(f"Nothing was stored: {count} in {where}.") from None
        if not stored.out_of_fold:
            self.stderr.write(
                "Warning: predictions of items the model was trained on make every item look easier than it is, wrong "
                "labels included. Every figure made from them will say so."
            )
        if stored.n_without:
            self.stderr.write(f"Warning: {stored.n_without:,} items of {project.slug} have no prediction.")
        self.stderr.write(f"{stored.n_items:,} predictions stored.")
        self.stdout.write(stored.learner)


def _read(files: list[Path]) -> Iterator[PredictionTable]:
    from mining.prediction_files import read_predictions

    for path in files:
        yield read_predictions(path, among_several=len(files) > 1)
