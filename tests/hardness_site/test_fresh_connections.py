"""Whether a request asks the database if it is there."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.db import connection

from hardness_site import fresh_connections
from hardness_site.fresh_connections import FRESH_SECONDS, trust_fresh_connections
from tests.site import ROOT


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
    """In a process of its own: Django's test client takes receivers away and puts them back behind all others."""
    code = """
import django
django.setup()
from django.core import signals
from django.db import close_old_connections
from hardness_site.fresh_connections import trust_fresh_connections
receivers = [receiver() for _, receiver, *_ in signals.request_started.receivers]
print(receivers.index(trust_fresh_connections) > receivers.index(close_old_connections))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
