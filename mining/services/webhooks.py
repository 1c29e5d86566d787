"""Verbs for webhooks: make, change, give a new secret, remove; announce what happened; send again."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.signals import post_save
from django.utils import timezone
from django.utils.crypto import salted_hmac

from annotations.models import Project
from mining.models import HardSet, Round, Webhook, WebhookDelivery
from mining.selectors.hard_sets import hard_sets_of
from mining.webhooks.addresses import AddressRefused, check_written, parse_networks
from mining.webhooks.signature import secret_text

logger = logging.getLogger(__name__)

MOST_WEBHOOKS = 10
OLD_SECRET_LASTS = timedelta(hours=24)
KEPT_FOR = timedelta(days=90)
"""So long are messages that are over kept for the page."""
TEST_EVENT = "webhook.test"


class SecretLost(Exception):
    """The secret that was shown cannot be worked out any more: the site's own key has changed."""


def create_webhook(
    *, project: Project, url: str, events: Collection[str], created_by: Any = None
) -> tuple[Webhook, str]:
    """Make a webhook; return it and its secret, which is shown only now.

    Raises ValidationError, by field, for an address that must not be called or is there already, and for no or an
    unknown event.
    """
    url, events = checked_url(url), checked_events(events)
    salt = secrets.token_hex(16)
    secret = _secret(salt)
    try:
        with transaction.atomic():
            # The lock keeps two requests at once from going over the limit.
            Project.objects.select_for_update().get(pk=project.pk)
            if Webhook.objects.filter(project=project).count() >= MOST_WEBHOOKS:
                raise ValidationError(f"A project can have {MOST_WEBHOOKS} webhooks: remove one first.")
            webhook = Webhook.objects.create(
                project=project, url=url, events=events, salt=salt, fingerprint=_fingerprint(secret),
                created_by=created_by,
            )  # fmt: skip
    except IntegrityError:
        raise ValidationError({"url": "This address is told already."}) from None
    return webhook, secret


def change_webhook(*, webhook: Webhook, url: str, events: Collection[str], is_active: bool) -> Webhook:
    """Change whom and of what; ValidationError as `create_webhook`. What waits goes to the new address."""
    webhook.url, webhook.events = checked_url(url), checked_events(events)
    if is_active:
        webhook.off_reason = ""
    webhook.is_active = is_active
    try:
        with transaction.atomic():
            webhook.save(update_fields=["url", "events", "is_active", "off_reason"])
    except IntegrityError:
        raise ValidationError({"url": "This address is told already."}) from None
    return webhook


def checked_url(url: str) -> str:
    """Return the address, or raise ValidationError for what can be seen to be wrong without asking a name server."""
    url = url.strip()
    try:
        check_written(url, parse_networks(settings.WEBHOOK_NETWORKS))
    except AddressRefused as reason:
        raise ValidationError({"url": str(reason)}) from None
    return url


def checked_events(events: Collection[str]) -> list[str]:
    """Return the events in their own order, or raise ValidationError for none or an unknown one."""
    known = [event for event in Webhook.Event.values if event in events]
    if not known or set(events) - set(known):
        raise ValidationError({"events": f"Choose from {', '.join(Webhook.Event.values)}."})
    return known


def rotate_secret(*, webhook: Webhook, keep_old: bool = True) -> str:
    """Give the webhook a new secret and return it. With `keep_old` the old one signs too for another day."""
    salt = secrets.token_hex(16)
    secret = _secret(salt)
    with transaction.atomic():
        locked = Webhook.objects.select_for_update().get(pk=webhook.pk)
        locked.old_salt = locked.salt if keep_old and locked.fingerprint == _fingerprint(_secret(locked.salt)) else ""
        locked.old_until = timezone.now() + OLD_SECRET_LASTS if locked.old_salt else None
        locked.salt, locked.fingerprint = salt, _fingerprint(secret)
        locked.save(update_fields=["salt", "fingerprint", "old_salt", "old_until"])
    webhook.refresh_from_db()
    return secret


def remove_webhook(*, webhook: Webhook) -> None:
    """Remove the webhook with all its deliveries; what is on its way just now may still arrive."""
    webhook.delete()


def secrets_of(webhook: Webhook, *, now: datetime) -> list[str]:
    """Return the secrets to sign with, newest first; raises `SecretLost`."""
    secret = _secret(webhook.salt)
    if _fingerprint(secret) != webhook.fingerprint:
        raise SecretLost("The site's SECRET_KEY has changed since the secret was made: make a new secret.")
    if webhook.old_salt and webhook.old_until is not None and webhook.old_until > now:
        return [secret, _secret(webhook.old_salt)]
    return [secret]


def _secret(salt: str) -> str:
    # Derived, not stored: whoever reads the database alone can sign nothing.
    return secret_text(salted_hmac("mining.webhooks.secret", salt, algorithm="sha256").digest())


def _fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


def announce_round(*, round_: Round) -> int:
    """Tell of a round that is over and of its hard sets; return how many messages wait now.

    Called in the transaction that ends the round: either both are written or neither. Twice is once.
    """
    try:
        with transaction.atomic():
            return _announce_round(round_)
    except Exception:  # whatever is wrong with the messages, the round must come to its end
        logger.exception("Round %s could not be announced.", round_.pk)
        return 0


def _announce_round(round_: Round) -> int:
    project = round_.project
    WebhookDelivery.objects.filter(webhook__project=project, finished_at__lt=timezone.now() - KEPT_FOR).delete()
    hard_sets = list(hard_sets_of(round_))
    occasion = f"round:{round_.pk}:{round_.status}"
    data = round_data(round_, hard_sets)
    over = _deliveries(project, Webhook.Event.ROUND_FINISHED, occasion, data, round=round_)
    ready = hard_sets if round_.status == Round.Status.SUCCEEDED else []
    return _store([*over, *(one for hard_set in ready for one in _of_hard_set(hard_set, round_))])


def announce_hard_set(*, hard_set: HardSet) -> int:
    """Tell of one hard set, a new version of one that was announced before; return how many messages wait now."""
    return _store(_of_hard_set(hard_set, hard_set.round))


def announce_new_version(sender: type[HardSet], instance: HardSet, created: bool, **_: Any) -> None:
    """Announce a version that somebody made of a hard set; first versions are announced with the end of their round."""
    if created and instance.version > 1:
        announce_hard_set(hard_set=instance)


def connect() -> None:
    """Listen for new versions, in the transaction that makes them."""
    post_save.connect(announce_new_version, sender=HardSet, dispatch_uid="mining.webhooks")


def _of_hard_set(hard_set: HardSet, round_: Round) -> list[WebhookDelivery]:
    if hard_set.n_members == 0:  # nothing to train on: the message of the round names it
        return []
    return _deliveries(
        round_.project, Webhook.Event.HARD_SET_CREATED, f"hard_set:{hard_set.pk}", hard_set_data(hard_set, round_),
        round=round_, hard_set=hard_set,
    )  # fmt: skip


def round_data(round_: Round, hard_sets: Iterable[HardSet]) -> dict[str, Any]:
    """Return what a message says of a round."""
    slug = round_.project.slug
    return {
        "project": slug, "round": round_.number, "status": round_.status, "synthetic": round_.has_synthetic,
        "hard_sets": [_brief(hard_set, slug) for hard_set in hard_sets],
    }  # fmt: skip


def hard_set_data(hard_set: HardSet, round_: Round) -> dict[str, Any]:
    """Return what a message says of a hard set: enough to know it, and where its manifest is."""
    slug = round_.project.slug
    return {
        "project": slug, "round": round_.number, "synthetic": round_.has_synthetic,
        "title": hard_set.summary.get("title", hard_set.strategy), **_brief(hard_set, slug),
    }  # fmt: skip


def _brief(hard_set: HardSet, slug: str) -> dict[str, Any]:
    return {
        "hard_set": hard_set.pk, "strategy": hard_set.strategy, "version": hard_set.version, "sha256": hard_set.sha256,
        "n_members": hard_set.n_members, "manifest": f"/api/v1/projects/{slug}/hard-sets/{hard_set.pk}/manifest",
    }  # fmt: skip


def _deliveries(
    project: Project, event: str, occasion: str, data: dict[str, Any], **about: Any
) -> list[WebhookDelivery]:
    # Ten at most: the events are looked at here because SQLite cannot search inside JSON lists.
    webhooks = [one for one in Webhook.objects.filter(project=project, is_active=True) if event in one.events]
    return [_delivery(webhook, event, occasion, data, **about) for webhook in webhooks]


def _delivery(webhook: Webhook, event: str, occasion: str, data: dict[str, Any], **about: Any) -> WebhookDelivery:
    now = timezone.now()
    body = {"type": event, "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "data": data}
    payload = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return WebhookDelivery(
        webhook=webhook, key=f"msg_{secrets.token_hex(16)}", occasion=occasion, event=event, payload=payload,
        payload_sha256=hashlib.sha256(payload.encode()).hexdigest(), next_attempt_at=now, **about,
    )  # fmt: skip


def _store(deliveries: list[WebhookDelivery]) -> int:
    if deliveries:
        WebhookDelivery.objects.bulk_create(deliveries, ignore_conflicts=True)
        wake_sender()
    return len(deliveries)


def send_test(*, webhook: Webhook) -> WebhookDelivery:
    """Queue a test message: signed and sent like any other, tried once, also while the webhook is off."""
    data = {"project": webhook.project.slug, "message": "This is a test from Hardness. There is nothing to do."}
    delivery = _delivery(webhook, TEST_EVENT, f"test:{secrets.token_hex(8)}", data)
    delivery.save(force_insert=True)
    wake_sender()
    return delivery


def send_again(*, delivery: WebhookDelivery) -> bool:
    """Send a message that is over again, byte for byte and with the same id; False while it is on its way."""
    again = WebhookDelivery.objects.filter(
        pk=delivery.pk, status__in=[WebhookDelivery.Status.DELIVERED, WebhookDelivery.Status.FAILED,
                                    WebhookDelivery.Status.DROPPED],
    ).update(
        status=WebhookDelivery.Status.WAITING, next_attempt_at=timezone.now(), finished_at=None, error="",
        attempts_before=F("attempts"),
    )  # fmt: skip
    if again:
        wake_sender()
    return bool(again)


def wake_sender() -> None:
    """Have what waits sent as soon as the transaction is over. Without a broker the timetable does it later."""
    transaction.on_commit(_wake_sender)


def _wake_sender() -> None:
    from celery import current_app
    from kombu.exceptions import OperationalError

    try:
        # By name: the tasks import what a web process never does.
        current_app.send_task("mining.send_webhooks")
    except (OperationalError, OSError) as error:
        logger.warning("The webhooks wait until the broker is back: %s", error)
