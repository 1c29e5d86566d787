"""Messages of webhooks: sent until they arrive, by whom and how often."""

from __future__ import annotations

import datetime
import json
import time

import pytest
from django.utils import timezone

from mining import tasks
from mining.models import HardSet, WebhookDelivery
from mining.services import webhook_sending, webhooks
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
from mining.webhooks.signature import SignatureRefused, verify
from tests.site import free_port

BOTH = ["hard_set.created", "round.finished"]
pytestmark = pytest.mark.usefixtures("webhook_settings")


def make_due():
    WebhookDelivery.objects.filter(status="queued").update(next_attempt_at=timezone.now())


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
