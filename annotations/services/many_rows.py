"""Rows by the hundred thousand: one statement with the values of many, no model object for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connections, models, router


def insert_rows(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    *,
    common: Mapping[str, Any],
    skip_known: bool = False,
) -> None:
    """Insert rows: `columns` names the fields in which they differ, `common` gives those that all share.

    The values of `rows` are numbers, text or None, as the database takes them. Fields named in neither get their
    default. With `skip_known` a row that breaks a constraint of uniqueness is left out. No signals are sent.
    """
    if not rows:
        return
    connection = connections[router.db_for_write(model)]
    shared = {**_defaults(model, set(columns) | set(common)), **common}
    fields = [model._meta.get_field(name) for name in (*columns, *shared)]
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)  # type: ignore[union-attr]
    fixed = tuple(
        field.get_db_prep_save(value, connection)  # type: ignore[union-attr]
        for field, value in zip(fields[len(columns) :], shared.values(), strict=True)
    )
    marks = ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({names}) VALUES ({marks})"
    if skip_known:
        sql += " ON CONFLICT DO NOTHING"
    with connection.cursor() as cursor:
        cursor.executemany(sql, [(*row, *fixed) for row in rows])


def _defaults(model: type[models.Model], named: set[str]) -> dict[str, Any]:
    blank = model()
    return {
        field.name: field.pre_save(blank, add=True)
        for field in model._meta.concrete_fields
        if not field.primary_key and field.name not in named and field.attname not in named
    }
