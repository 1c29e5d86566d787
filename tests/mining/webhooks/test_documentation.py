"""What docs/outside-trainers.md shows checks a real message: one that came over the network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time

import pytest
from django.conf import settings as django_settings

from mining.models import Webhook
from mining.services import webhooks
from mining.services.webhook_sending import send_due
from mining.services.webhooks import TEST_EVENT, create_webhook, rotate_secret, send_test
from tests.site import ROOT
from tests.webhook_target import Target

DOCUMENT = (ROOT / "docs" / "outside-trainers.md").read_text()


def block(language: str) -> str:
    """Return the document's code in that language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    return found


@pytest.fixture
def message(project, tmp_path, settings, monkeypatch):
    """Return secret and request of a message that a real target got, signed with an old and a new secret."""
    monkeypatch.setattr(webhooks, "wake_sender", lambda: None)
    settings.WEBHOOK_NETWORKS = ["127.0.0.1"]
    with Target(tmp_path) as target:
        webhook, old = create_webhook(project=project, url=target.url(), events=["round.finished"])
        new = rotate_secret(webhook=webhook)
        send_test(webhook=webhook)
        send_due()
        (request,) = target.requests()
    return old, new, request


def test_the_python_code_checks_it(message):
    old, new, request = message
    names: dict = {}
    exec(block("python"), names)
    is_genuine, headers, body = names["is_genuine"], request["headers"], request["body"].encode()
    now = time.time()
    assert is_genuine(new, headers, body, now) and is_genuine(old, headers, body, now)
    assert not is_genuine(new, headers, body + b" ", now)
    assert not is_genuine(new, headers, body, now + 400)
    assert not is_genuine("whsec_AAAA", headers, body, now)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the lines for a shell need openssl")
def test_the_shell_lines_check_it(message, tmp_path):
    old, new, request = message

    def said(secret: str, body: str, timestamp: str | None = None) -> str:
        (tmp_path / "body").write_text(body)
        headers = request["headers"]
        given = {
            "ID": headers["webhook-id"], "TIMESTAMP": timestamp or headers["webhook-timestamp"],
            "SIGNATURE": headers["webhook-signature"], "SECRET": secret,
        }  # fmt: skip
        done = subprocess.run(
            ["sh", "-euc", block("sh")], cwd=tmp_path, env={**os.environ, **given}, capture_output=True, text=True
        )
        return done.stdout.strip() or done.stderr

    assert said(new, request["body"]) == said(old, request["body"]) == "genuine"
    assert said(new, request["body"] + " ") == "forged"
    assert said("whsec_AAAA", request["body"]) == "forged"
    assert said(new, request["body"], str(int(time.time()) - 400)) == "forged"


def test_every_event_and_setting_is_in_the_document():
    for event in [*Webhook.Event.values, TEST_EVENT]:
        assert f"`{event}`" in DOCUMENT
    pauses = ",".join(f"{pause:g}" for pause in django_settings.WEBHOOK_RETRY_SECONDS)
    assert f"`{pauses}`" in DOCUMENT
    deployment = (ROOT / "docs" / "deployment.md").read_text()
    for name in ("HARDNESS_WEBHOOK_NETWORKS", "HARDNESS_WEBHOOK_RETRY_SECONDS"):
        assert name in DOCUMENT and name in deployment
