"""Connections to PostgreSQL that were used a moment ago are not asked whether they live.

Django asks at the start of every request (`CONN_HEALTH_CHECKS`): one more trip to the server, a tenth of the time of
an answer. A server that goes away is noticed at the first use after a pause; within the pause one request fails, and
the workbench sends its answer again.
"""

from __future__ import annotations

import time

from django.db import connections

FRESH_SECONDS = 5.0


def trust_fresh_connections(**kwargs: object) -> None:
    """Take this thread's connections for alive where its request before was less than `FRESH_SECONDS` ago.

    To be called at `request_started`, after Django's own receiver, which orders the question.
    """
    # `health_check_done` is Django's, unknown to its type stubs; `last_request` is ours, kept where it ends with it.
    now = time.monotonic()
    for connection in connections.all(initialized_only=True):
        last = getattr(connection, "last_request", None)
        # A connection opened since then is known by its object.
        if last is not None and last[0] is connection.connection and now - last[1] < FRESH_SECONDS:
            connection.health_check_done = True  # type: ignore[attr-defined]
        connection.last_request = (connection.connection, now)  # type: ignore[attr-defined]
