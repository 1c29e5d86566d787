"""The site's commands in a folder that nothing has been started in, and on a database that is too old."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def manage(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "HARDNESS_DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "hardness_site.settings.embedded",
    }
    environment.pop("DATABASE_URL", None)
    return subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )


def test_a_command_is_the_first_thing_in_a_new_folder_then_the_database_becomes_too_old(tmp_path: Path) -> None:
    made = manage(tmp_path / "new", "create_project", "Birds", "--classes", "heron,egret")
    assert (made.returncode, made.stdout.splitlines()[-1]) == (0, "birds")

    with sqlite3.connect(tmp_path / "new" / "hardness.sqlite3") as database:
        # As a site that has taken all steps but one, before they were made into one.
        steps = "SELECT name FROM django_migrations WHERE app = 'mining' AND name != '0001_start' ORDER BY name DESC"
        for name in ("0001_start", *database.execute(steps).fetchone()):
            database.execute("DELETE FROM django_migrations WHERE app = 'mining' AND name = ?", (name,))
    refused = manage(tmp_path / "new", "compare", "birds")
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        "CommandError: The database is of an older version (migrations not applied: 1). Run `manage.py migrate`, or "
        "start the site, which does it."
    ]


def test_a_database_that_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "hardness.sqlite3").mkdir()
    refused = manage(tmp_path, "compare", "birds")
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == ["CommandError: The database cannot be used: unable to open database file."]
