"""Make items training or gold items from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from annotations.management.naming import project_named
from annotations.models import Item
from annotations.services.roles import set_role
from hardness_site.management.command import SiteCommand

ROLES = {"training": Item.Role.TRAINING, "gold": Item.Role.GOLD, "ordinary": Item.Role.ORDINARY}


class Command(SiteCommand):
    help = (
        "Make items training items (everybody gets them first) or gold items (their given label is the right answer; "
        "mixed in at the project's share), or ordinary ones again. The last line printed is the project's slug."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="PROJECT", help="Slug of the project.")
        parser.add_argument("role", choices=list(ROLES))
        parser.add_argument("paths", nargs="*", metavar="ITEM", help="Paths of the items as given at import.")
        parser.add_argument("--from-file", metavar="FILE", help="A text file with one path a line.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        paths = list(options["paths"])
        if options["from_file"]:
            try:
                paths += Path(options["from_file"]).expanduser().read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise CommandError(f"{options['from_file']} cannot be read: {error}.") from None
        paths = [path.strip() for path in paths if path.strip()]
        if not paths:
            raise CommandError("Name at least one item, or a file with --from-file.", returncode=2)
        try:
            n_changed = set_role(project=project, paths=paths, role=ROLES[options["role"]])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(
            f"{n_changed} changed: {project.n_training} training and {project.n_gold} gold items in {project.name}."
        )
        self.stdout.write(project.slug)
