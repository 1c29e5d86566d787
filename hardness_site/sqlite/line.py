"""A fair line for the writers of one SQLite file, across threads and processes.

SQLite lets waiting writers poll: whoever happens to look at the right moment is next, and one may starve for seconds.
The kernel's `flock` wakes them in the order in which they came, and lets go by itself when a process dies.
SQLite's own locks stay what keeps the data right; the line only decides whose turn it is.
"""

from __future__ import annotations

import fcntl
import os
import threading
from contextlib import suppress


class LineTimeout(Exception):
    """The writer in front did not finish in time."""


_held_here = threading.local()


class WriterLine:
    """One connection's place in the line of the file at `path`."""

    def __init__(self, path: str, timeout: float) -> None:
        self.path = path
        self.timeout = timeout
        self.is_held = False
        self._descriptor: int | None = None
        self._pid = 0

    def enter(self) -> None:
        """Wait for the turn. Raises LineTimeout after `timeout` seconds.

        A thread that has its turn through another connection goes on at once: it would wait for itself.
        """
        held = self._held()
        if self.is_held or self.path in held:
            return
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._wait(descriptor)
        held.add(self.path)
        self.is_held = True

    def leave(self) -> None:
        """Let the next one go. Harmless without a turn."""
        if not self.is_held:
            return
        self.is_held = False
        self._held().discard(self.path)
        if self._descriptor is not None and self._pid == os.getpid():
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Leave the line for good."""
        self.leave()
        if self._descriptor is not None and self._pid == os.getpid():
            os.close(self._descriptor)
        self._descriptor = None

    def _open(self) -> int:
        # A child of fork() shares its parent's open file, and so its lock: it needs an opening of its own.
        if self._descriptor is None or self._pid != os.getpid():
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._pid = os.getpid()
        return self._descriptor

    def _wait(self, descriptor: int) -> None:
        # flock() knows no time limit, so a thread does the waiting and may be left behind. It waits on an opening of
        # its own, which it closes: a turn that comes too late is given up at once.
        waiting = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        turn = threading.Event()
        lock = threading.Lock()
        gave_up = False

        def wait() -> None:
            with suppress(OSError):
                fcntl.flock(waiting, fcntl.LOCK_EX)
            with lock:
                if gave_up:
                    os.close(waiting)
                else:
                    turn.set()

        threading.Thread(target=wait, name="writer-line", daemon=True).start()
        if not turn.wait(self.timeout):
            with lock:
                if not turn.is_set():
                    gave_up = True
                    raise LineTimeout
        os.close(descriptor)
        self._descriptor = waiting

    @staticmethod
    def _held() -> set[str]:
        if not hasattr(_held_here, "paths"):
            _held_here.paths = set()
        paths: set[str] = _held_here.paths
        return paths
