"""Make the demo."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.jobs import FILL_DEMO
from annotations.management.running import run_here
from annotations.models import Project
from annotations.services.demo_data import DEMO, DemoProject, make_demo_people, make_demo_project
from hardness_site.jobs.models import Job
from hardness_site.management.command import SiteCommand
from mining.models import Round
from mining.services.rounds import RoundRefused, start_round

FIRST_LOOK = {"n_resamples": 400, "retraining_seeds": 3}
"""Fewer repetitions than usual: somebody waits for the first comparison. Rounds that people start have all."""


class Command(SiteCommand):
    help = (
        "Make two projects from images that come with the dependencies: Digits (1,797) and Faces (200), with trials of "
        "synthetic annotators and a first round in the background. Run again, it finishes what was cut short and else "
        "does nothing. The last line printed is the slug of Digits."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-round", action="store_true", help="Do not start the first rounds.")

    def handle(self, *args: Any, **options: Any) -> None:
        make_demo_people()
        projects = [(demo, make_demo_project(demo)) for demo in DEMO.values()]
        for demo, project in projects:
            self._fill(demo, project)
            if not options["no_round"]:
                self._start_round(project)
        self.stdout.write(projects[-1][1].slug)

    def _fill(self, demo: DemoProject, project: Project) -> None:
        filled = Job.objects.filter(kind=FILL_DEMO, scope=project.scope, status=Job.Status.SUCCEEDED).exists()
        if filled:
            self.stdout.write(f"{project.name} is there already.")
            return
        result = run_here(
            kind=FILL_DEMO,
            title=f"Images and synthetic trials of {project.name}",
            scope=project.scope,
            params={"project_id": project.pk, "slug": demo.slug},
            stderr=self.stderr,
        )
        self.stdout.write(
            f"{project.name}: {result['n_new']:,} new images, {result['n_synthetic_trials']:,} synthetic trials."
        )

    def _start_round(self, project: Project) -> None:
        if Round.objects.filter(project=project).exists():
            return
        try:
            round_ = start_round(project=project, created_by=project.created_by, params=FIRST_LOOK)
        except RoundRefused as reason:
            raise CommandError(str(reason)) from None
        self.stdout.write(f"{project.name}: round {round_.number} waits for a worker.")
