"""Management commands on a site's data, each in a process of its own, without starting Django each time.

Starting Django takes more than a second of work, a command often a hundredth of it, and what computes imports for two
seconds more. So a first process imports the packages of others; it makes a copy of itself (`fork`) for every site,
which starts Django in the site's environment; and that makes a copy of itself for every command: the copy opens its own
connections, and what it leaves in memory ends with it.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (
    "celery", "django.core.management", "numba", "numpy", "PIL.Image", "polars", "pydantic", "redis", "scipy.optimize",
    "scipy.sparse", "scipy.special", "scipy.stats", "sklearn.linear_model", "sklearn.neighbors", "sklearn.svm",
)  # fmt: skip
"""What rounds and pages import, as far as it asks for no settings of Django."""
LONGEST_ENVIRONMENT = 1 << 17


@dataclass(frozen=True)
class Done:
    """What came of a command."""

    status: int
    out: str
    errors: str


class Original:
    """The process whose copies serve the sites; one for all tests of a process."""

    _only: Original | None = None

    def __init__(self) -> None:
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", f"from tests.commands import copy_for_sites; copy_for_sites({theirs.fileno()})"],
                cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
            )  # fmt: skip

    @classmethod
    def copy(cls, environment: dict[str, str]) -> socket.socket:
        """Return the line to a new copy, in this environment."""
        if cls._only is None or cls._only.process.poll() is not None:
            cls._only = cls()
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(cls._only.socket, [json.dumps(environment).encode()], [theirs.fileno()])
        return ours


class Commands:
    """Runs commands in the environment of one site; starts with the first."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.pid: int | None = None
        """The process id, where it runs."""
        self._socket: socket.socket | None = None
        self._line: TextIO | None = None

    def run(self, *words: str, seconds: float = 300) -> Done:
        """Run `manage.py WORDS` to its end."""
        if self._socket is None:
            self._socket = Original.copy(self.environment)
            self._line = self._socket.makefile("rw")
            self.pid = int(self._line.readline())
        self._line.write(json.dumps(words) + "\n")
        self._line.flush()
        ready, _, _ = select.select([self._socket], [], [], seconds)
        line = self._line.readline() if ready else ""
        if not line:
            self.close()
            raise AssertionError(f"No end of `manage.py {' '.join(words)}` after {seconds} s.")
        return Done(**json.loads(line))

    def close(self) -> None:
        """End the process, and a command that still runs in it."""
        if self._socket is not None and self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            with suppress(ConnectionError):
                self._line.read()  # their end is closed when they have ended
            self._line.close()
            self._socket.close()
        self._socket = self._line = self.pid = None


def copy_for_sites(number: int) -> None:
    """Import what takes long, then make a copy of this process for each site that is asked for on this socket."""
    for name in PACKAGES:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # copies that end are forgotten
    with socket.socket(fileno=number) as asked:
        while True:
            told, files, _, _ = socket.recv_fds(asked, LONGEST_ENVIRONMENT, 1)
            if not told:
                return
            if os.fork() == 0:
                break
            os.close(files[0])
    from hardness_site.processes import die_with_parent

    die_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(json.loads(told))
    with socket.socket(fileno=files[0]) as line:
        serve(line.makefile("rw"))


def serve(asked: TextIO) -> None:
    """Start Django, then run one command for each line."""
    import django
    from django.urls import get_resolver

    from hardness_site.processes import die_with_parent

    print(os.getpid(), file=asked, flush=True)
    sys.argv = ["manage.py"]
    django.setup()
    _ = get_resolver().url_patterns  # the checks of most commands load them
    for line in asked:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            pid = os.fork()
            if pid == 0:
                die_with_parent(signal.SIGKILL)
                _run(json.loads(line), out.fileno(), errors.fileno())
            _, status = os.waitpid(pid, 0)
            for file in (out, errors):
                file.seek(0)
            texts = {"out": out.read().decode(), "errors": errors.read().decode()}
        print(json.dumps({"status": os.waitstatus_to_exitcode(status), **texts}), file=asked, flush=True)


def _run(words: list[str], out: int, errors: int) -> None:
    """Run a command in this process, with its output in these files, and end."""
    from django.core.management import execute_from_command_line
    from django.db import connections

    os.dup2(out, 1)
    os.dup2(errors, 2)
    status = 1
    try:
        sys.argv = ["manage.py", *words]
        execute_from_command_line(sys.argv)
        status = 0
    except SystemExit as reason:
        status = reason.code if isinstance(reason.code, int) else int(reason.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        connections.close_all()  # SQLite puts its log away with the last
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
