"""Processes by id and moment of start, so that an id that was given out again is never mistaken."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# One thread for numbers in each process: the worker has as many processes as there are cores.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Mark:
    """One process: its id and when it started, as the system writes it."""

    pid: int
    started: str

    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        return started_at(self.pid) == self.started


def started_at(pid: int) -> str | None:
    """Return when a live process started, None where there is none of that id."""
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return None
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]
    # A system without /proc (macOS): ps is there.
    shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip() or None


def die_with_parent(signal_number: int = signal.SIGKILL) -> None:
    """Ask the kernel (Linux) to send this process a signal when its parent dies."""
    if sys.platform == "linux":
        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number)


def name_process(name: str) -> None:
    """Give this process (Linux) a name of at most 15 letters for `ps -o comm` and `top`."""
    if sys.platform == "linux":
        PR_SET_NAME = 15
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_NAME, name.encode()[:15])


def signal_group(pid: int, signal_number: int) -> None:
    """Send a signal to the group that process `pid` leads, if there is one."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal_number)


def wait_for_group(pid: int, *, seconds: float) -> None:
    """Wait until nothing of the group that process `pid` has led runs: a killed process takes a moment to go."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and _group_runs(pid):
        time.sleep(0.01)


def _group_runs(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    if sys.platform != "linux":
        return True
    # A process that has ended stays in its group until its parent has asked after it; the first process of the
    # machine, which inherits it, may do so a second later, or never.
    return any(_runs_in_group(folder, pid) for folder in Path("/proc").iterdir() if folder.name.isdigit())


def _runs_in_group(folder: Path, group: int) -> bool:
    try:
        state, _, its_group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
    except OSError:
        return False
    return state not in "ZX" and int(its_group) == group


def end_group(mark: Mark, *, seconds: float) -> None:
    """End a process and its group: asked first, killed after `seconds`."""
    if not mark.is_alive():
        return
    signal_group(mark.pid, signal.SIGTERM)
    until = time.monotonic() + seconds
    while mark.is_alive() and time.monotonic() < until:
        time.sleep(0.05)
    if mark.is_alive():
        signal_group(mark.pid, signal.SIGKILL)


class Register:
    """The file in which a site writes what it has started, for whoever must clean up after it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._marks = self._read()

    def marks(self) -> dict[str, Mark]:
        """Return what is written there, by name."""
        return dict(self._marks)

    def write(self, name: str, pid: int) -> None:
        """Note a process that was started."""
        started = started_at(pid)
        if started is not None:
            self._marks[name] = Mark(pid, started)
            self._save()

    def remove(self, name: str) -> None:
        """Strike a process that has ended."""
        if self._marks.pop(name, None):
            self._save()

    def _read(self) -> dict[str, Mark]:
        # A file cut short by a crash of the machine: its processes are gone too.
        with suppress(OSError, ValueError, TypeError, KeyError):
            return {name: Mark(row["pid"], row["started"]) for name, row in json.loads(self.path.read_text()).items()}
        return {}

    def _save(self) -> None:
        rows = {name: {"pid": mark.pid, "started": mark.started} for name, mark in self._marks.items()}
        draft = self.path.with_suffix(".new")
        # A full disk must not keep the site from being watched and stopped: the file is for the next start only.
        with suppress(OSError):
            draft.write_text(json.dumps(rows))
            draft.replace(self.path)
