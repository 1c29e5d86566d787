"""Whether the database has the tables that this version of the site works with."""

from __future__ import annotations

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

_current: set[str] = set()


def n_missing_migrations() -> int:
    """Return how many migrations are not applied. They only come with a new version: a 0 holds for this process."""
    name = str(connection.settings_dict["NAME"])
    if name in _current:
        return 0
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if not missing:
        _current.add(name)
    return missing


def is_empty() -> bool:
    """Return whether the database has no tables at all, as before the first start."""
    return not connection.introspection.table_names()
