"""Who does a job: a name by which this machine knows later whether that process still runs."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from hardness_site.processes import Mark, started_at


def worker_name() -> str:
    """Return a name of this process that tells later, on this machine, whether it is still the one that runs."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{started_at(os.getpid())}:{_namespace()}"[:120]


def is_gone(worker: str) -> bool:
    """Whether the worker of that name has surely ended. False where this machine cannot know."""
    host, _, rest = worker.partition(":")
    pid, _, rest = rest.partition(":")
    started, _, namespace = rest.rpartition(":")
    if host != socket.gethostname()[:60] or namespace != _namespace() or not pid.isdecimal():
        return False
    return not Mark(int(pid), started).is_alive()


def _namespace() -> str:
    # The same id means another process in another container.
    if sys.platform != "linux":
        return "-"
    return Path("/proc/self/ns/pid").readlink().name.removeprefix("pid:").strip("[]")
