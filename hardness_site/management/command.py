"""The base of the site's own commands: they find a database that is ready, or say in one line why not."""

from __future__ import annotations

from typing import Any

from django.core.checks import Tags
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from hardness_site.schema import is_empty, n_missing_migrations


class SiteCommand(BaseCommand):
    """A command that works on the site's data, with or without the site running.

    A database without any table, as in a new data folder, is set up first. One of an older version is left alone:
    a site may be running on it.
    """

    # The others load every address and the whole API, half a second for each command: the start of the site and the
    # tests are where they say something.
    requires_system_checks = (Tags.files, Tags.security)

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            self._prepare_database()
            return super().execute(*args, **options)
        except OperationalError as error:
            raise CommandError(f"The database cannot be used: {str(error).strip()}.") from error

    def _prepare_database(self) -> None:
        missing = n_missing_migrations()
        if missing and is_empty():
            call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
        elif missing:
            raise CommandError(
                f"The database is of an older version (migrations not applied: {missing}). Run `manage.py migrate`, "
                "or start the site, which does it."
            )
