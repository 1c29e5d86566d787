"""Writes that wait at the same time, in one transaction.

A commit waits for the disk, and while one writer waits all others do. Of the threads of a process that want to write,
the first stands in line for all: who comes until its turn is taken along, and all of them are told after the commit.
So nothing is said to be written that is not, and many writes cost one wait for the disk.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any

MOST = 16
"""Writes in one transaction: those of other processes wait meanwhile."""


class Write:
    """One statement, which is undone as a whole where it fails, and what became of it."""

    def __init__(self, sql: str, values: Sequence[Any]) -> None:
        self.sql = sql
        self.values = values
        self.error: BaseException | None = None
        self.is_done = False
        self.turn = threading.Lock()
        self.turn.acquire()

    def end(self, error: BaseException | None) -> None:
        """Say what became of it. Of an error that several share each thread gets one of its own to raise."""
        self.error = self.error or (None if error is None else _another(error))
        self.is_done = True
        self.turn.release()


def _another(error: BaseException) -> BaseException:
    try:
        return type(error)(*error.args)
    except Exception:  # one that is made in another way: shared, so that nobody waits for ever
        return error


class Together:
    """The writes of one process to one file."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: list[Write] = []
        self._is_led = False

    def write(self, write: Write, *, enter: Callable[[], None], run: Callable[[list[Write]], None]) -> None:
        """Have a write done, by this thread or by another one; raises what went wrong.

        Where this thread leads, `enter` waits for the turn, and `run` does the writes and gives the turn back.
        """
        with self._mutex:
            self._waiting.append(write)
            leads, self._is_led = not self._is_led, True
        if not leads:
            write.turn.acquire()  # until it is done, or until it is this thread's turn to lead
        if not write.is_done:
            self._lead(enter, run)
        if write.error is not None:
            raise write.error

    def _lead(self, enter: Callable[[], None], run: Callable[[list[Write]], None]) -> None:
        error: BaseException | None = None
        writes: list[Write] = []
        try:
            enter()
            writes = self._take()
            run(writes)
        except BaseException as raised:
            error = raised
            writes = writes or self._take()
        finally:
            self._hand_on()
            for write in writes:
                write.end(error)
        if error is not None and not isinstance(error, Exception):
            raise error

    def _take(self) -> list[Write]:
        with self._mutex:
            taken, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            return taken

    def _hand_on(self) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting[0].turn.release()
            else:
                self._is_led = False


def run_all(connection: sqlite3.Connection, writes: list[Write]) -> None:
    """Do the writes in one transaction. One that breaks a rule of the data gets its error, and the others are kept."""
    if len(writes) == 1:
        _run_one(connection, writes[0])
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for write in writes:
            _run_one(connection, write)
        connection.execute("COMMIT")
    except sqlite3.IntegrityError:
        # A reference that leads nowhere shows at the commit, and not whose it is: each by itself.
        connection.execute("ROLLBACK")
        for write in writes:
            write.error = None
            _run_one(connection, write)
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        for write in writes:
            write.error = None
        raise


def _run_one(connection: sqlite3.Connection, write: Write) -> None:
    try:
        connection.execute(write.sql, write.values)
    except sqlite3.IntegrityError as error:
        write.error = error


_by_file: dict[str, Together] = {}


def together_at(path: str) -> Together:
    """Return the one of this process for that file."""
    return _by_file.setdefault(path, Together())


# Who leads in the parent leads nobody in its child.
os.register_at_fork(after_in_child=_by_file.clear)
