"""Run a round of a project."""

from __future__ import annotations

import sys
import threading
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import connection

from annotations.management.naming import project_named
from annotations.models import Project
from hardness_site.jobs.models import Job
from hardness_site.management.command import SiteCommand
from mining.models import Round, RoundStage
from mining.services import rounds
from mining.stages import STAGES


class Command(SiteCommand):
    help = (
        "Run a round: labels and times, learners, measures, comparison, hard sets, retraining, report. "
        "With --wait in this process, without a worker; else the workers get it. Prints the round's number last."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="PROJECT", help="Slug of the project.")
        parser.add_argument("--learner", action="append", default=[], metavar="L",
                            help="A learner, or file:NAME for imported predictions; can be repeated.")  # fmt: skip
        parser.add_argument("--strategy", action="append", default=[], metavar="S",
                            help="A strategy for hard sets; can be repeated.")  # fmt: skip
        parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="values",
                            help="A setting of the round, such as seed=1, n_folds=10, label_source=given.")  # fmt: skip
        parser.add_argument("--include-hard-set", action="append", default=[], type=int, metavar="ID",
                            help="Items of this hard set count for more in training.")  # fmt: skip
        parser.add_argument("--wait", action="store_true", help="Run it here and now, and wait for its end.")
        going = parser.add_mutually_exclusive_group()
        going.add_argument("--resume", action="store_true", help="Go on with the round that stopped or failed last.")
        going.add_argument("--cancel", action="store_true", help="Cancel the round that is waiting or running.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        try:
            round_ = self._round(project, options)
        except rounds.RoundRefused as reason:
            raise CommandError(str(reason)) from None
        if not options["cancel"] and options["wait"]:
            self._run_here(round_)
        self.stdout.write(str(round_.number))

    def _round(self, project: Project, options: dict[str, Any]) -> Round:
        if options["cancel"]:
            active = rounds.active_round(project)
            if active is None:
                raise CommandError(f"No round of {project.slug} is waiting or running.")
            rounds.cancel_round(active)
            return active
        if options["resume"]:
            return rounds.resume_round(project=project, in_process=options["wait"])
        if not options["wait"]:
            require_broker()
        return rounds.start_round(
            project=project,
            learners=options["learner"],
            strategies=options["strategy"],
            params=_params(options),
            in_process=options["wait"],
        )

    def _run_here(self, round_: Round) -> None:
        try:
            for stage in rounds.run_round_here(round_):
                self.stderr.write(f"{stage.index + 1}/{len(STAGES)} {STAGES[stage.name]}")
                self._show_progress(stage)
        except KeyboardInterrupt:
            self._hide_progress()
            rounds.abandon_round(round_)
            raise CommandError(f"Round {round_.number} was cancelled. --resume goes on with it.") from None
        self._hide_progress()
        failed = round_.stages.filter(status=Round.Status.FAILED).first()
        if failed is not None:
            raise CommandError(
                f"Round {round_.number}: {STAGES[failed.name].lower()} failed. {failed.result.get('error', '')} "
                "--resume runs it again."
            )
        if round_.status == Round.Status.CANCELLED:
            raise CommandError(f"Round {round_.number} was cancelled. --resume goes on with it.")
        for stage in round_.stages.order_by("index"):
            for entry in stage.result.get("missing", []):
                self.stderr.write(f"{STAGES[stage.name]}: {entry['what']} {entry['remedy']}")
        for headline in round_.summary.get("headline", []):
            between = f" ({headline['interval']})" if headline["interval"] else ""
            self.stderr.write(f"{headline['title']}: {headline['value']}{between}. {headline['text']}")

    def _show_progress(self, stage: RoundStage) -> None:
        """On a terminal, let a thread say how far the stage is; elsewhere a line a stage is enough."""
        self._hide_progress()
        if not sys.stderr.isatty():
            return
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(stage.job_id, self._stop), daemon=True)
        self._thread.start()

    def _watch(self, job_id: int, stop: threading.Event) -> None:
        try:
            while not stop.wait(0.5):
                job = Job.objects.filter(pk=job_id).first()
                if job is not None and job.status == Job.Status.RUNNING:
                    percent = "" if job.percent is None else f"{job.percent:3d} % "
                    sys.stderr.write(f"\r\033[K    {percent}{job.stage}")
                    sys.stderr.flush()
            sys.stderr.write("\r\033[K")
        finally:
            connection.close()

    def _hide_progress(self) -> None:
        stop = getattr(self, "_stop", None)
        if stop is not None:
            stop.set()
            self._thread.join()


def _params(options: dict[str, Any]) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for entry in options["values"]:
        name, equals, value = entry.partition("=")
        if not equals:
            raise CommandError(f"--set takes NAME=VALUE, not {entry!r}.", returncode=2)
        params[name] = _value(value)
    if options["include_hard_set"]:
        params["include_hard_sets"] = options["include_hard_set"]
    return params


def _value(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def require_broker() -> None:
    """Raise CommandError when nothing would ever take the round from the queue."""
    from hardness_site.celery import app

    try:
        with app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=3)
    except Exception as reason:
        raise CommandError(
            f"The broker cannot be reached ({reason}). Start the site with `manage.py serve`, or run the round here "
            "with --wait."
        ) from None
