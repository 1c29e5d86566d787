"""Send the webhook messages that are due: claim one, send it, write down what came of it, next.

Safe to run in several processes and twice: a message is claimed by compare-and-set, and its id is the same at every
attempt. One that a killed worker held waits again.
"""

from __future__ import annotations

import logging
import secrets
import time
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from hardness_site.jobs.workers import is_gone, worker_name
from mining.models import Webhook, WebhookDelivery
from mining.webhooks.addresses import parse_networks
from mining.webhooks.retries import pause_seconds, retry_after_seconds
from mining.webhooks.sending import Answer, post
from mining.webhooks.signature import signed_headers

from .webhooks import TEST_EVENT, SecretLost, secrets_of

logger = logging.getLogger(__name__)

Status = WebhookDelivery.Status
LOST_AFTER = timedelta(seconds=120)
"""No attempt takes this long: whoever claimed a message before has ended, wherever that was."""
OTHERS_WAIT_SECONDS = 60.0
"""So long at most do other messages to a target wait after it has failed, so that one it chokes on holds up none."""
ATTEMPTS_KEPT = 20
GONE = 410


def send_due(*, budget_seconds: float = 30.0) -> int:
    """Send what is due, one after another, and stop after the budget; return how many attempts were made."""
    take_back_lost()
    until = time.monotonic() + budget_seconds
    n_attempts = 0
    while time.monotonic() < until:
        delivery = claim_next()
        if delivery is None:
            break
        send_claimed(delivery)
        n_attempts += 1
    return n_attempts


def take_back_lost() -> int:
    """Let messages wait again whose sender was killed; return how many. They go out with the same id."""
    now = timezone.now()
    held = WebhookDelivery.objects.filter(status=Status.SENDING).only("worker", "claim", "claimed_at")
    lost = [
        one.claim for one in held if is_gone(one.worker) or one.claimed_at is None or one.claimed_at < now - LOST_AFTER
    ]
    if not lost:
        return 0
    return WebhookDelivery.objects.filter(status=Status.SENDING, claim__in=lost).update(
        status=Status.WAITING, claim="", next_attempt_at=now
    )


def claim_next() -> WebhookDelivery | None:
    """Claim the message that has been tried least and due longest; None when nothing is due."""
    while True:
        now = timezone.now()
        due = WebhookDelivery.objects.filter(status=Status.WAITING, next_attempt_at__lte=now)
        pk = due.order_by("attempts", "next_attempt_at", "pk").values_list("pk", flat=True).first()
        if pk is None:
            return None
        claim = secrets.token_hex(16)
        taken = WebhookDelivery.objects.filter(pk=pk, status=Status.WAITING).update(
            status=Status.SENDING, claim=claim, worker=worker_name(), claimed_at=now, attempts=F("attempts") + 1
        )
        if taken:
            return WebhookDelivery.objects.select_related("webhook").get(pk=pk)


def send_claimed(delivery: WebhookDelivery) -> None:
    """Make one attempt and write down what came of it."""
    webhook, now = delivery.webhook, timezone.now()
    unwanted = _why_not(delivery)
    if unwanted:
        _write(delivery, status=Status.DROPPED, error=unwanted, finished_at=now, next_attempt_at=None)
        return
    try:
        keys = secrets_of(webhook, now=now)
    except SecretLost as reason:
        _write(delivery, status=Status.FAILED, error=str(reason), finished_at=now, next_attempt_at=None)
        return
    body = delivery.payload.encode()
    try:
        answer = post(
            webhook.url, body=body, allowed=parse_networks(settings.WEBHOOK_NETWORKS),
            headers=signed_headers(keys, message_id=delivery.key, timestamp=int(time.time()), body=body),
            connect_seconds=settings.WEBHOOK_CONNECT_SECONDS, total_seconds=settings.WEBHOOK_TOTAL_SECONDS,
        )  # fmt: skip
    except Exception:  # a fault of ours counts as an attempt too, or it would be made for ever
        logger.exception("Message %s could not be sent.", delivery.key)
        answer = Answer(None, "The site failed to send it: its log says why.", 0)
    _conclude(delivery, answer, began=now)


def _why_not(delivery: WebhookDelivery) -> str:
    if not delivery.webhook.is_active and delivery.event != TEST_EVENT:
        return "The webhook is switched off."
    if delivery.event == Webhook.Event.HARD_SET_CREATED and delivery.hard_set_id is None:
        return "The hard set is no longer there."
    return ""


def _conclude(delivery: WebhookDelivery, answer: Answer, *, began: datetime) -> None:
    now = timezone.now()
    entry = {"at": began.isoformat(timespec="seconds"), "status": answer.status, "error": answer.error,
             "duration_ms": answer.duration_ms}  # fmt: skip
    written: dict[str, Any] = {
        "history": [*delivery.history, entry][-ATTEMPTS_KEPT:],
        "response_status": answer.status,
        "error": answer.error[:500],
        "next_attempt_at": None,
        "finished_at": now,
    }
    if answer.is_accepted:
        _write(delivery, status=Status.DELIVERED, **written)
        return
    if answer.status is not None:
        written["error"] = _in_words(answer.status)
    pause = None if _is_hopeless(delivery, answer) else pause_seconds(
        delivery.attempts - delivery.attempts_before, settings.WEBHOOK_RETRY_SECONDS,
        wish=retry_after_seconds(answer.retry_after, now=now),
    )  # fmt: skip
    if pause is None:
        _write(delivery, status=Status.FAILED, **written)
    else:
        again = now + timedelta(seconds=pause)
        written |= {"next_attempt_at": again, "finished_at": None}
        _write(delivery, status=Status.WAITING, **written)
        _put_off_others(delivery, OTHERS_WAIT_SECONDS if answer.status is None else min(pause, OTHERS_WAIT_SECONDS))
    if answer.status == GONE:
        reason = f"It answered 410 Gone on {now.day} {now:%B %Y}: it wants no more messages."
        Webhook.objects.filter(pk=delivery.webhook_id).update(is_active=False, off_reason=reason)


def _put_off_others(delivery: WebhookDelivery, seconds: float) -> None:
    """Let what else waits for a failing target wait a little: its time-outs must not hold up other targets."""
    later = timezone.now() + timedelta(seconds=seconds)
    others = WebhookDelivery.objects.filter(webhook=delivery.webhook_id, status=Status.WAITING)
    others.filter(next_attempt_at__lt=later).exclude(pk=delivery.pk).exclude(event=TEST_EVENT).update(
        next_attempt_at=later
    )


def _is_hopeless(delivery: WebhookDelivery, answer: Answer) -> bool:
    """Whether trying again cannot help: it is a test, forbidden, or not wanted any more."""
    return delivery.event == TEST_EVENT or answer.is_forbidden or answer.status == GONE


def _in_words(status: int) -> str:
    if 300 <= status < 400:
        return f"It answered {status}: redirects are not followed. Enter the final address."
    return f"It answered {status}; any status from 200 to 299 means received."


def _write(delivery: WebhookDelivery, **fields: Any) -> None:
    # Nothing is written by whoever lost the claim: the message is another's by now.
    WebhookDelivery.objects.filter(pk=delivery.pk, status=Status.SENDING, claim=delivery.claim).update(
        claim="", **fields
    )
