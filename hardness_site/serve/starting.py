"""How a process of the site comes to life: by its command, or as a fork that has all modules already.

Every part of the site imports the same thousand modules, a second of work for each. On Linux the Python parts are
forks of the supervisor, which has them: a start takes half the work, and the parts share that memory. A fork must
take nothing along but the modules, so the supervisor lets go of its connections before, and has no second thread.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from contextlib import suppress
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import IO, Protocol

from django.db import connections

from hardness_site.processes import die_with_parent, name_process

ROOT = Path(__file__).resolve().parents[2]


class Process(Protocol):
    """What is asked of a started process; `subprocess.Popen` has it all."""

    @property
    def pid(self) -> int:
        """Its id."""

    @property
    def returncode(self) -> int | None:
        """How it has ended, once `poll` or `wait` saw it."""

    def poll(self) -> int | None:
        """Return how it has ended, None while it runs."""

    def wait(self) -> int:
        """Wait for its end."""

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal."""


class Forked:
    """A fork, with the verbs of `subprocess.Popen`."""

    def __init__(self, process: ForkProcess) -> None:
        assert process.pid is not None
        self._process = process
        self.pid = process.pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return how it has ended, None while it runs."""
        self.returncode = self._process.exitcode
        return self.returncode

    def wait(self) -> int:
        """Wait for its end."""
        self._process.join()
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal."""
        if self.poll() is None:
            os.kill(self.pid, sig)


def can_fork(command: list[str]) -> bool:
    """Whether a command is a Python module, and this process can be forked safely.

    Threads do not come along, those of libraries neither, and what they held stays locked. macOS gives a fork no
    promise about its own libraries.
    """
    is_module = command[:2] == [sys.executable, "-m"]
    return is_module and sys.platform == "linux" and len(_numbers_in("/proc/self/task")) == 1


def start(name: str, command: list[str], *, log: IO[bytes], environment: dict[str, str], orphan_signal: int) -> Process:
    """Start a command in a session of its own, in the way that is quickest here; its parent's end ends it."""
    if can_fork(command):
        return _fork(name, command[2:], log, environment, orphan_signal)
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env={**os.environ, **environment},
        cwd=ROOT,
        start_new_session=True,
        preexec_fn=lambda: die_with_parent(orphan_signal),
    )


def _fork(name: str, words: list[str], log: IO[bytes], environment: dict[str, str], orphan_signal: int) -> Process:
    """Start ``python -m module words…`` in a fork of this process."""
    _import_all()
    # What is there now stays to the end, here and in the fork: the collector need not look through it again, which
    # costs a second when a process ends on a busy machine, and writes to memory that is shared.
    gc.freeze()
    _let_go()
    context = multiprocessing.get_context("fork")
    process = context.Process(
        name=name, target=_live, args=(name, words, log.fileno(), environment, orphan_signal, os.getpid())
    )
    process.start()
    return Forked(process)


def _import_all() -> None:
    """Import what two parts or more import when they start."""
    import celery.apps.beat
    import celery.apps.worker
    import celery.bin.celery  # noqa: F401

    from hardness_site.celery import app

    app.loader.import_default_modules()


def _let_go() -> None:
    """Close what two processes must not share: connections to the database and the broker."""
    import kombu.pools

    connections.close_all()
    kombu.pools.reset()


def _live(name: str, words: list[str], log: int, environment: dict[str, str], orphan_signal: int, parent: int) -> None:
    """Be the command: a session of its own, its log, its environment, the usual signals, and nothing else open."""
    os.setsid()
    name_process(f"hardness {name}")
    die_with_parent(orphan_signal)
    if os.getppid() != parent:  # it died before it could be told
        os._exit(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    # The numbers stay taken: an object of the supervisor that is thrown away here closes nothing that is in use.
    for number in _open_files():
        if number > 2 and number != nothing:
            os.dup2(nothing, number)
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.argv = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


def _open_files() -> list[int]:
    found = []
    for number in _numbers_in("/proc/self/fd"):
        with suppress(OSError):  # the folder's own, closed by now
            os.fstat(number)
            found.append(number)
    return found


def _numbers_in(folder: str) -> list[int]:
    return [int(path.name) for path in Path(folder).iterdir()]
