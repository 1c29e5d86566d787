"""Write a hard set to a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from hardness_site.management.command import SiteCommand
from mining.exports import FORMATS, ExportRefused, hard_set_export
from mining.models import HardSet

from ._files import replaced_file


class Command(SiteCommand):
    help = "Write a hard set with measures, ranks, reasons and labels. Prints the set's id last."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", type=int, metavar="ID", help="Id of the hard set, as in its address.")
        parser.add_argument("--format", required=True, choices=list(FORMATS), metavar="F",
                            help=f"One of {', '.join(FORMATS)}.")  # fmt: skip
        parser.add_argument("--out", required=True, metavar="PATH", help="File to write; - is standard output.")

    def handle(self, *args: Any, **options: Any) -> None:
        hard_set = HardSet.objects.select_related("round__project").filter(pk=options["id"]).first()
        if hard_set is None:
            raise CommandError(f"There is no hard set {options['id']}. {_known()}")
        try:
            export = hard_set_export(hard_set=hard_set, format_name=options["format"])
        except ExportRefused as reason:
            raise CommandError(str(reason)) from None
        if options["out"] == "-":
            sys.stdout.writelines(export.pieces)
            return
        with replaced_file(Path(options["out"])) as file:
            for piece in export.pieces:
                file.write(piece.encode())
        self.stderr.write(f"{hard_set.n_members} members written to {options['out']}.")
        self.stdout.write(str(hard_set.pk))


def _known() -> str:
    latest = HardSet.objects.select_related("round__project").order_by("-pk")[:8]
    if not latest:
        return "No round has made one yet: run_round PROJECT --wait does."
    return "The latest are: " + ", ".join(f"{one.pk} ({one.round.project.slug}, {one.strategy})" for one in latest)
