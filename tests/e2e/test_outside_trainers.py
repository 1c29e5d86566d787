"""A manager adds a webhook, tests it, and sees how each message ends."""

from __future__ import annotations

import json
import re
import time

import pytest
from playwright.sync_api import expect

from mining.models import WebhookDelivery
from mining.services import webhooks
from mining.services.webhook_sending import send_due
from mining.webhooks.signature import verify
from tests.webhook_target import Target

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_webhook_from_its_secret_to_its_message(
    page, live_server, sign_in, project, manager, settings, monkeypatch, tmp_path
):
    settings.WEBHOOK_NETWORKS = ["127.0.0.1"]
    monkeypatch.setattr(webhooks, "wake_sender", lambda: None)
    sign_in(manager)
    with Target(tmp_path) as target:
        page.goto(f"{live_server.url}/projects/pets/settings/")
        page.get_by_role("link", name="Outside trainers").click()
        page.get_by_label("Address").fill("http://10.0.0.1/hook")
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_text("10.0.0.1 is inside a private network")).to_be_visible()

        page.get_by_label("Address").fill(target.url("/once"))
        page.get_by_role("button", name="Add").click()
        shown = page.get_by_text(re.compile("^whsec_"), exact=False).first
        expect(shown).to_be_visible()
        secret = shown.inner_text().strip()

        page.get_by_role("button", name="Send a test").click()
        row = page.get_by_role("region", name="Messages").locator("tbody tr").first
        expect(row).to_contain_text("Waiting")
        send_due()
        # The table follows by itself.
        expect(row).to_contain_text("Given up")
        expect(row).to_contain_text("It answered 500")

        row.get_by_role("button", name="Send again").click()
        expect(page.get_by_text("It is sent again, with the same id.")).to_be_visible()
        send_due()
        expect(row).to_contain_text("Delivered")
        row.get_by_text("2 attempts").click()
        expect(row).to_contain_text(WebhookDelivery.objects.get().key)

        first, second = target.requests()
        assert first["headers"]["webhook-id"] == second["headers"]["webhook-id"]
        assert json.loads(second["body"])["type"] == "webhook.test"
        verify(secret, headers=second["headers"], body=second["body"].encode(), now=time.time())

    page.get_by_text("Change", exact=True).click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="New secret, stop the old one").click()
    expect(page.get_by_text("signs nothing any more")).to_be_visible()
    assert page.get_by_text(re.compile("^whsec_")).first.inner_text().strip() != secret
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("is told nothing any more")).to_be_visible()
    expect(page.get_by_text("No webhook yet")).to_be_visible()
