"""Webhooks for tests: allowed to call this machine, with a real target, and a round to tell of."""

from __future__ import annotations

import pytest

from mining.models import HardSet
from mining.services import webhooks
from mining.services.webhooks import create_webhook
from tests.mining.done_round import make_round
from tests.webhook_target import Target

BOTH = ["hard_set.created", "round.finished"]


@pytest.fixture
def webhook_settings(settings, monkeypatch):
    """Let this machine be called, and nobody wake the sender: tests send themselves."""
    settings.WEBHOOK_NETWORKS = ["127.0.0.1"]
    settings.WEBHOOK_RETRY_SECONDS = [5.0, 30.0]
    settings.WEBHOOK_TOTAL_SECONDS = 3.0
    monkeypatch.setattr(webhooks, "wake_sender", lambda: None)


@pytest.fixture
def target(tmp_path):
    with Target(tmp_path) as running:
        yield running


@pytest.fixture
def hook(project, manager):
    """Return hook(url) -> webhook."""

    def make(url="http://127.0.0.1:9/"):
        return create_webhook(project=project, url=url, events=BOTH, created_by=manager)[0]

    return make


@pytest.fixture
def round_(project, manager):
    """Return a round that is done, with a hard set of two members and an empty one."""
    made = make_round(project, manager)
    HardSet.objects.create(round=made, strategy="suspicious", sha256="a" * 64, n_members=2, summary={"title": "Odd"})
    HardSet.objects.create(round=made, strategy="band", sha256="b" * 64, n_members=0)
    return made
