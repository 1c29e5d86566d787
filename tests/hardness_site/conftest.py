"""Fixtures of the site's own tests."""

from __future__ import annotations

import pytest
from django.db import connection


@pytest.fixture
def only_sqlite(request):
    """Run a test on SQLite alone: the line of writers, and their shared commits, exist nowhere else.

    On another database it is not run, and not counted as skipped either: a skip means that something was missing.
    """
    if connection.vendor != "sqlite":
        request.node.add_marker(pytest.mark.xfail(reason="is about SQLite alone", run=False))
