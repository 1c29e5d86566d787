"""Whether a request asks the database if it is there."""

from __future__ import annotations

import pytest
from django.core import signals
from django.db import close_old_connections, connection

from hardness_site import fresh_connections
from hardness_site.fresh_connections import FRESH_SECONDS, trust_fresh_connections


@pytest.fixture
def clock(monkeypatch):
    """Return a clock that the test sets."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(fresh_connections, "time", clock)
    return clock


def begin_request() -> bool:
    """Begin as a request does; return whether the connection counts as alive."""
    connection.health_check_done = False  # by Django's receiver
    trust_fresh_connections()
    return connection.health_check_done


@pytest.mark.django_db
def test_a_connection_is_asked_after_a_pause_and_when_it_is_new(clock):
    connection.ensure_connection()
    connection.last_request = None
    assert begin_request() is False
    clock.now += FRESH_SECONDS - 0.1
    assert begin_request() is True
    clock.now += FRESH_SECONDS + 0.1
    assert begin_request() is False
    connection.last_request = (object(), clock.now)
    assert begin_request() is False


def test_it_comes_after_django_has_ordered_the_question():
    receivers = [receiver() for _, receiver, *_ in signals.request_started.receivers]
    assert receivers.index(trust_fresh_connections) > receivers.index(close_old_connections)
