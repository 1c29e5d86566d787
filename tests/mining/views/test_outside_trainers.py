"""The page for outside trainers."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from mining.models import Webhook, WebhookDelivery
from mining.services import webhooks
from mining.services.webhooks import announce_round, create_webhook, secrets_of, send_test
from tests import factories

PAGE = "/projects/pets/outside-trainers/"
HOOK = "https://trainer.example.org/hook"


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    monkeypatch.setattr(webhooks, "wake_sender", lambda: None)


@pytest.fixture
def webhook(project, manager):
    return create_webhook(project=project, url=HOOK, events=["hard_set.created"], created_by=manager)[0]


def test_an_empty_page_says_what_to_do(project, manager_client):
    page = manager_client.get(PAGE).content.decode()
    assert "No webhook yet" in page and "No messages yet" in page
    assert "python examples/trainer.py --site http://testserver --project pets" in page
    assert "/api/v1/projects/pets/hard-sets/&lt;hard set&gt;/manifest?format=ndjson" in page
    assert "/projects/pets/tokens/" in page
    assert PAGE in manager_client.get("/projects/pets/settings/").content.decode()


def test_the_secret_is_shown_once(project, manager_client):
    made = manager_client.post(PAGE, {"url": HOOK, "events": ["hard_set.created", "round.finished"]})
    webhook = Webhook.objects.get()
    (secret,) = secrets_of(webhook, now=timezone.now())
    assert made.status_code == 200 and secret in made.content.decode()
    assert "no-store" in made["Cache-Control"]
    assert "whsec_" not in manager_client.get(PAGE).content.decode().replace("whsec_…", "")
    assert (webhook.url, webhook.events) == (HOOK, ["hard_set.created", "round.finished"])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"url": "http://127.0.0.1:9009/", "events": ["hard_set.created"]}, "inside a private network"),
        ({"url": "trainer", "events": ["hard_set.created"]}, "must begin with https://"),
        ({"url": HOOK}, "This field is required"),
        ({"url": HOOK, "events": ["hard_set.created"]}, "told already"),
    ],
)
def test_what_cannot_be_is_said_at_the_form(project, manager_client, data, words):
    create_webhook(project=project, url=HOOK, events=["round.finished"])
    response = manager_client.post(PAGE, data)
    assert response.status_code == 422 and words in response.content.decode()
    assert Webhook.objects.count() == 1


def test_it_is_changed_and_switched_off(webhook, manager_client):
    address = f"{PAGE}webhooks/{webhook.pk}/change/"
    manager_client.post(address, {"url": HOOK + "2", "events": ["round.finished"]})
    webhook.refresh_from_db()
    assert (webhook.url, webhook.events, webhook.is_active) == (HOOK + "2", ["round.finished"], False)
    refused = manager_client.post(address, {"url": "http://10.0.0.1/", "events": ["round.finished"], "is_active": "on"})
    page = refused.content.decode()
    assert refused.status_code == 422 and "inside a private network" in page
    assert re.search(r'<details class="fold" open><summary>Change', page)
    webhook.refresh_from_db()
    assert not webhook.is_active


def test_a_new_secret_is_shown_once(webhook, manager_client):
    (old,) = secrets_of(webhook, now=timezone.now())
    page = manager_client.post(f"{PAGE}webhooks/{webhook.pk}/secret/").content.decode()
    webhook.refresh_from_db()
    new, still = secrets_of(webhook, now=timezone.now())
    assert still == old and new in page and old not in page and "still signs for 24 hours" in page
    page = manager_client.post(f"{PAGE}webhooks/{webhook.pk}/secret/", {"old": "stop"}).content.decode()
    webhook.refresh_from_db()
    assert len(secrets_of(webhook, now=timezone.now())) == 1 and "signs nothing any more" in page


def test_a_test_is_queued_and_seen(webhook, manager_client):
    manager_client.post(f"{PAGE}webhooks/{webhook.pk}/test/")
    page = manager_client.get(PAGE).content.decode()
    assert WebhookDelivery.objects.get().event == "webhook.test"
    assert "Waiting" in page and 'hx-trigger="every 2s"' in page and "trainer.example.org" in page


def test_a_message_that_failed_shows_why_and_can_be_sent_again(webhook, done_round, hard_set, manager_client):
    announce_round(round_=done_round)
    delivery = WebhookDelivery.objects.get(event="hard_set.created")
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        status="failed", attempts=2, response_status=500, next_attempt_at=None,
        error="It answered 500; any status from 200 to 299 means received.",
        history=[{"at": "2026-01-01T12:00:00+00:00", "status": 500, "error": "", "duration_ms": 12},
                 {"at": "2026-01-01T12:00:05+00:00", "status": None, "error": "Connection refused.", "duration_ms": 1}],
    )  # fmt: skip
    page = manager_client.get(PAGE).content.decode()
    assert "Given up" in page and "It answered 500" in page and "2 attempts" in page and "Connection refused." in page
    assert delivery.key in page and hard_set.get_absolute_url() in page and "Suspicious, round 1" in page
    assert 'hx-trigger="every' not in page

    manager_client.post(f"{PAGE}messages/{delivery.pk}/again/")
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_before) == ("queued", 2)
    assert "Waiting" in manager_client.get(f"{PAGE}messages/").content.decode()


def test_what_rests_on_simulated_annotators_is_marked(webhook, done_round, hard_set, manager_client):
    announce_round(round_=done_round)
    assert "Synthetic" not in manager_client.get(PAGE).content.decode()
    done_round.has_synthetic = True
    done_round.save()
    assert "Synthetic" in manager_client.get(PAGE).content.decode()


def test_it_is_removed_with_its_messages(webhook, manager_client):
    send_test(webhook=webhook)
    manager_client.post(f"{PAGE}webhooks/{webhook.pk}/remove/")
    assert Webhook.objects.count() == WebhookDelivery.objects.count() == 0


def test_only_managers_see_and_change_it(webhook, annotator_client, outsider_client):
    send_test(webhook=webhook)
    delivery = WebhookDelivery.objects.get()
    for client in (annotator_client, outsider_client):
        assert client.get(PAGE).status_code == client.get(f"{PAGE}messages/").status_code == 404
        for what in ("change", "secret", "test", "remove"):
            assert client.post(f"{PAGE}webhooks/{webhook.pk}/{what}/").status_code == 404
        assert client.post(f"{PAGE}messages/{delivery.pk}/again/").status_code == 404
    assert Webhook.objects.count() == WebhookDelivery.objects.count() == 1


def test_webhooks_of_another_project_do_not_exist(webhook, manager, manager_client):
    other = factories.make_project("Birds", manager=manager)
    send_test(webhook=webhook)
    delivery = WebhookDelivery.objects.get()
    at = f"/projects/{other.slug}/outside-trainers/"
    assert manager_client.post(f"{at}webhooks/{webhook.pk}/remove/").status_code == 404
    assert manager_client.post(f"{at}messages/{delivery.pk}/again/").status_code == 404
    assert Webhook.objects.count() == 1


def test_the_number_of_queries_does_not_grow(webhook, project, done_round, hard_set, manager_client,
                                             django_assert_max_num_queries):  # fmt: skip
    announce_round(round_=done_round)
    for number in range(5):
        create_webhook(project=project, url=f"{HOOK}/{number}", events=["round.finished"])
        send_test(webhook=webhook)
    with django_assert_max_num_queries(12):
        manager_client.get(PAGE)
