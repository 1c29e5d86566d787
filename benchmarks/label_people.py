"""The people of `label_server`: clients that keep their connections, in a process of their own, and the clock of the
server's processes. Run alone it does nothing."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KINDS = (
    "issued", "fetch_start", "fetch_end", "decoded", "placed", "onset", "input", "key_down", "decision", "key_up",
)  # fmt: skip


@dataclass
class Turn:
    """What came of one turn: seconds it took, latencies in ms, and (trial, item) handed out to each person."""

    seconds: float
    latencies_ms: list[float]
    given: list[list[tuple[int, int]]] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies_ms) / self.seconds


class Person:
    """A client that keeps its connection, as a browser does."""

    def __init__(self, port: int, cookie: str, slug: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Cookie": cookie, "X-CSRFToken": "a" * 32, "Content-Type": "application/json"}
        self.base = f"/api/v1/projects/{slug}/trials/"
        self.session = str(uuid.uuid4())
        self.waiting: list[int] = []
        self.given: list[tuple[int, int]] = []

    def post(self, path: str, body: dict) -> dict:
        self.connection.request("POST", path, json.dumps(body), self.headers)
        response = self.connection.getresponse()
        data = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path}: {response.status} {data[:300]!r}")
        return json.loads(data)

    def begin(self) -> None:
        self.take(self.post(self.base + "next", {"session": {"key": self.session}, "want": 5}))

    def take(self, reply: dict) -> None:
        self.waiting += [lease["trial"] for lease in reply["next"]]
        self.given += [(lease["trial"], lease["item"]) for lease in reply["next"]]

    def label(self) -> None:
        if not self.waiting:
            raise RuntimeError("no item is left to label: take fewer or shorter turns, or more items")
        trial = self.waiting.pop(0)
        body = {
            "client_key": str(uuid.uuid4()),
            "session": self.session,
            "label": trial % 10,
            "events": [{"t": 1000.0 + 100 * i, "kind": kind} for i, kind in enumerate(KINDS)],
            "holding": self.waiting,
            "want": 5 - len(self.waiting),
        }
        self.take(self.post(f"{self.base}{trial}/answer", body))

    def bare(self) -> None:
        self.post("/bare/", {"text": "x"})


class Crowd:
    """People side by side in a process of their own, who go on where they stopped the turn before."""

    def __init__(self, port: int, cookies: list[str], slug: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_people, args=(other, port, cookies, slug), daemon=True)
        self._process.start()

    def turn(self, what: str, seconds: float, *, people: int, first: int = 0) -> Turn:
        """Let so many of them, from the `first` on, do `label` or `bare` for so long."""
        self._pipe.send((what, seconds, first, people))
        if not self._pipe.poll(seconds + 60):
            raise RuntimeError(f"{what}: no end after {seconds + 60:.0f} s")
        turn = self._pipe.recv()
        if isinstance(turn, BaseException):
            raise turn
        return turn

    def end(self) -> None:
        """Let them go home."""
        self._pipe.send(None)
        self._process.join(20)


def _people(pipe: Any, port: int, cookies: list[str], slug: str) -> None:
    persons = [Person(port, cookie, slug) for cookie in cookies]
    for person in persons:
        person.begin()
    while (order := pipe.recv()) is not None:
        what, seconds, first, people = order
        try:
            turn = _side_by_side((persons + persons)[first : first + people], what, seconds)
            turn.given = [person.given for person in persons]
            pipe.send(turn)
        except BaseException as error:
            pipe.send(error)


def _side_by_side(persons: list[Person], what: str, seconds: float) -> Turn:
    latencies: list[list[float]] = [[] for _ in persons]
    errors: list[BaseException] = []
    begin = time.perf_counter()
    end = begin + seconds

    def work(i: int) -> None:
        verb = getattr(persons[i], what)
        try:
            while (start := time.perf_counter()) < end:
                verb()
                latencies[i].append((time.perf_counter() - start) * 1000)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(persons))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return Turn(time.perf_counter() - begin, [each for person in latencies for each in person])


def sync_ms(folder: Path, *, kilobytes: int = 100, times: int = 10) -> list[float]:
    """Return how long the disk takes to keep as much as one answer writes: no acknowledged answer can be quicker."""
    path, took = folder / "sync-probe", []
    with path.open("wb", buffering=0) as file:
        for _ in range(times):
            file.seek(0)  # over what is there, as in a log that is used again
            file.write(os.urandom(1024 * kilobytes))
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - start) * 1000)
    path.unlink()
    return took[1:]


def cpu_seconds(pids: list[int]) -> float:
    """Return the processor time of these processes and all they started so far; 0 where the system does not say."""
    ticks, todo = 0, list(pids)
    while todo:
        folder = Path(f"/proc/{todo.pop()}")
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            ticks += sum(int(each) for each in fields[11:15])
            todo += [
                int(pid) for task in (folder / "task").iterdir() for pid in (task / "children").read_text().split()
            ]
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")
