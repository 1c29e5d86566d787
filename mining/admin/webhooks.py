"""Webhooks in Django's admin: to look at. Secrets are in no row; what changes them is on the project's page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from annotations.admin.read_only import ReadOnlyAdmin
from mining.models import Webhook, WebhookDelivery


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    list_display = ("project", "url", "is_active", "off_reason", "created_by", "created_at")
    list_display_links = ("url",)
    list_filter = ("is_active", "created_at")
    list_select_related = ("project", "created_by")
    search_fields = ("url", "project__slug", "project__name")
    exclude = ("salt", "old_salt", "fingerprint")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "webhook", "event", "status", "attempts", "response_status", "next_attempt_at")
    list_display_links = ("created_at",)
    list_filter = ("status", "event", "created_at")
    list_select_related = ("webhook__project",)
    search_fields = ("key", "webhook__url", "webhook__project__slug")
    exclude = ("claim",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).order_by("-pk")
