"""The tables that the tests run on are those that a site gets by its migrations."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from annotations.models import Project


@pytest.mark.django_db
def test_migrations_say_all_that_the_models_say(settings, monkeypatch) -> None:
    settings.MIGRATION_MODULES = {}
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)
    monkeypatch.setattr(Project._meta.get_field("name"), "max_length", 7)
    with pytest.raises(SystemExit):
        call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)
