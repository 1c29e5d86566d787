"""Rounds as users run them: real processes, a real broker, a real worker, and some of them killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hardness_site.embedded import valkey_command, wait_until_answers
from hardness_site.processes import die_with_parent
from tests.commands import Commands
from tests.mining.small_project import stripes
from tests.site import rows_of

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ("across", "down", "slanted")
SETTINGS = [f"--set={one}" for one in ("n_resamples=100", "retraining_seeds=2", "n_folds=3")]


class Site:
    """A site of its own in a folder: its commands, its worker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment = {
            **kept, "HARDNESS_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "hardness_site.settings.embedded",
            "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        self.commands = Commands(self.environment)

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=self.environment, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True, preexec_fn=die_with_parent,
        )  # fmt: skip

    def manage(self, *words: str, status: int = 0) -> tuple[list[str], str]:
        """Run a command to its end; return the lines of its output and its errors."""
        done = self.commands.run(*words, seconds=240)
        assert done.status == status, done.errors
        return done.out.splitlines(), done.errors

    def ask(self, expression: str) -> str:
        """Return what an expression over the models is worth."""
        imports = "from mining.models import *; from hardness_site.jobs.models import *"
        out, _ = self.manage("shell", "--no-imports", "-c", f"{imports}; print({expression})")
        return out[-1]


@pytest.fixture(scope="module")
def first_site(tmp_path_factory, migrated_database):
    """Return a site with a project of 36 striped pictures and four people's trials."""
    tmp_path = tmp_path_factory.mktemp("site")
    site = Site(tmp_path / "var")
    site.folder.mkdir()
    shutil.copy(migrated_database, site.folder)
    generator = np.random.default_rng(0)
    rows = ["item,annotator,label,response_ms,position"]
    hardness = generator.uniform(0, 1, 36)
    for i in range(36):
        folder = tmp_path / "images" / CLASSES[i % 3]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i:02d}.png").write_bytes(stripes(i % 3, 10 + 100 * hardness[i], generator))
    for person in range(4):
        for position, i in enumerate(generator.permutation(36), start=1):
            time_ms = 1000 * np.exp(0.5 * hardness[i] + generator.normal(0, 0.15))
            rows.append(f"{CLASSES[i % 3]}/{i:02d}.png,p{person},{CLASSES[i % 3]},{time_ms:.1f},{position}")
    (tmp_path / "trials.csv").write_text("\n".join(rows) + "\n")
    site.manage("create_project", "Stripes", "--classes", ",".join(CLASSES), "--overlap", "4")
    site.manage("import_images", "stripes", str(tmp_path / "images"), "--labels-from-folders")
    site.manage("import_trials", "stripes", str(tmp_path / "trials.csv"))
    site.commands.close()
    return site


@pytest.fixture
def site(first_site, tmp_path):
    """Return a copy of that site, to be changed at will."""
    shutil.copytree(first_site.folder, tmp_path / "var")
    site = Site(tmp_path / "var")
    yield site
    site.commands.close()


def test_without_any_server_a_round_runs_to_its_end_and_survives_being_killed(site):
    process = site.start("manage.py", "run_round", "stripes", "--wait", *SETTINGS)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("4/9"):
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert site.ask("Round.objects.get().status") == "running"

    out, error = site.manage("run_round", "stripes", "--wait", "--resume")

    assert out == ["1"]
    assert "4/9 Train learners out of fold" in error
    assert "1/9" not in error
    assert site.ask("Round.objects.get().status") == "succeeded"
    assert site.ask("HardSet.objects.count()") == "5"
    out, _ = site.manage("compare", "stripes")
    assert out[-1] == "stripes"


def wait_for(site, sql, wanted, seconds=300):
    """Wait until the first value of the query is the wanted one."""
    until = time.monotonic() + seconds
    while (found := [row[0] for row in rows_of(site.folder, sql)][:1]) != [wanted]:
        assert time.monotonic() < until, (sql, found)
        time.sleep(0.01)


ROUND_STATUS = "SELECT status FROM mining_round"


def test_killed_in_mid_training_it_trains_again_and_doubles_nothing(site):
    settings = [*SETTINGS[:1], SETTINGS[2], "--set=retraining_seeds=15", "--set=test_share=0.5",
                "--set=online_strategies=ohem,gradient_importance,focal,curriculum"]  # fmt: skip
    strategy = ["--strategy", "time_hard"]
    process = site.start("manage.py", "run_round", "stripes", "--wait", *strategy, *settings)
    wait_for(site, "SELECT status FROM mining_roundstage WHERE name = 'retraining'", "running")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert site.ask("RoundStage.objects.get(name='retraining').status") == "running"

    out, error = site.manage("run_round", "stripes", "--wait", "--resume")

    assert out == ["1"]
    assert "8/9" in error and "7/9" not in error
    assert site.ask("Round.objects.get().status") == "succeeded"
    assert site.ask("HardSet.objects.count(), RoundStage.objects.count()") == "1 9"
    assert site.ask("Job.objects.filter(kind='round_stage').count()") == "9"
    retraining = json.loads(
        (site.folder / "artifacts" / site.ask("Round.objects.get().folder") / "retraining.json").read_text()
    )
    tried = [one["strategy"] for one in retraining["experiments"]]
    assert len(tried) == len(set(tried)) and {"ohem", "focal"} <= set(tried)


def test_of_two_who_start_at_once_one_is_told_why_not(site):
    processes = [site.start("manage.py", "run_round", "stripes", "--wait", *SETTINGS) for _ in range(2)]
    ended = [(process.communicate(timeout=240), process.returncode) for process in processes]

    assert sorted(status for _, status in ended) == [0, 1]
    refused = next(streams[1] for streams, status in ended if status == 1)
    assert "Round 1 of stripes is not over yet: wait for it or cancel it, then start the next." in refused
    assert site.ask("Round.objects.count(), Round.objects.get().status") == "1 succeeded"


def test_of_two_timetables_one_starts_the_round_and_a_kill_loses_nothing(site):
    set_up = "from annotations.models import Project; from mining.services.schedules import *; "
    project = "Project.objects.get(slug='stripes')"
    site.manage("shell", "--no-imports", "-c",
                f"{set_up}set_schedule(project={project}, every_annotations=100, every_hours=None)")  # fmt: skip
    words = ("manage.py", "shell", "--no-imports", "-c", f"{set_up}print(start_due_rounds())")
    processes = [site.start(*words) for _ in range(2)]
    started = [process.communicate(timeout=240)[0].split()[-1] for process in processes]

    assert sorted(started) == ["0", "1"]
    assert site.ask("Round.objects.count(), RoundStage.objects.count()") == "1 9"
    site.manage("shell", "--no-imports", "-c", "from mining.models import *; Round.objects.all().delete()")
    killed = site.start(*words)
    time.sleep(1)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    before = int(site.ask("Round.objects.count()"))
    out, _ = site.manage(*words[1:])
    assert before + int(out[-1]) == 1  # started by the killed one or by the next, never by both


def test_without_a_broker_a_round_is_not_queued(site):
    _, error = site.manage("run_round", "stripes", status=1)

    assert "The broker cannot be reached" in error
    assert site.ask("Round.objects.count()") == "0"


def test_a_worker_does_a_queued_round(site):
    broker = subprocess.Popen(valkey_command(site.folder), stdout=subprocess.DEVNULL)
    worker = None
    try:
        assert wait_until_answers(site.folder)
        worker = site.start("-m", "celery", "-A", "hardness_site.celery", "worker", "-c", "1", "-l", "WARNING")
        out, _ = site.manage("run_round", "stripes", *SETTINGS)
        assert out == ["1"]
        wait_for(site, ROUND_STATUS, "succeeded")
        assert site.ask("Job.objects.filter(kind='round_stage', status='succeeded').count()") == "9"
    finally:
        for process in (worker, broker):
            if process is not None:
                process.terminate()
                process.wait(timeout=30)


def stripes_site(folder: Path, database: Path, n_items: int) -> Site:
    """Return a site with a project of labelled pictures and nobody's times."""
    site = Site(folder / "var")
    site.folder.mkdir()
    shutil.copy(database, site.folder)
    generator = np.random.default_rng(1)
    for i in range(n_items):
        pictures = folder / "images" / CLASSES[i % 3]
        pictures.mkdir(parents=True, exist_ok=True)
        (pictures / f"{i:04d}.png").write_bytes(stripes(i % 3, 60, generator))
    site.manage("create_project", "Stripes", "--classes", ",".join(CLASSES))
    site.manage("import_images", "stripes", str(folder / "images"), "--labels-from-folders")
    return site


class Workers:
    """A broker and workers of a site, ended with the context."""

    def __init__(self, site: Site, number: int) -> None:
        self.site, self.number = site, number

    def __enter__(self) -> list[subprocess.Popen]:
        self.broker = subprocess.Popen(valkey_command(self.site.folder), stdout=subprocess.DEVNULL)
        assert wait_until_answers(self.site.folder)
        self.workers = [self.start(place) for place in range(self.number)]
        return self.workers

    def start(self, place: int) -> subprocess.Popen:
        words = ("-m", "celery", "-A", "hardness_site.celery", "worker", "-c", "1", "-l", "WARNING", "-n", f"w{place}")
        queues = ("-Q", "celery,housekeeping")
        return subprocess.Popen(
            [sys.executable, *words, *queues], cwd=ROOT, env=self.site.environment, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True, preexec_fn=die_with_parent,
        )  # fmt: skip

    def __exit__(self, *_: object) -> None:
        for process in (*self.workers, self.broker):
            if process.poll() is None:
                process.terminate()
                process.wait(timeout=60)


MANIFEST = """import json
from mining.artifacts import Folder
files = Folder(Round.objects.get().folder).read_json("manifest.json")["files"]
print(json.dumps({stage: files[stage] for stage in ("features", "predictions", "measures")}, sort_keys=True))"""
LEARNERS = ["--learner", "hog_svm", "--learner", "logistic", *SETTINGS, "--set=n_seeds=2"]


def manifest_of(site: Site) -> str:
    out, _ = site.manage("shell", "--no-imports", "-c", f"from mining.models import *\n{MANIFEST}")
    return out[-1]


@pytest.mark.long(seconds=50)
def test_one_process_two_workers_and_a_killed_one_compute_the_same_bytes(tmp_path, migrated_database):
    first = stripes_site(tmp_path, migrated_database, 600)
    shutil.copytree(first.folder, tmp_path / "two")
    shutil.copytree(first.folder, tmp_path / "killed")
    first.manage("run_round", "stripes", "--wait", *LEARNERS)
    expected = manifest_of(first)
    assert "folds/logistic.seed1.fold2" in expected

    two = Site(tmp_path / "two")
    with Workers(two, 2):
        two.manage("run_round", "stripes", *LEARNERS)
        wait_for(two, ROUND_STATUS, "succeeded")
    assert manifest_of(two) == expected

    killed = Site(tmp_path / "killed")
    with Workers(killed, 2) as workers:
        killed.manage("run_round", "stripes", *LEARNERS)
        wait_for(killed, "SELECT count(*) > 0 FROM jobs_job WHERE kind = 'round_piece'", 1)
        for worker in workers:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
    with Workers(killed, 1):
        recover = "from hardness_site.jobs.recovery import *; recover_lost_jobs(); send_waiting_jobs()"
        killed.manage("shell", "--no-imports", "-c", recover)
        wait_for(killed, ROUND_STATUS, "succeeded")
    assert manifest_of(killed) == expected
    assert killed.ask("Job.objects.filter(kind='round_piece').count()") == "0"
    for site in (first, two, killed):
        site.commands.close()
