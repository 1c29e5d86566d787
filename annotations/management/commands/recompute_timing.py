"""`manage.py recompute_timing`: derive response times again from the stored events."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.models import Project
from annotations.services.trials import TimingChange, recompute_timing
from annotations.timing import VERSION
from hardness_site.management.command import SiteCommand


class Command(SiteCommand):
    """Derive the response times of old trials again from their events, and say which ones changed."""

    help = (
        "Derive durations of browser trials again from their stored events, by the present rules, and print which "
        "trials changed. The events themselves are never changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the project and what to do."""
        parser.add_argument("project", nargs="?", help="slug of the project; all projects without it")
        parser.add_argument("--all", action="store_true", help="also trials that the present rules derived")
        parser.add_argument("--dry-run", action="store_true", help="say what would change and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run and print one line a change, and how many there were."""
        project = None
        if options["project"]:
            project = Project.objects.filter(slug=options["project"]).first()
            if project is None:
                raise CommandError(f"There is no project “{options['project']}”.")
        changed = 0
        for change in recompute_timing(project=project, every=options["all"], dry_run=options["dry_run"]):
            changed += 1
            self.stdout.write(_line(change))
        verb = "would change" if options["dry_run"] else "changed"
        self.stdout.write(f"{changed} trials {verb} (rules version {VERSION}).")


def _line(change: TimingChange) -> str:
    def shown(response_ms: float | None, reason: str) -> str:
        return f"{response_ms:.1f} ms" if response_ms is not None else f"none ({reason or 'no reason'})"

    old, new = shown(change.old_response_ms, change.old_reason), shown(change.new_response_ms, change.new_reason)
    what = f"response time {old} -> {new}" if old != new else ", ".join(change.fields)
    return f"trial {change.trial_id}: {what}"
