"""Import trials from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.jobs import IMPORT_TRIALS
from annotations.management.naming import project_named
from annotations.management.running import run_here
from hardness_site.management.command import SiteCommand


class Command(SiteCommand):
    help = (
        "Import trials from a CSV file with the columns item,annotator,label,response_ms and, if there are any, "
        "position,session,started_at; others are left alone. `item` is the path given at import. Without a label and a "
        "time a trial was missed. Rows that cannot be taken are listed with the reason and do not stop the rest; run "
        "again, only what is new is added. The last line printed is the project's slug."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="PROJECT", help="Slug of the project.")
        parser.add_argument("path", metavar="trials.csv", help="The CSV file, in UTF-8.")
        parser.add_argument(
            "--time-limit-ms",
            type=float,
            help="When missed trials were closed: their response took longer than this.",
        )
        parser.add_argument(
            "--accept-short-times",
            action="store_true",
            help="Import also where the typical response time is so short that it looks like seconds.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        path = Path(options["path"]).expanduser().resolve()
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        limit = options["time_limit_ms"]
        if limit is not None and not 0 < limit < float("inf"):
            raise CommandError("--time-limit-ms takes milliseconds above 0.", returncode=2)
        result = run_here(
            kind=IMPORT_TRIALS,
            title=f"Import of {path.name}",
            scope=project.scope,
            params={
                "project_id": project.pk,
                "path": str(path),
                "time_limit_ms": limit,
                "accept_short_times": options["accept_short_times"],
            },
            stderr=self.stderr,
        )
        n_people = result["n_annotators"]
        people = f"{n_people:,} annotator{'s' * (n_people != 1)}"
        self.stdout.write(
            f"{result['n_read']:,} read: {result['n_new']:,} new ({result['n_missed']:,} missed), "
            f"{result['n_known']:,} known, {result['n_refused']:,} refused; {people}."
        )
        if result["n_refused"] and result["n_refused"] == result["n_read"]:
            raise CommandError("Nothing was imported: every row was refused.")
        self.stdout.write(project.slug)
