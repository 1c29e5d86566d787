"""Take in vectors that describe the items."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.naming import project_named
from hardness_site.management.command import SiteCommand
from mining.prediction_checks import PredictionsRefused
from mining.services.feature_sources import store_features

from ._problems import refusal


class Command(SiteCommand):
    help = (
        "Take in features of the items: NPY with a list of items beside it, NPZ (item, features), or Parquet (a column "
        "item, and one of lists or one a number). A round uses them with --set feature_kind=file:NAME, which is "
        "printed last."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="PROJECT", help="Slug of the project.")
        parser.add_argument("file", type=Path, metavar="FILE", help="FILE.npy, .npz or .parquet.")
        parser.add_argument("--name", required=True, metavar="X", help="What to call them; replaces earlier ones.")
        parser.add_argument("--items", type=Path, metavar="LIST",
                            help="For NPY: text with a path a line, or CSV with the column item.")  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        from mining.feature_files import open_feature_file
        from mining.source_jobs import remarks_on

        project = project_named(options["project"])
        for path in filter(None, (options["file"], options["items"])):
            if not path.is_file():
                raise CommandError(f"There is no file {path}.")
        try:
            table = open_feature_file(options["file"], options["items"])
            stored = store_features(project=project, name=options["name"], table=table)
        except PredictionsRefused as reason:
            raise refusal(reason, self.stderr, options["file"].name) from None
        for line in remarks_on(stored):
            self.stderr.write(f"Warning: {line}")
        self.stderr.write(f"{stored.n_items:,} vectors of {stored.dimension:,} numbers stored.")
        self.stdout.write(stored.choice)
