"""Take in an embedding network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.naming import project_named
from hardness_site.management.command import SiteCommand
from mining.networks.process import NORMALISATIONS, NetworkRefused
from mining.prediction_checks import PredictionsRefused
from mining.services.feature_sources import store_network

from ._problems import refusal


class Command(SiteCommand):
    help = (
        "Take in an embedding network (ONNX, one file): its output becomes the features of every item. It is tried in "
        "a process of its own. A round uses it with --set feature_kind=network:NAME, which is printed last."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="PROJECT", help="Slug of the project.")
        parser.add_argument("file", type=Path, metavar="FILE.onnx")
        parser.add_argument("--name", required=True, metavar="X", help="What to call it; replaces an earlier one.")
        parser.add_argument("--normalisation", choices=tuple(NORMALISATIONS), default="imagenet",
                            help="; ".join(f"{name}: {words}" for name, words in NORMALISATIONS.items())
                            + ". Default: imagenet.")  # fmt: skip
        parser.add_argument("--size", metavar="WIDTHxHEIGHT", help="Of the images, where the network leaves it open.")
        parser.add_argument("--output", metavar="O", help="Which output holds the features, where there are several.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        if not options["file"].is_file():
            raise CommandError(f"There is no file {options['file']}.")
        declared: dict[str, Any] = {"normalisation": options["normalisation"]}
        if options["size"]:
            width, _, height = options["size"].partition("x")
            if not (width.isdecimal() and height.isdecimal()):
                raise CommandError(f"--size is WIDTHxHEIGHT, such as 224x224, not {options['size']}.", returncode=2)
            declared |= {"width": int(width), "height": int(height)}
        if options["output"]:
            declared["output"] = options["output"]
        try:
            stored = store_network(
                project=project, name=options["name"], data=options["file"].read_bytes(), declared=declared
            )
        except NetworkRefused as reason:
            raise CommandError(f"The network was refused. {reason}") from None
        except PredictionsRefused as reason:
            raise refusal(reason, self.stderr, options["file"].name) from None
        self.stderr.write(
            f"Images of {stored.facts['width']} x {stored.facts['height']} become {stored.dimension:,} numbers."
        )
        self.stdout.write(stored.choice)
