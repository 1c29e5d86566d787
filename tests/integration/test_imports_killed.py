"""Imports as users run them: killed in the middle, and run again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.annotations.intake.pictures import encoded, noise
from tests.site import rows_of

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
N_IMAGES = 1500


@pytest.fixture
def environment(tmp_path: Path, migrated_database: Path) -> dict[str, str]:
    (tmp_path / "data").mkdir()
    shutil.copy(migrated_database, tmp_path / "data")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "HARDNESS_DATA_DIR": str(tmp_path / "data"),
        "DJANGO_SETTINGS_MODULE": "hardness_site.settings.embedded",
    }


def start(environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def run(environment: dict[str, str], *words: str) -> list[str]:
    process = start(environment, *words)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return out.splitlines()


def ask(environment: dict[str, str], sql: str) -> list[tuple]:
    return [tuple(row) for row in rows_of(environment["HARDNESS_DATA_DIR"], sql)]


def wait_for(environment: dict[str, str], sql: str, process: subprocess.Popen[str]) -> int:
    """Wait until the query counts something."""
    until = time.monotonic() + 60
    while not (count := ask(environment, sql)[0][0]):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.002)
    return count


def test_an_import_that_is_killed_twice_is_completed_by_the_third(environment: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for n in range(N_IMAGES):
        (folder / f"{n:04d}.png").write_bytes(encoded(noise(40, 40, seed=n)))
    assert run(environment, "create_project", "Killed", "--classes", "a,b")[-1] == "killed"
    before = 0
    for _ in range(2):
        process = start(environment, "import_images", "killed", str(folder))
        before = wait_for(
            environment,
            f"SELECT count(*) FROM annotations_item HAVING count(*) > {before} UNION ALL SELECT 0 LIMIT 1",
            process,
        )
        process.send_signal(signal.SIGKILL)
        process.communicate()
    ((n_items, n_said),) = ask(
        environment, "SELECT (SELECT count(*) FROM annotations_item), n_items FROM annotations_project"
    )
    assert 0 < n_items < N_IMAGES
    assert n_items == n_said
    out = run(environment, "import_images", "killed", str(folder))
    assert out == [f"{N_IMAGES:,} read: {N_IMAGES - n_items:,} new, {n_items:,} known, 0 refused.", "killed"]
    assert ask(environment, "SELECT n_items FROM annotations_project") == [(N_IMAGES,)]
    ordinals = ask(environment, "SELECT ordinal FROM annotations_item ORDER BY ordinal")
    assert ordinals == [(n,) for n in range(N_IMAGES)]
    media = tmp_path / "data" / "media"
    stored = [name for name, *_ in ask(environment, "SELECT file FROM annotations_image")]
    assert len(stored) == N_IMAGES
    assert all((media / name).stat().st_size > 0 for name in stored)
