"""The processes of the site, each one a `Child`: how it is started, asked to stop, and started again."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hardness_site.processes import ONE_THREAD, Mark, signal_group, wait_for_group

from .starting import start

LOG_BYTES = 5_000_000


@dataclass(frozen=True)
class ChildSpec:
    """What a child is: its command, how it is asked to stop, and how long that may take."""

    name: str
    command: Callable[[], list[str]]
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 10
    orphan_signal: int = signal.SIGKILL


class Child:
    """One running process, leader of its own group: Ctrl-C in the terminal reaches only the supervisor."""

    def __init__(self, spec: ChildSpec, *, log_dir: Path, environment: dict[str, str]) -> None:
        self.spec = spec
        self.log_path = log_dir / f"{spec.name}.log"
        _rotate(self.log_path)
        settings = {**ONE_THREAD, **environment}
        with self.log_path.open("ab") as log:
            self.process = start(
                spec.name, spec.command(), log=log, environment=settings, orphan_signal=spec.orphan_signal
            )

    @property
    def pid(self) -> int:
        """Its process id, which is also its group's."""
        return self.process.pid

    def has_ended(self) -> bool:
        """Whether it has ended. What is left of its group is killed then, while its id cannot be given to another."""
        if self.process.returncode is not None:
            return True
        if hasattr(os, "waitid"):
            try:
                ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
            except ChildProcessError:
                ended = True
            if not ended:
                return False
            signal_group(self.pid, signal.SIGKILL)
        return self.process.poll() is not None

    def ask_to_stop(self) -> None:
        """Ask it to stop in its own way."""
        if not self.has_ended():
            self.process.send_signal(self.spec.stop_signal)

    def begin_to_kill(self) -> None:
        """Have it and its group end at once, without waiting for it."""
        if not self.has_ended():
            signal_group(self.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End it and its group at once."""
        self.begin_to_kill()
        self.process.wait()
        # Whoever asks next which jobs have lost their process must find it gone.
        wait_for_group(self.pid, seconds=2)

    def last_line(self) -> str:
        """Return the last line of its log, for the person who wonders why it ended."""
        with self.log_path.open("rb") as log:
            log.seek(max(0, self.log_path.stat().st_size - 2000))
            lines = log.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else ""


class AdoptedChild:
    """A process that an earlier supervisor started and this one took over."""

    def __init__(self, spec: ChildSpec, mark: Mark) -> None:
        self.spec = spec
        self.mark = mark

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.mark.pid

    def has_ended(self) -> bool:
        """Whether it has ended."""
        return not self.mark.is_alive()

    def ask_to_stop(self) -> None:
        """Ask it to stop in its own way."""
        self._signal(self.spec.stop_signal)

    def begin_to_kill(self) -> None:
        """Have it end at once, without waiting for it."""
        self._signal(signal.SIGKILL)

    def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGKILL)

    def last_line(self) -> str:
        """Return nothing: its log belongs to an earlier run."""
        return ""

    def _signal(self, number: int) -> None:
        if self.mark.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.mark.pid, number)


def _rotate(path: Path) -> None:
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))


def n_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def web(host: str, port: int) -> ChildSpec:
    """Return the web server: gunicorn with threads."""
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    words = ["--bind", bind, "--worker-class", "gthread", "--workers", str(min(4, max(2, n_cores()))), "--threads", "8"]
    # Loaded once, then forked: its workers start sooner and share the memory.
    words += [
        "--preload",
        "--graceful-timeout",
        "5",
        "--keep-alive",
        "30",
        "--no-control-socket",
        "--log-level",
        "warning",
    ]
    return ChildSpec("web", lambda: _python("gunicorn", "hardness_site.wsgi", *words), stop_seconds=7)


def worker(processes: int) -> ChildSpec:
    """Return the worker for jobs: one process a core."""
    words = ["--pool", "prefork", "--concurrency", str(processes), "--queues", "celery", "--hostname", "jobs@%h"]
    return ChildSpec("worker", lambda: _celery("worker", *words, *QUIET), stop_seconds=5)


def housekeeper() -> ChildSpec:
    """Return the small worker for short regular tasks, which must not wait behind jobs of an hour."""
    words = ["--pool", "threads", "--concurrency", "3", "--queues", "housekeeping", "--hostname", "housekeeper@%h"]
    return ChildSpec("housekeeper", lambda: _celery("worker", *words, *QUIET), stop_seconds=5)


def beat(schedule: Path) -> ChildSpec:
    """Return the clock that sends the regular tasks."""
    words = ["--schedule", str(schedule), "--pidfile", "", "--loglevel", "WARNING"]
    return ChildSpec("beat", lambda: _celery("beat", *words), stop_seconds=5)


QUIET = ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]


def _celery(*words: str) -> list[str]:
    return _python("celery", "--app", "hardness_site", *words)


def _python(module: str, *words: str) -> list[str]:
    return [sys.executable, "-m", module, *words]
