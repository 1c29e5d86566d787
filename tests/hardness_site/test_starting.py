"""A part of the site that is a fork of the supervisor: it is what the command would be, and takes nothing along."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PART = """
import json, os, signal, sys
from django.db import connections
numbers = [name for name in os.listdir("/proc/self/fd") if int(name) > 2]
files = [os.readlink(f"/proc/self/fd/{name}") for name in numbers if os.path.exists(f"/proc/self/fd/{name}")]
print(json.dumps({
    "words": sys.argv[1:], "leads": os.getsid(0) == os.getpid(), "name": open("/proc/self/comm").read().strip(),
    "setting": os.environ["OF_THE_PART"], "term": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
    "int": signal.getsignal(signal.SIGINT) == signal.default_int_handler, "input": sys.stdin.read(),
    "open": [file for file in files if "null" not in file and "proc" not in file],
    "connection": connections["default"].connection is None, "django": "django.db.models" in sys.modules,
}), flush=True)
if sys.argv[1] == "wait":
    import time
    time.sleep(60)
sys.exit(int(sys.argv[2]))
"""
SUPERVISOR = """
import fcntl, json, os, signal, sys, time
import django
django.setup()
from pathlib import Path
from django.db import connection
from hardness_site.serve.starting import can_fork, start
how, folder = sys.argv[1:]
lock = open(f"{folder}/lock", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
connection.cursor().execute("SELECT 1")
signal.signal(signal.SIGTERM, lambda *_: None)
command = [sys.executable, "-m", "part", how, "3"]
with open(f"{folder}/part.log", "ab") as log:
    part = start("part", command, log=log, environment={"OF_THE_PART": "here"}, orphan_signal=signal.SIGKILL)
while how == "wait" and not Path(f"{folder}/part.log").read_text():
    time.sleep(0.02)
running = part.poll()
if how == "wait":
    part.send_signal(signal.SIGTERM)
print(json.dumps({"forked": can_fork(command), "running": running, "code": part.wait(), "seen": part.returncode}))
"""


def run_supervisor(folder: Path, how: str) -> tuple[dict, dict]:
    """Return what the supervisor and the part have said."""
    (folder / "part.py").write_text(PART)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "hardness_site.settings.embedded", "HARDNESS_DATA_DIR": str(folder),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SUPERVISOR), how, str(folder)], cwd=ROOT, env=environment,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), json.loads((folder / "part.log").read_text().splitlines()[0])


@pytest.mark.skipif(sys.platform != "linux", reason="forks are made on Linux only")
def test_a_part_is_what_its_command_would_be(tmp_path):
    supervisor, part = run_supervisor(tmp_path, "end")
    assert (supervisor["forked"], supervisor["code"], supervisor["seen"]) == (True, 3, 3)
    assert part == {
        "words": ["end", "3"], "leads": True, "name": "hardness part", "setting": "here", "term": True, "int": True,
        "input": "", "open": [], "connection": True, "django": True,
    }  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="forks are made on Linux only")
def test_a_signal_ends_it_and_is_told(tmp_path):
    supervisor, _ = run_supervisor(tmp_path, "wait")
    assert (supervisor["running"], supervisor["code"]) == (None, -15)
