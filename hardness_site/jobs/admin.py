"""Jobs in Django's admin: to look at; they are cancelled and run again on their pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from .models import Job


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):
    """All background work, the newest first."""

    list_display = ["title", "kind", "status", "percent", "scope", "created_by", "created_at", "finished_at", "page"]
    list_filter = ["status", "kind"]
    list_select_related = ["created_by"]
    search_fields = ["title", "scope"]
    date_hierarchy = "created_at"
    exclude = ["claim"]
    show_full_result_count = False
    list_per_page = 50

    @admin.display(description="Page")
    def page(self, job: Job) -> str:
        """Link to the job's page, with its log."""
        return format_html('<a href="{}">Look</a>', reverse("job", args=[job.pk]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
