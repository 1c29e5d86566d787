"""Show how far people and models agree in the latest round."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.naming import project_named
from hardness_site.management.command import SiteCommand
from mining.selectors.predictions import IN_SAMPLE_WARNING, in_sample_learners
from mining.selectors.rounds import comparison_of, latest_round, round_of


class Command(SiteCommand):
    help = "Show the comparison of people and models of the latest finished round, as a table or as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="PROJECT", help="Slug of the project.")
        parser.add_argument("--json", action="store_true", dest="as_json", help="The whole comparison as JSON.")
        parser.add_argument("--round", type=int, metavar="N", help="This round instead of the latest.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        number = options["round"]
        round_ = latest_round(project) if number is None else round_of(project, number)
        if round_ is None:
            which = "finished round yet" if number is None else f"round {number}"
            raise CommandError(f"{project.slug} has no {which}: run_round {project.slug} --wait makes one.")
        comparison = comparison_of(round_)
        if comparison is None:
            raise CommandError(f"Round {round_.number} of {project.slug} has not come to its comparison.")
        if options["as_json"]:
            whole = {"project": project.slug, "round": round_.number, "synthetic": round_.has_synthetic,
                     "in_sample": in_sample_learners(round_), **comparison}  # fmt: skip
            self.stdout.write(json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True))
            return
        for line in table_lines(comparison):
            self.stdout.write(line)
        for entry in comparison["missing"]:
            self.stderr.write(f"{entry['what']} {entry['remedy']}")
        for learner in in_sample_learners(round_):
            self.stderr.write(f"{learner}: {IN_SAMPLE_WARNING}")
        if round_.has_synthetic:
            self.stderr.write("Synthetic annotators took part.")
        self.stdout.write(project.slug)


def table_lines(comparison: dict[str, Any]) -> list[str]:
    """Return the comparison as lines of text, the closest measure first."""
    human = comparison["human"]
    if human is None:
        return []
    lines = [
        f"{human.get('title', 'Time hardness')} of {human['n_items']} items from {human['n_trials']} trials by "
        f"{human['n_annotators']} annotators; split-half reliability {_number(human['reliability']['value'])}, "
        f"ceiling of a correlation {_number(human['ceiling'])}.",
        "",
        f"{'measure':34} {'Spearman':>8} {'95 % interval':>16} {'within':>7} {'between':>7} {'corrected':>9} "
        f"{'overlap':>7}",
    ]
    known = [pair for pair in comparison["pairs"] if pair["spearman"]["value"] is not None]
    for pair in sorted(known, key=lambda pair: -pair["spearman"]["value"]):
        rho = pair["spearman"]
        between = f"{_number(rho['low'])} to {_number(rho['high'])}"
        lines.append(
            f"{pair['measure'][:34]:34} {_number(rho['value']):>8} {between:>16} "
            f"{_number(pair['within_classes']['value']):>7} {_number(pair['between_classes']['value']):>7} "
            f"{_number(pair['disattenuated']['value']):>9} {_number(pair['overlap']['share']):>7}"
        )
    if comparison["quadrants"]:
        lines += ["", *(f"{cell['title']:40} {cell['count']:>7}" for cell in comparison["quadrants"]["cells"])]
    return lines


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
