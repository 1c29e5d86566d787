"""Running the few statements that are written in SQL, as quickly as each database can."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import connection


def execute(sql: str, values: Sequence[Any]) -> int:
    """Run a statement; return how many rows it changed."""
    if _can_run_bare():
        return int(_run_bare(sql, values).rowcount)
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.rowcount)


def execute_many(sql: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run a statement once for each row of values: many times faster than one statement with a CASE for each."""
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(sql, rows)


def write_together(sql: str, values: Sequence[Any], *, prepare: Sequence[str]) -> None:
    """On SQLite: run a statement that writes, in one transaction with those that other threads want to write now."""
    if connection.queries_logged or connection.execute_wrappers:
        with connection.cursor() as cursor:
            for statement in prepare:
                cursor.execute(statement)
            cursor.execute(sql, values)
    else:
        sqlite: Any = connection
        sqlite.write_together(sql.replace("%s", "?"), values, prepare=prepare)


def fetch(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a statement; return its rows."""
    if _can_run_bare():
        return list(_run_bare(sql, values).fetchall())
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _can_run_bare(*, only_reads: bool = False) -> bool:
    """Whether SQLite itself may be called: what writes in a transaction, so that the turn to write is had, and with
    nobody listening. Django's cursor takes longer over a statement than SQLite does."""
    return (
        connection.vendor == "sqlite"
        and (only_reads or connection.in_atomic_block)
        and not connection.queries_logged
        and not connection.execute_wrappers
    )


def _run_bare(sql: str, values: Sequence[Any]) -> Any:
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors:
        return connection.connection.execute(_with_question_marks(sql), values)


@lru_cache(maxsize=256)
def _with_question_marks(sql: str) -> str:
    return sql.replace("%s", "?")


def read_prepared(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a query that every answer needs."""
    if _can_run_bare(only_reads=True):
        return list(_run_bare(sql, values).fetchall())
    return fetch_prepared(sql, values)


def fetch_prepared(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a statement that every answer needs; return its rows. PostgreSQL parses and plans it once for a connection,
    sqlite3 does so by itself."""
    if connection.vendor != "postgresql":
        return fetch(sql, values)
    from django.db.backends.postgresql.base import ServerBindingCursor

    connection.ensure_connection()
    raw: Any = ServerBindingCursor(connection.connection)  # type: ignore[call-arg]  # its stub has no arguments
    wrapped = connection.make_debug_cursor(raw) if connection.queries_logged else connection.make_cursor(raw)
    with wrapped as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def stored(moment: datetime.datetime | None) -> Any:
    """Return a time as the database wants it."""
    return connection.ops.adapt_datetimefield_value(moment)


def moment(value: Any) -> datetime.datetime:
    """Return a time as it came from the database: SQLite has no type for it."""
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value)
    return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
