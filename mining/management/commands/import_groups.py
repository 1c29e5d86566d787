"""Take in groups of items that must stay together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.naming import project_named
from hardness_site.management.command import SiteCommand
from mining.prediction_checks import PredictionsRefused
from mining.services.groups import read_groups, store_groups

from ._problems import refusal


class Command(SiteCommand):
    help = (
        "Take in which items belong together (a patient, a video, a place): CSV or Parquet with the column item and "
        "one with the group. A round never parts them with --set groups=NAME; the name is printed last."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="PROJECT", help="Slug of the project.")
        parser.add_argument("file", type=Path, metavar="FILE", help="FILE.csv or FILE.parquet.")
        parser.add_argument("--name", required=True, metavar="X", help="What to call them; replaces earlier ones.")
        parser.add_argument("--column", default="", metavar="C", help="Which column holds the groups, of several.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        if not options["file"].is_file():
            raise CommandError(f"There is no file {options['file']}.")
        try:
            paths, values, first_row = read_groups(options["file"], column=options["column"])
            n_groups = store_groups(
                project=project, name=options["name"], paths=paths, values=values, first_row=first_row
            )
        except PredictionsRefused as reason:
            raise refusal(reason, self.stderr, options["file"].name) from None
        self.stderr.write(f"{n_groups:,} groups of {len(paths):,} items stored.")
        self.stdout.write(options["name"])
