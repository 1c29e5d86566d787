"""A browser's clock that runs away from the server's: from the answers as they come in to the words on the page."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotations.api import trials as api
from annotations.models import Trial
from annotations.services.answers import Submission
from tests import factories
from tests.mining.people_now.test_cautions import warnings_on
from tests.mining.people_now.test_refresh import refresh

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("few_splits")]
PEOPLE = ("ada", "bea", "cid")
N_ITEMS = 40


@pytest.fixture
def pass_time(monkeypatch):
    """Return pass_time(ms): the server's clock stands still but for that."""
    moment = [timezone.now()]
    monkeypatch.setattr(timezone, "now", lambda: moment[0])
    monkeypatch.setattr(api, "Submission", lambda **fields: Submission(received_at=moment[0], **fields))

    def run(ms: float) -> None:
        moment[0] += timedelta(milliseconds=ms)

    return run


def label_all(user, rate, pass_time, seed):
    """Answer every item through the API, in a browser whose clock runs at ``rate`` against the server's."""
    client, generator = Client(), np.random.default_rng(seed)
    client.force_login(user)
    clock, key = 0.0, f"sitting-{user.username}"

    def post(path, **body):
        reply = client.post(f"/api/v1/projects/pets/trials/{path}", json.dumps(body), content_type="application/json")
        assert reply.status_code == 200, reply.content
        return reply.json()["next"]

    handed = post("next", session={"key": key}, want=1)
    for number in range(N_ITEMS):
        issued, onset = clock, clock + 60 * rate
        took = 1500 + 20 * (handed[0]["item"] % 10) + float(generator.normal(0, 60))
        pass_time(60 + took + 15)
        decision, clock = onset + took * rate, onset + (took + 15) * rate
        events = [{"t": issued, "kind": "issued"}, {"t": onset, "kind": "onset", "by": "element"},
                  {"t": decision, "kind": "decision"}]  # fmt: skip
        handed = post(
            f"{handed[0]['trial']}/answer",
            session=key,
            client_key=f"{key}-{number:05d}",
            events=events,
            label=number % 2,
            holding=[],
            want=1,
        )


@pytest.fixture
def told(manager, manager_client, pass_time):
    """Return told(rate) -> warnings on the Hardness page when Bea's clock runs at that rate."""

    def tell(rate):
        users = [factories.make_user(name) for name in PEOPLE]
        project = factories.make_project("Pets", slug="pets", manager=manager, annotators=users, overlap=3)
        factories.make_items(project, N_ITEMS)
        for at, user in enumerate(users):
            label_all(user, rate if user.username == "bea" else 1.0, pass_time, at)
        assert Trial.objects.filter(project=project, state="answered").count() == len(PEOPLE) * N_ITEMS
        refresh(project)
        refresh(project, "people_details")
        return warnings_on(manager_client.get(reverse("hardness", args=["pets"])))

    return tell


def clocks(words):
    return {name: text for name, text in words.items() if name in {"drifted_clocks", "clock_rate"}}


def test_clocks_that_agree_call_for_nothing(told):
    assert clocks(told(1.0)) == {}
    assert not Trial.objects.exclude(null_reason="").exists()


def test_a_clock_that_runs_a_little_fast_keeps_its_times_and_is_named(told):
    words = clocks(told(1.04))
    assert list(words) == ["clock_rate"]
    assert "A browser's clock runs 4.0% fast against the server's" in words["clock_rate"]
    assert "See bea." in words["clock_rate"]
    assert not Trial.objects.exclude(null_reason="").exists(), "each answer alone is within what a network may do"


def test_a_clock_that_says_more_time_than_passed_loses_its_times_and_is_named(told):
    words = clocks(told(1.2))
    assert list(words) == ["drifted_clocks", "clock_rate"]
    assert "In 100% of the trials of bea the browser's clock contradicts the server's" in words["drifted_clocks"]
    assert "See bea." in words["drifted_clocks"]
    assert "runs 20.0% fast" in words["clock_rate"]
    assert set(Trial.objects.exclude(null_reason="").values_list("annotator__name", "null_reason")) == {
        ("bea", "implausible_span")
    }


def test_a_clock_that_runs_slow_is_named_too(told):
    words = clocks(told(0.9))
    assert list(words) == ["clock_rate"]
    assert "runs 10.0% slow" in words["clock_rate"]
