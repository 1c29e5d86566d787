"""A real site with a kind of job that can be watched."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.site import ROOT, Site, rows_of

SETTINGS = "tests.integration.site_settings"
PARTS = {"valkey", "web", "worker", "housekeeper", "beat"}
CANCEL_ALL = """
from hardness_site.jobs.models import Job
from hardness_site.jobs.services import cancel_job
for job in Job.objects.exclude(status__in=Job.FINAL):
    cancel_job(job)
"""


class JobSite(Site):
    """A site with slow jobs."""

    def queue(self, *, steps: int, seconds: float) -> tuple[int, Path]:
        """Queue a slow job; return its id and the file it writes into."""
        return self.queue_all((steps, seconds))[0]

    def queue_all(self, *jobs: tuple[int, float]) -> list[tuple[int, Path]]:
        """Queue slow jobs of so many steps and seconds a step; return id and file of each."""
        paths = [str(self.data_dir.parent / f"steps-{time.monotonic_ns()}-{i}.txt") for i in range(len(jobs))]
        code = f"""
from hardness_site.jobs.services import create_job, queue_job
for path, (steps, seconds) in zip({paths!r}, {jobs!r}):
    params = dict(path=path, steps=steps, seconds=seconds)
    job = create_job(kind="test.slow", title="Slow", scope="project:0", params=params)
    queue_job(job)
    print(job.pk)"""
        ids = [int(line) for line in self.python(code).splitlines()[-len(jobs) :]]
        return [(job_id, Path(path)) for job_id, path in zip(ids, paths, strict=True)]

    def job(self, job_id: int) -> dict:
        """Return what the database says of a job."""
        (row,) = rows_of(self.data_dir, "SELECT * FROM jobs_job WHERE id = ?", job_id)
        notes = rows_of(self.data_dir, "SELECT text FROM jobs_jobmessage WHERE job_id = ? ORDER BY id", job_id)
        return {**dict(row), "result": json.loads(row["result"]), "notes": [text for (text,) in notes]}

    def wait_for_job(self, job_id: int, status: str = "succeeded", *, seconds: float = 60) -> dict:
        """Wait until a job has a status."""
        until = time.monotonic() + seconds
        while (row := self.job(job_id))["status"] != status:
            assert time.monotonic() < until, f"{row}\n{self.output()}"
            time.sleep(0.1)
        return row


def wait_until(condition, *, seconds: float = 30, what: str = "", every: float = 0.05) -> None:
    """Wait until `condition()` holds, with a look every so many seconds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(every)


def refusal(site: Site) -> str:
    """Start a site that must not start; return the one line it says."""
    done = subprocess.run(
        [sys.executable, "manage.py", "serve", "--no-demo"], cwd=ROOT, env=site.environment,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    return line


@pytest.fixture(scope="session")
def migrated_database() -> Path:
    """Return a file with the tables of the present code and no rows: making them anew costs each site seconds.

    The first of the processes of this run that asks for it makes it, for all of them.
    """
    site = Site(Path(os.environ["HARDNESS_TEST_DATA_DIR"]) / "migrated")
    site.data_dir.mkdir(exist_ok=True)
    made = site.data_dir / "made"
    with (site.data_dir / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            site.manage("migrate", "-v0")
            site.close()
            made.touch()
    return site.data_dir / "hardness.sqlite3"


@pytest.fixture
def new_site(tmp_path):
    """Return a site that has never been started: no folder, no tables."""
    site = JobSite(tmp_path / "data", DJANGO_SETTINGS_MODULE=SETTINGS)
    yield site
    site.close()


@pytest.fixture
def stopped_site(new_site, migrated_database):
    """Return a site of its own that is not running; its tables are there."""
    new_site.data_dir.mkdir()
    shutil.copy(migrated_database, new_site.data_dir)
    return new_site


@pytest.fixture(scope="session")
def long_lived_site(migrated_database, tmp_path_factory):
    """Return the site that tests use one after the other."""
    site = JobSite(tmp_path_factory.mktemp("site") / "data", DJANGO_SETTINGS_MODULE=SETTINGS)
    site.data_dir.mkdir()
    shutil.copy(migrated_database, site.data_dir)
    yield site
    site.close()


@pytest.fixture
def site(long_lived_site):
    """Return a running site with nothing to do. Tests may stop and kill what they like: the next starts it again."""
    site = long_lived_site
    site.forget_output()
    if site.process is None or site.process.poll() is not None:
        site.start()
    wait_until(lambda: set(site.pids()) == PARTS, what=f"all of {PARTS}")
    yield site
    site.python(CANCEL_ALL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder."""
    for item in items:
        if "tests/integration/" in item.nodeid:
            item.add_marker(pytest.mark.integration)
