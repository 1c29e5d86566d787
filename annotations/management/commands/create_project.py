"""Make a project from the command line."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from annotations.models import Project
from annotations.services.projects import PROTOCOL, create_project
from hardness_site.management.command import SiteCommand


class Command(SiteCommand):
    help = "Make a project. The last line printed is its slug."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--classes", required=True, help="The answers people can give, with commas between them.")
        parser.add_argument("--unit", choices=Project.Unit.values, default=Project.Unit.IMAGE)
        parser.add_argument("--boxes", choices=Project.Boxes.values, default=Project.Boxes.IMPORTED,
                            help="Of objects: whether boxes come with the import or are drawn (imported).")  # fmt: skip
        parser.add_argument("--overlap", type=int, default=3, help="How many people judge each item (3).")
        parser.add_argument("--order", choices=Project.Order.values, default=Project.Order.RANDOM,
                            help="In which order people get the items (random).")  # fmt: skip
        parser.add_argument("--hard-share", type=float, default=0.1, metavar="SHARE",
                            help="Share of items that the adaptive order looks for (0.1).")  # fmt: skip
        parser.add_argument("--repeat-share", type=float, default=0, metavar="SHARE",
                            help="Share of trials that repeat an item, without saying so (0).")  # fmt: skip
        parser.add_argument("--gold-share", type=float, default=0, metavar="SHARE",
                            help="Share of trials with gold items (0); set_role says which those are.")  # fmt: skip
        parser.add_argument("--time-limit-ms", type=int, metavar="MS", help="Time for an answer; without it, no limit.")
        parser.add_argument("--flash-frames", type=int, metavar="N", help="Frames an image is seen before a mask.")
        parser.add_argument("--break-after", type=int, metavar="N", help="Offer a break after so many trials.")
        parser.add_argument("--slug", help="Its name in addresses and commands; made from NAME if left out.")
        parser.add_argument("--guidelines", default="", help="What annotators read before they label.")
        parser.add_argument("--manager", metavar="USER", help="User name of its manager. Staff see every project.")

    def handle(self, *args: Any, **options: Any) -> None:
        manager = None
        if options["manager"]:
            manager = get_user_model()._default_manager.filter(username=options["manager"]).first()
            if manager is None:
                raise CommandError(f"There is no user {options['manager']}.")
        try:
            project = create_project(
                name=options["name"],
                slug=options["slug"],
                classes=options["classes"].split(","),
                unit=options["unit"],
                boxes=options["boxes"],
                overlap=options["overlap"],
                guidelines=options["guidelines"],
                created_by=manager,
                **{name: options[name] for name in PROTOCOL},
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        keys = ", ".join(f"{label.key} {label.name}" for label in project.classes.exclude(key=None))
        self.stdout.write(f"Made the project {project.name}. Keys: {keys}.")
        self.stdout.write(project.slug)
