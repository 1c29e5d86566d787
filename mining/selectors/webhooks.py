"""Reads of webhooks and their messages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from annotations.models import Project
from mining.models import Webhook, WebhookDelivery

Status = WebhookDelivery.Status
EVENT_WORDS = {**dict(Webhook.Event.choices), "webhook.test": "Test"}


def webhooks_of(project: Project) -> QuerySet[Webhook]:
    """Return the project's webhooks with `n_waiting`, `n_failed`, `n_delivered` and `last_delivered_at`. One query."""

    def count(*states: str) -> Count:
        return Count("deliveries", filter=Q(deliveries__status__in=states))

    return Webhook.objects.filter(project=project).select_related("created_by").order_by("pk").annotate(
        n_waiting=count(Status.WAITING, Status.SENDING), n_failed=count(Status.FAILED),
        n_delivered=count(Status.DELIVERED),
        last_delivered_at=Max("deliveries__finished_at", filter=Q(deliveries__status=Status.DELIVERED)),
    )  # fmt: skip


def webhook_of(project: Project, webhook_id: int) -> Webhook | None:
    return Webhook.objects.filter(project=project, pk=webhook_id).select_related("project").first()


def deliveries_of(project: Project) -> QuerySet[WebhookDelivery]:
    """Return the messages to all webhooks of the project, newest first."""
    rows = WebhookDelivery.objects.filter(webhook__project=project)
    return rows.select_related("webhook", "round__project", "hard_set__round__project").order_by("-pk")


def delivery_of(project: Project, delivery_id: int) -> WebhookDelivery | None:
    return deliveries_of(project).filter(pk=delivery_id).first()


def delivery_row(delivery: WebhookDelivery) -> dict[str, Any]:
    """Return what pages show of a message."""
    target = urlsplit(delivery.webhook.url)
    about: Any = delivery.hard_set or delivery.round
    title = ""
    if delivery.hard_set is not None:
        title = f"{delivery.hard_set.summary.get('title', delivery.hard_set.strategy)}, round {about.round.number}"
    elif delivery.round is not None:
        title = f"Round {delivery.round.number}"
    return {
        "delivery": delivery,
        "words": EVENT_WORDS.get(delivery.event, delivery.event),
        "about": about,
        "title": title,
        "host": target.netloc,
        "moves": not delivery.is_final and (
            delivery.next_attempt_at is None or (delivery.next_attempt_at - timezone.now()).total_seconds() < 60
        ),
    }  # fmt: skip
