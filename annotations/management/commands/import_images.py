"""Import images from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.jobs import IMPORT_IMAGES
from annotations.management.naming import project_named
from annotations.management.running import run_here
from hardness_site.management.command import SiteCommand


class Command(SiteCommand):
    help = (
        "Import the images of a folder or a zip archive. Files that cannot be taken are listed with the reason and do "
        "not stop the rest; run again, only what is new is added. The last line printed is the project's slug."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="PROJECT", help="Slug of the project.")
        parser.add_argument("path", metavar="PATH", help="A folder, or a zip archive.")
        parser.add_argument(
            "--labels-from-folders",
            action="store_true",
            help="The folder nearest to a file that is called like a class gives its label.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        path = Path(options["path"]).expanduser().resolve()
        if not path.exists():
            raise CommandError(f"There is no {path}.")
        result = run_here(
            kind=IMPORT_IMAGES,
            title=f"Import of {path.name}",
            scope=project.scope,
            params={
                "project_id": project.pk,
                "source": {"folder" if path.is_dir() else "archive": str(path)},
                "labels_from_folders": options["labels_from_folders"],
            },
            stderr=self.stderr,
        )
        self.stdout.write(
            f"{result['n_read']:,} read: {result['n_new']:,} new, {result['n_known']:,} known, "
            f"{result['n_refused']:,} refused."
        )
        if "n_new_boxes" in result:
            self.stdout.write(
                f"Boxes: {result['n_new_boxes']:,} new, {result['n_known_boxes']:,} known, "
                f"{result['n_refused_boxes']:,} refused."
            )
        if result["n_read"] and result["n_refused"] == result["n_read"]:
            raise CommandError("Nothing was imported: every file was refused.")
        self.stdout.write(project.slug)
