"""Webhooks: made, changed, told of rounds and of new versions."""

from __future__ import annotations

import datetime
import hashlib
import json

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from mining.models import HardSet, Round, Webhook, WebhookDelivery
from mining.services import webhooks
from mining.services.hard_set_versions import DropRefused, drop_members
from mining.services.rounds import advance_round
from mining.services.webhooks import (
    announce_hard_set,
    announce_round,
    change_webhook,
    create_webhook,
    send_test,
)
from mining.stages import STAGES
from tests import factories
from tests.mining.api.round_files import make_hard_set
from tests.mining.done_round import make_round

REAL_WAKE_SENDER = webhooks.wake_sender
BOTH = ["hard_set.created", "round.finished"]
pytestmark = pytest.mark.usefixtures("webhook_settings")


def test_a_webhook_has_a_secret_that_is_stored_nowhere(project, manager):
    webhook, secret = create_webhook(
        project=project, url=" https://trainer.example.org/hook ", events=["round.finished"], created_by=manager
    )
    assert secret.startswith("whsec_") and len(secret) == 50
    assert (webhook.url, webhook.events, webhook.is_active) == (
        "https://trainer.example.org/hook", ["round.finished"], True,
    )  # fmt: skip
    row = Webhook.objects.filter(pk=webhook.pk).values().get()
    assert secret not in str(row) and secret.removeprefix("whsec_") not in str(row)
    assert webhooks.secrets_of(webhook, now=timezone.now()) == [secret]


@pytest.mark.parametrize(
    ("url", "events", "field", "words"),
    [
        ("http://10.0.0.1/", BOTH, "url", "inside a private network"),
        ("http://[::1]/", BOTH, "url", "inside a private network"),
        ("trainer", BOTH, "url", "begin with https"),
        ("https://trainer.example.org/", [], "events", "Choose from hard_set.created, round.finished"),
        ("https://trainer.example.org/", ["round.begun"], "events", "Choose from"),
        ("https://there.example.org/", BOTH, "url", "told already"),
    ],
)
def test_what_cannot_be_is_refused_by_field_and_nothing_written(project, url, events, field, words):
    create_webhook(project=project, url="https://there.example.org/", events=BOTH)
    with pytest.raises(ValidationError) as refused:
        create_webhook(project=project, url=url, events=events)
    assert words in refused.value.message_dict[field][0]
    assert Webhook.objects.count() == 1


def test_a_project_has_ten_at_most(project):
    for number in range(10):
        create_webhook(project=project, url=f"https://trainer.example.org/{number}", events=BOTH)
    with pytest.raises(ValidationError, match="remove one first"):
        create_webhook(project=project, url="https://trainer.example.org/10", events=BOTH)


def test_a_round_that_ends_well_is_announced_with_its_hard_sets(project, hook, round_):
    webhook = hook()
    other = create_webhook(project=project, url="https://o.example.org/", events=["round.finished"])[0]
    create_webhook(project=factories.make_project(), url="https://else.example.org/", events=BOTH)
    change_webhook(
        webhook=hook("https://off.example.org/"), url="https://off.example.org/", events=BOTH, is_active=False
    )

    assert announce_round(round_=round_) == 3
    announce_round(round_=round_)

    told = WebhookDelivery.objects.order_by("pk")
    assert [(one.webhook, one.event, one.status) for one in told] == [
        (webhook, "round.finished", "queued"), (other, "round.finished", "queued"),
        (webhook, "hard_set.created", "queued"),
    ]  # fmt: skip
    hard_set = HardSet.objects.get(strategy="suspicious")
    of_set = told[2]
    assert of_set.hard_set == hard_set
    body = json.loads(of_set.payload)
    assert body["type"] == "hard_set.created" and body["timestamp"].endswith("Z")
    assert body["data"] == {
        "project": "pets", "round": 1, "synthetic": False, "title": "Odd", "hard_set": hard_set.pk,
        "strategy": "suspicious", "version": 1, "sha256": "a" * 64, "n_members": 2,
        "manifest": f"/api/v1/projects/pets/hard-sets/{hard_set.pk}/manifest",
    }  # fmt: skip
    assert of_set.payload_sha256 == hashlib.sha256(of_set.payload.encode()).hexdigest()
    assert [one["n_members"] for one in json.loads(told[0].payload)["data"]["hard_sets"]] == [2, 0]


def test_a_failed_round_is_announced_without_hard_sets(hook, round_):
    hook()
    Round.objects.filter(pk=round_.pk).update(status="failed")
    round_.refresh_from_db()
    assert announce_round(round_=round_) == 1
    assert json.loads(WebhookDelivery.objects.get().payload)["data"]["status"] == "failed"


def test_the_end_of_a_round_and_its_announcement_are_written_together(project, manager, hook):
    hook()
    round_ = make_round(project, manager, status="running", **dict.fromkeys(STAGES, "succeeded"))
    with transaction.atomic():
        advance_round(round_.pk)
        assert WebhookDelivery.objects.count() == 1
        transaction.set_rollback(True)
    assert WebhookDelivery.objects.count() == 0
    advance_round(round_.pk)
    advance_round(round_.pk)
    assert WebhookDelivery.objects.get().event == "round.finished"


def test_a_round_comes_to_its_end_whatever_is_wrong_with_its_messages(project, manager, hook, monkeypatch):
    hook()
    monkeypatch.setattr(webhooks, "round_data", lambda *_: 1 / 0)
    round_ = make_round(project, manager, status="running", **dict.fromkeys(STAGES, "succeeded"))
    advance_round(round_.pk)
    round_.refresh_from_db()
    assert round_.status == "succeeded"
    assert WebhookDelivery.objects.count() == 0


def test_messages_of_long_ago_are_forgotten_and_waiting_ones_kept(hook, round_):
    webhook = hook()
    old = timezone.now() - datetime.timedelta(days=91)
    for number, (status, finished_at) in enumerate(
        [("succeeded", old), ("succeeded", timezone.now()), ("queued", None)]
    ):
        WebhookDelivery.objects.create(
            webhook=webhook, key=f"k{number}", occasion=f"o{number}", event="round.finished", payload="{}",
            payload_sha256="", status=status, finished_at=finished_at,
        )  # fmt: skip
    announce_round(round_=round_)
    assert set(WebhookDelivery.objects.filter(key__startswith="k").values_list("key", flat=True)) == {"k1", "k2"}


def test_a_new_version_is_announced_alone(hook, round_):
    hook()
    newer = HardSet.objects.create(round=round_, strategy="suspicious", version=2, sha256="c" * 64, n_members=1)
    announce_hard_set(hard_set=newer)
    assert json.loads(WebhookDelivery.objects.get().payload)["data"]["version"] == 2
    newer.save()
    assert WebhookDelivery.objects.count() == 1


def test_dropping_members_announces_the_version_that_it_makes(project, manager, hook):
    hook()
    items = factories.make_items(project, 3)
    hard_set = make_hard_set(make_round(project, manager), [(item, "none") for item in items])
    with pytest.raises(DropRefused):
        drop_members(hard_set=hard_set, item_ids=[item.pk for item in items], reason="all", created_by=manager)
    assert WebhookDelivery.objects.count() == 0
    made = drop_members(hard_set=hard_set, item_ids=[items[1].pk], reason="wrong label", created_by=manager)
    told = json.loads(WebhookDelivery.objects.get().payload)["data"]
    assert (told["hard_set"], told["version"], told["n_members"], told["sha256"]) == (made.pk, 2, 2, made.sha256)


def test_without_a_broker_the_message_waits_for_the_timetable(project, monkeypatch, django_capture_on_commit_callbacks):
    monkeypatch.setattr(webhooks, "wake_sender", REAL_WAKE_SENDER)

    def away(*_, **__):
        raise OperationalError("Connection refused")

    webhook = create_webhook(project=project, url="https://trainer.example.org/", events=BOTH)[0]
    monkeypatch.setattr("celery.current_app.send_task", away)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        send_test(webhook=webhook)
    assert len(callbacks) == 1
    assert WebhookDelivery.objects.get().status == "queued"
