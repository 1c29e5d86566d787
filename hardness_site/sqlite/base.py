"""Django's SQLite backend with writers waiting in a fair line instead of polling."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from django.db.backends.sqlite3.base import DatabaseWrapper as SQLiteDatabaseWrapper
from django.db.backends.sqlite3.base import SQLiteCursorWrapper

from .line import LineTimeout, WriterLine
from .together import Write, run_all, together_at

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLAC")


class FairCursor(SQLiteCursorWrapper):
    """A cursor that waits in line for a write outside a transaction."""

    line: WriterLine | None = None

    def execute(self, query: str, params: Any = None) -> Any:
        """Run one statement."""
        if not self._must_wait(query):
            return super().execute(query, params)
        self._enter()
        try:
            return super().execute(query, params)
        finally:
            self._leave()

    def executemany(self, query: str, param_list: Any) -> Any:
        """Run one statement for many parameters."""
        if not self._must_wait(query):
            return super().executemany(query, param_list)
        self._enter()
        try:
            return super().executemany(query, param_list)
        finally:
            self._leave()

    def _must_wait(self, query: str) -> bool:
        return (
            self.line is not None
            and not self.connection.in_transaction
            and query.lstrip(" \n\t(")[:6].upper() in WRITES
        )

    def _enter(self) -> None:
        assert self.line is not None
        _enter(self.line)

    def _leave(self) -> None:
        # With isolation_level "" sqlite3 has opened a transaction by itself: its commit or rollback leaves the line.
        if self.line is not None and not (
            self.connection.isolation_level is not None and self.connection.in_transaction
        ):
            self.line.leave()


class DatabaseWrapper(SQLiteDatabaseWrapper):
    """SQLite whose transactions take their turn before BEGIN and give it back at COMMIT or ROLLBACK."""

    _line: WriterLine | None = None
    _prepared: Sequence[str] = ()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open the database, and a place in its line beside it; a database in memory has no line."""
        if self._line is not None:
            self._line.close()
        self._line = None
        self._prepared = ()
        if not self.is_in_memory_db():
            self._line = WriterLine(f"{conn_params['database']}-writers", float(conn_params.get("timeout", 5)))
        return super().get_new_connection(conn_params)

    def write_together(self, sql: str, values: Sequence[Any], *, prepare: Sequence[str] = ()) -> None:
        """Run a statement that writes, in one transaction with those that other threads want to write now.

        It is committed when this returns, unless in a transaction of the caller's. `prepare`: statements that make what
        it needs of temporary things, once for a connection; a process has one such list for all it writes so.
        """
        self.ensure_connection()
        self.validate_no_broken_transaction()
        with self.wrap_database_errors:
            if self.in_atomic_block or self._line is None:
                for statement in prepare:  # each time: what is made in a transaction may be undone with it
                    self.connection.execute(statement)
                self.connection.execute(sql, values)
                return
            line = self._line
            self._prepare(prepare)
            together_at(line.path).write(Write(sql, values), enter=lambda: _enter(line), run=self._run_together)

    def _prepare(self, statements: Sequence[str]) -> None:
        if self._prepared is not statements:
            for statement in statements:
                self.connection.execute(statement)
            self._prepared = statements

    def _run_together(self, writes: list[Write]) -> None:
        assert self._line is not None
        try:
            run_all(self.connection, writes)
        finally:
            self._line.leave()

    def create_cursor(self, name: str | None = None) -> Any:
        """Return a cursor that knows the line."""
        cursor = self.connection.cursor(factory=FairCursor)
        cursor.line = self._line
        return cursor

    def _start_transaction_under_autocommit(self) -> None:
        if self._line is None:
            super()._start_transaction_under_autocommit()
            return
        with self.wrap_database_errors:
            _enter(self._line)
        try:
            super()._start_transaction_under_autocommit()
        except BaseException:
            self._line.leave()
            raise

    def _commit(self) -> Any:
        # Not in a finally: a COMMIT that failed leaves the transaction open, and Django rolls it back.
        done = super()._commit()
        if self._line is not None:
            self._line.leave()
        return done

    def _rollback(self) -> Any:
        try:
            return super()._rollback()
        finally:
            if self._line is not None:
                self._line.leave()

    def _close(self) -> Any:
        try:
            return super()._close()
        finally:
            if self._line is not None:
                self._line.close()


def _enter(line: WriterLine) -> None:
    try:
        line.enter()
    except LineTimeout:
        raise sqlite3.OperationalError("database is locked: the writer in front did not finish in time") from None
