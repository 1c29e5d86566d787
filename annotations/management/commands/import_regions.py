"""Import regions from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.jobs import IMPORT_REGIONS
from annotations.management.naming import project_named
from annotations.management.running import run_here
from hardness_site.management.command import SiteCommand


class Command(SiteCommand):
    help = (
        "Import the regions of images from a CSV file with the columns path,x,y,width,height and, if there is one, "
        "label. `path` is the path given at import of the image; boxes are in pixels. Rows that cannot be taken are "
        "listed with the reason; run again, only what is new is added. The last line printed is the project's slug."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="PROJECT", help="Slug of a project with the unit object.")
        parser.add_argument("path", metavar="regions.csv", help="The CSV file, in UTF-8.")
        parser.add_argument("--shares", action="store_true", help="Boxes are shares of the image, 0 to 1, not pixels.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        path = Path(options["path"]).expanduser().resolve()
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        result = run_here(
            kind=IMPORT_REGIONS,
            title=f"Import of {path.name}",
            scope=project.scope,
            params={"project_id": project.pk, "path": str(path), "in_shares": options["shares"]},
            stderr=self.stderr,
        )
        counts = "{n_read:,} read: {n_new:,} new, {n_known:,} known, {n_refused:,} refused."
        self.stdout.write(counts.format(**result))
        if result["n_refused"] and result["n_refused"] == result["n_read"]:
            raise CommandError("Nothing was imported: every row was refused.")
        self.stdout.write(project.slug)
