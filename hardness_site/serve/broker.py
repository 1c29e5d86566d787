"""The embedded broker under the supervisor: adopt a live one, or start one."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from hardness_site.embedded import running_pid, valkey_command, wait_until_answers
from hardness_site.processes import Mark, started_at

from .children import ChildSpec
from .preflight import CannotStart
from .supervisor import Supervisor

NAME = "valkey"


def spec(data_dir: Path) -> ChildSpec:
    """Return the broker as a child. It saves when asked to end, also when its supervisor was killed."""
    return ChildSpec(NAME, lambda: valkey_command(data_dir), stop_seconds=10, orphan_signal=signal.SIGTERM)


def start_or_adopt(supervisor: Supervisor) -> None:
    """Have a broker running: the one that outlived its supervisor, or a new one. `wait` says when it answers."""
    data_dir = supervisor.data_dir
    mark = _left_behind(supervisor)
    if mark is not None and running_pid(data_dir) == mark.pid:
        supervisor.adopt(spec(data_dir), mark)
        return
    if mark is not None:  # on its way out: two servers must never write one file
        _wait_until_gone(mark)
    supervisor.start(spec(data_dir))


def wait(supervisor: Supervisor) -> None:
    """Wait until the broker answers. One whose file is broken beyond repair is started empty.

    The broker holds nothing that the database does not: jobs that wait are sent again at every start.
    """
    data_dir = supervisor.data_dir
    if wait_until_answers(data_dir):
        return
    supervisor.kill(NAME)
    aside = data_dir / f"valkey-broken-{int(time.time())}"
    (data_dir / "valkey").rename(aside)
    supervisor.say(f"The broker could not read its file; it starts empty, and the old file is kept in {aside}.")
    supervisor.start(spec(data_dir))
    if not wait_until_answers(data_dir):
        raise CannotStart(f"The embedded broker does not start: see {data_dir / 'log' / 'valkey.log'}.")


def _left_behind(supervisor: Supervisor) -> Mark | None:
    mark = supervisor.register.marks().get(NAME)
    if mark is not None and mark.is_alive():
        return mark
    pid = running_pid(supervisor.data_dir)
    started = started_at(pid) if pid else None
    return Mark(pid, started) if pid and started else None


def _wait_until_gone(mark: Mark, *, seconds: float = 10) -> None:
    import os

    until = time.monotonic() + seconds
    while mark.is_alive():
        if time.monotonic() > until:
            os.kill(mark.pid, signal.SIGKILL)
        time.sleep(0.05)
