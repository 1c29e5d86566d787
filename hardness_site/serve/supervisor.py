"""Start the site's processes, start again whichever ends, and stop them all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from hardness_site.processes import Mark, Register, end_group

from .children import AdoptedChild, Child, ChildSpec

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 60.0


@dataclass
class _Watched:
    spec: ChildSpec
    child: Child | AdoptedChild | None
    started: float
    pause: float = FIRST_PAUSE
    start_at: float = 0.0


class Supervisor:
    """Holds the running children, in the order in which they were started."""

    def __init__(self, data_dir: Path, *, say: Callable[[str], None]) -> None:
        self.data_dir = data_dir
        self.say = say
        self.register = Register(data_dir / "run" / "pids.json")
        self._environment = {"HARDNESS_DATA_DIR": str(data_dir)}
        self._watched: dict[str, _Watched] = {}

    def end_orphans(self, *, spare: Iterable[str] = ()) -> None:
        """End what a supervisor that was killed has left behind, except the ones named in `spare`."""
        for name, mark in self.register.marks().items():
            if name in spare and mark.is_alive():
                continue
            if mark.is_alive():
                self.say(f"Ending the {name} (process {mark.pid}) that an earlier start has left behind.")
                end_group(mark, seconds=3)
            self.register.remove(name)

    def start(self, spec: ChildSpec) -> None:
        """Start a child and watch it from now on."""
        self._watched[spec.name] = _Watched(spec, self._spawn(spec), time.monotonic())

    def adopt(self, spec: ChildSpec, mark: Mark) -> None:
        """Watch a process that is running already."""
        self._watched[spec.name] = _Watched(spec, AdoptedChild(spec, mark), time.monotonic())
        self.register.write(spec.name, mark.pid)

    def run_once(self, spec: ChildSpec) -> Child:
        """Start a child that is expected to end by itself; `stop` ends it with the others."""
        child = self._spawn(spec)
        self._watched[spec.name] = _Watched(spec, child, time.monotonic(), pause=-1)
        return child

    def forget(self, name: str) -> None:
        """Watch a child no longer that has ended by itself."""
        self._watched.pop(name, None)
        self.register.remove(name)

    def watch(self) -> None:
        """Look at every child once; start again what has ended, after a pause that grows."""
        now = time.monotonic()
        for watched in list(self._watched.values()):
            if watched.pause < 0:
                continue
            if watched.child is None:
                if now >= watched.start_at:
                    watched.child, watched.started = self._spawn(watched.spec), now
                continue
            if watched.child.has_ended():
                self._has_ended(watched, now)

    def kill(self, name: str) -> None:
        """End a child at once and watch it no longer."""
        watched = self._watched.pop(name, None)
        if watched and watched.child:
            watched.child.kill()
        self.register.remove(name)

    def stop(self, names: Iterable[str] | None = None, *, hurry: Callable[[], bool] = lambda: False) -> None:
        """Ask children to stop (all, or those named), wait for each as long as it may take, then kill."""
        wanted = list(self._watched if names is None else names)
        running = [child for name in wanted if (child := self._watched[name].child)]
        began = time.monotonic()
        for child in running:
            child.ask_to_stop()
        while running := [child for child in running if not child.has_ended()]:
            late = [child for child in running if hurry() or time.monotonic() - began > child.spec.stop_seconds]
            # All are told before any is waited for: on a busy machine each takes its time to go.
            for child in late:
                child.begin_to_kill()
            for child in late:
                child.kill()
            if not late:
                time.sleep(0.02)
        for name in wanted:
            self.forget(name)

    def names(self) -> list[str]:
        """Return the names of the watched children."""
        return list(self._watched)

    def _spawn(self, spec: ChildSpec) -> Child:
        child = Child(spec, log_dir=self.data_dir / "log", environment=self._environment)
        self.register.write(spec.name, child.pid)
        return child

    def _has_ended(self, watched: _Watched, now: float) -> None:
        assert watched.child is not None
        if now - watched.started > STEADY_SECONDS:
            watched.pause = FIRST_PAUSE
        watched.start_at = now + watched.pause
        line = watched.child.last_line()
        self.say(
            f"The {watched.spec.name} has ended; it starts again in {watched.pause:g} s. "
            f"See {self.data_dir / 'log' / watched.spec.name}.log" + (f": {line}" if line else ".")
        )
        watched.pause = min(LONGEST_PAUSE, 2 * watched.pause)
        watched.child = None
