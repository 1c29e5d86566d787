"""Webhooks: made, changed, told of rounds, sent until they arrive."""

from __future__ import annotations

import datetime
import hashlib
import json
import time

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from mining import tasks
from mining.models import HardSet, Round, Webhook, WebhookDelivery
from mining.services import webhook_sending, webhooks
from mining.services.hard_set_versions import DropRefused, drop_members
from mining.services.rounds import advance_round
from mining.services.webhook_sending import claim_next, send_claimed, send_due, take_back_lost
from mining.services.webhooks import (
    announce_hard_set,
    announce_round,
    change_webhook,
    create_webhook,
    rotate_secret,
    send_again,
    send_test,
)
from mining.stages import STAGES
from mining.webhooks.signature import SignatureRefused, verify
from tests import factories
from tests.mining.api.round_files import make_hard_set
from tests.mining.done_round import make_round
from tests.site import free_port
from tests.webhook_target import Target

REAL_WAKE_SENDER = webhooks.wake_sender
BOTH = ["hard_set.created", "round.finished"]


@pytest.fixture(autouse=True)
def _settings(settings, monkeypatch):
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
    return lambda url="http://127.0.0.1:9/": create_webhook(project=project, url=url, events=BOTH, created_by=manager)[
        0
    ]


@pytest.fixture
def round_(project, manager):
    """Return a round that is done, with a hard set of two members and an empty one."""
    made = make_round(project, manager)
    HardSet.objects.create(round=made, strategy="suspicious", sha256="a" * 64, n_members=2, summary={"title": "Odd"})
    HardSet.objects.create(round=made, strategy="band", sha256="b" * 64, n_members=0)
    return made


def make_due():
    WebhookDelivery.objects.filter(status="queued").update(next_attempt_at=timezone.now())


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


def test_it_arrives_signed(project, hook, round_, target):
    webhook = hook(target.url())
    announce_round(round_=round_)

    assert send_due() == 2

    first, second = target.requests()
    secret = webhooks.secrets_of(webhook, now=timezone.now())[0]
    for request in (first, second):
        verify(secret, headers=request["headers"], body=request["body"].encode(), now=time.time())
    assert json.loads(first["body"])["type"] == "round.finished"
    done = WebhookDelivery.objects.get(event="hard_set.created")
    assert (done.status, done.attempts, done.response_status, done.error) == ("succeeded", 1, 200, "")
    assert done.key == second["headers"]["webhook-id"]
    assert done.finished_at is not None and done.next_attempt_at is None
    assert [one["status"] for one in done.history] == [200]
    assert send_due() == 0


def test_a_target_that_answers_500_is_tried_again_with_growing_pauses_and_the_same_id(hook, round_, target):
    hook(target.url("/500"))
    announce_hard_set(hard_set=round_.hard_sets.get(strategy="suspicious"))
    pauses = []
    for _ in range(3):
        make_due()
        assert send_due() == 1
        row = WebhookDelivery.objects.get()
        if row.next_attempt_at:
            assert row.status == "queued"
            pauses.append((row.next_attempt_at - timezone.now()).total_seconds())

    assert 2 < pauses[0] <= 6 and 22 < pauses[1] <= 36
    assert (row.status, row.attempts, row.response_status) == ("failed", 3, 500)
    assert row.error == "It answered 500; any status from 200 to 299 means received."
    assert [one["status"] for one in row.history] == [500, 500, 500]
    sent = target.requests()
    assert len({one["headers"]["webhook-id"] for one in sent}) == 1
    assert len({one["body"] for one in sent}) == 1
    assert send_due() == 0


def test_a_target_that_is_down_costs_one_attempt_however_much_waits(hook, round_):
    hook(f"http://127.0.0.1:{free_port()}/")
    announce_round(round_=round_)

    assert send_due() == 1

    tried, waiting = WebhookDelivery.objects.order_by("pk")
    assert (tried.error, tried.response_status) == ("Connection refused.", None)
    assert waiting.attempts == 0
    assert 50 < (waiting.next_attempt_at - timezone.now()).total_seconds() <= 60


def test_a_message_that_the_target_chokes_on_holds_up_no_other(hook, round_, target):
    webhook = hook(target.url("/500"))
    announce_round(round_=round_)
    send_due()
    first, second = WebhookDelivery.objects.order_by("pk")
    assert (first.attempts, second.attempts) == (1, 0)
    assert (second.next_attempt_at - timezone.now()).total_seconds() <= 6
    change_webhook(webhook=webhook, url=target.url("/200"), events=BOTH, is_active=True)
    make_due()
    taken = claim_next()
    assert taken == second  # what was never tried goes first


def test_a_fault_of_the_sites_own_is_an_attempt_like_any_other(hook, round_, monkeypatch):
    hook()
    announce_hard_set(hard_set=round_.hard_sets.get(strategy="suspicious"))
    monkeypatch.setattr(webhook_sending, "post", lambda *_, **__: 1 / 0)
    assert send_due() == 1
    row = WebhookDelivery.objects.get()
    assert (row.status, row.attempts, row.error) == ("queued", 1, "The site failed to send it: its log says why.")


def test_one_that_is_down_does_not_hold_up_another(project, hook, round_, target):
    hook(f"http://127.0.0.1:{free_port()}/")
    good = hook(target.url())
    announce_round(round_=round_)
    send_due()
    assert set(WebhookDelivery.objects.filter(webhook=good).values_list("status", flat=True)) == {"succeeded"}


def test_a_slow_target_is_given_up_for_now(settings, hook, round_, target):
    settings.WEBHOOK_TOTAL_SECONDS = 0.5
    hook(target.url("/slow"))
    announce_hard_set(hard_set=round_.hard_sets.get(strategy="suspicious"))
    send_due()
    row = WebhookDelivery.objects.get()
    assert (row.status, row.response_status) == ("queued", None) and "No answer within" in row.error


def test_what_the_target_asks_for_is_waited_for(hook, round_, target):
    hook(target.url("/429"))
    announce_hard_set(hard_set=round_.hard_sets.get(strategy="suspicious"))
    send_due()
    row = WebhookDelivery.objects.get()
    assert 60 < (row.next_attempt_at - timezone.now()).total_seconds() <= 77


def test_410_gone_switches_the_webhook_off(hook, round_, target):
    webhook = hook(target.url("/410"))
    announce_round(round_=round_)
    send_due()
    webhook.refresh_from_db()
    assert not webhook.is_active and "410 Gone" in webhook.off_reason
    assert sorted(WebhookDelivery.objects.values_list("status", flat=True)) == ["cancelled", "failed"]
    change_webhook(webhook=webhook, url=webhook.url, events=webhook.events, is_active=True)
    assert webhook.off_reason == ""


def test_an_address_that_became_forbidden_is_not_called_and_not_tried_again(settings, hook, round_, target):
    hook(target.url())
    announce_hard_set(hard_set=round_.hard_sets.get(strategy="suspicious"))
    settings.WEBHOOK_NETWORKS = []
    send_due()
    row = WebhookDelivery.objects.get()
    assert row.status == "failed" and "inside a private network" in row.error
    assert target.requests() == []


def test_a_hard_set_that_is_gone_is_not_announced_any_more(hook, round_, target):
    hook(target.url())
    announce_hard_set(hard_set=round_.hard_sets.get(strategy="suspicious"))
    HardSet.objects.all().delete()
    send_due()
    row = WebhookDelivery.objects.get()
    assert (row.status, row.error) == ("cancelled", "The hard set is no longer there.")
    assert target.requests() == []


def test_a_test_is_sent_once_also_while_it_is_off(hook, target):
    webhook = hook(target.url("/500"))
    change_webhook(webhook=webhook, url=webhook.url, events=webhook.events, is_active=False)
    send_test(webhook=webhook)
    send_test(webhook=webhook)
    assert send_due() == 2
    assert [json.loads(one["body"])["type"] for one in target.requests()] == ["webhook.test", "webhook.test"]
    assert set(WebhookDelivery.objects.values_list("status", "attempts")) == {("failed", 1)}


def test_sending_again_is_the_same_message_with_a_fresh_round_of_attempts(hook, round_, target):
    webhook = hook(target.url("/500"))
    announce_hard_set(hard_set=round_.hard_sets.get(strategy="suspicious"))
    row = WebhookDelivery.objects.get()
    assert not send_again(delivery=row)  # it is on its way
    for _ in range(3):
        make_due()
        send_due()
    change_webhook(webhook=webhook, url=target.url("/200"), events=BOTH, is_active=True)

    assert send_again(delivery=row)
    assert send_due() == 1

    row.refresh_from_db()
    assert (row.status, row.attempts, row.attempts_before) == ("succeeded", 4, 3)
    assert len({(one["headers"]["webhook-id"], one["body"]) for one in target.requests()}) == 1


def test_two_senders_send_once(hook, round_, target):
    hook(target.url())
    announce_hard_set(hard_set=round_.hard_sets.get(strategy="suspicious"))
    mine = claim_next()
    assert mine is not None and claim_next() is None
    send_claimed(mine)
    assert len(target.requests()) == 1


def test_what_a_killed_sender_held_goes_out_with_the_same_id(hook, round_, target):
    hook(target.url())
    announce_hard_set(hard_set=round_.hard_sets.get(strategy="suspicious"))
    lost = claim_next()
    WebhookDelivery.objects.update(
        worker="elsewhere:1:0:0", claimed_at=timezone.now() - datetime.timedelta(seconds=121)
    )

    assert take_back_lost() == 1
    assert send_due() == 1
    send_claimed(lost)  # it was not dead but slow: its late word changes nothing

    row = WebhookDelivery.objects.get()
    assert (row.status, row.attempts, row.key) == ("succeeded", 2, lost.key)
    assert {one["headers"]["webhook-id"] for one in target.requests()} == {lost.key}


def test_a_sender_that_is_alive_keeps_what_it_holds(hook, round_):
    hook()
    announce_hard_set(hard_set=round_.hard_sets.get(strategy="suspicious"))
    claim_next()
    assert take_back_lost() == 0


def test_a_new_secret_signs_and_the_old_one_for_another_day(project, round_, target):
    webhook, old = create_webhook(project=project, url=target.url(), events=BOTH)
    new = rotate_secret(webhook=webhook)
    assert new != old
    announce_hard_set(hard_set=round_.hard_sets.get(strategy="suspicious"))
    send_due()
    (request,) = target.requests()
    for secret in (old, new):
        verify(secret, headers=request["headers"], body=request["body"].encode(), now=time.time())
    tomorrow = timezone.now() + datetime.timedelta(hours=24, seconds=1)
    assert webhooks.secrets_of(webhook, now=tomorrow) == [new]


def test_a_leaked_secret_stops_at_once(project, target):
    webhook, old = create_webhook(project=project, url=target.url(), events=BOTH)
    rotate_secret(webhook=webhook, keep_old=False)
    send_test(webhook=webhook)
    send_due()
    (request,) = target.requests()
    with pytest.raises(SignatureRefused):
        verify(old, headers=request["headers"], body=request["body"].encode(), now=time.time())


def test_with_another_key_of_the_site_nothing_is_signed_wrongly(settings, hook, target):
    webhook = hook(target.url())
    settings.SECRET_KEY = "another key, as long as it has to be"
    send_test(webhook=webhook)
    send_due()
    row = WebhookDelivery.objects.get()
    assert row.status == "failed" and "make a new secret" in row.error
    assert target.requests() == []
    rotate_secret(webhook=webhook)
    send_test(webhook=webhook)
    send_due()
    assert len(target.requests()) == 1


def test_the_search_for_due_messages_reads_no_long_list(hook, round_, django_assert_max_num_queries):
    hook()
    announce_hard_set(hard_set=round_.hard_sets.get(strategy="suspicious"))
    row = WebhookDelivery.objects.get()
    copies = [
        WebhookDelivery(webhook=row.webhook, key=f"k{n}", occasion=f"o{n}", event=row.event, payload="{}",
                        payload_sha256="", status="succeeded")
        for n in range(500)
    ]  # fmt: skip
    WebhookDelivery.objects.bulk_create(copies)
    WebhookDelivery.objects.filter(pk=row.pk).delete()
    with django_assert_max_num_queries(2):
        assert webhook_sending.send_due() == 0


def test_one_thread_of_a_process_sends_at_a_time(monkeypatch):
    sent = []
    monkeypatch.setattr(webhook_sending, "send_due", lambda: sent.append(1))
    with tasks._sending:
        tasks.send_webhooks_task()
    assert sent == []
    tasks.send_webhooks_task()
    assert sent == [1]


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
