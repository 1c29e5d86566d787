"""The whole site as a process of its own: the real `serve` on a free port with a data folder of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing, suppress
from pathlib import Path

from hardness_site.processes import die_with_parent, started_at
from tests.commands import Commands

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60


def rows_of(data_dir: Path | str, sql: str, *values: object) -> list[sqlite3.Row]:
    """Ask a site's database past Django: a command for each look would be more work than what is waited for."""
    with closing(sqlite3.connect(Path(data_dir) / "hardness.sqlite3", timeout=30)) as database:
        database.row_factory = sqlite3.Row
        return database.execute(sql, values).fetchall()


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Site:
    """One data folder and, between `start` and `stop`, the processes of the site."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        inherited = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")}
        self.environment = {
            **inherited,
            "HARDNESS_DATA_DIR": str(data_dir),
            "DJANGO_SETTINGS_MODULE": "hardness_site.settings.embedded",
            "PORT": str(self.port),
            # Preparing them costs seconds, and they are the same for all sites.
            "HARDNESS_STATIC_DIR": f"{os.environ['HARDNESS_TEST_DATA_DIR']}/site-static",
            **environment,
        }
        self.process: subprocess.Popen | None = None
        self.commands = Commands(self.environment)
        self.output_path = data_dir.parent / f"{data_dir.name}-output.txt"
        self._heard = 0

    def start(self, *words: str) -> Site:
        """Start it and wait until it is ready."""
        with self.output_path.open("a") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--workers", "1", *(words or ("--no-demo",))],
                cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
                # A test run that is killed takes its sites with it.
                preexec_fn=lambda: die_with_parent(signal.SIGTERM),
            )  # fmt: skip
        self.wait_until_ready()
        return self

    def wait_until_ready(self) -> None:
        """Wait until /readyz says that everything is in place."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            with suppress(OSError, urllib.error.HTTPError), urllib.request.urlopen(f"{self.url}/readyz", timeout=5):
                return
            if self.process is not None and self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"The site did not start:\n{self.output()}")

    def output(self) -> str:
        """Return what it has said so far (since `forget_output`), all starts together."""
        return self.output_path.read_text()[self._heard :]

    def forget_output(self) -> None:
        """Let `output` begin here."""
        self._heard = len(self.output_path.read_text()) if self.output_path.exists() else 0

    def stop(self, number: int = signal.SIGINT, *, seconds: float = 30) -> int:
        """Stop it as Ctrl-C does; return the exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        status = self.process.wait(seconds)
        self.process = None
        return status

    def close(self) -> None:
        """Stop what runs of it."""
        self.commands.close()
        if self.process is not None:
            self.stop()

    def pids(self) -> dict[str, int]:
        """Return the process ids of what runs, by name, as the site has written them down."""
        path = self.data_dir / "run" / "pids.json"
        rows = json.loads(path.read_text()) if path.exists() else {}
        return {name: row["pid"] for name, row in rows.items() if started_at(row["pid"]) == row["started"]}

    def kill(self, *names: str) -> None:
        """`kill -9` the named children, or "supervisor"."""
        pids = self.pids()
        for name in names:
            if name == "supervisor":
                assert self.process is not None
                self.process.kill()
            else:
                os.kill(pids[name], signal.SIGKILL)
        if "supervisor" in names:
            assert self.process is not None
            self.process.wait(10)
            self.process = None

    def manage(self, *words: str, check: bool = True) -> str:
        """Run a management command on the site's data; return what it printed."""
        done = self.commands.run(*words)
        assert done.status == 0 or not check, done.out + done.errors
        return done.out

    def python(self, code: str) -> str:
        """Run Python with Django set up on the site's data; return what it printed."""
        return self.manage("shell", "--no-imports", "-c", code).strip()

    def descendants(self) -> list[int]:
        """Return the ids of all live processes of the site, children of children included (Linux).

        The tests' own process for commands is none of them.
        """
        mine = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) in (os.getpid(), self.commands.pid):
                continue
            with suppress(OSError):
                environment = (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes()
                marks = (f"HARDNESS_DATA_DIR={self.data_dir}\0".encode(), f"{self.data_dir}/".encode())
                if (marks[0] in environment or marks[1] in command) and started_at(int(folder.name)):
                    mine.append(int(folder.name))
        return mine
