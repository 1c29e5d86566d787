"""Django's admin for rounds and hard sets: to look at, with links to the pages where things are changed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mining.models import FeatureSource, HardSet, HardSetMember, Round, RoundSchedule, RoundStage, SecondLook

from . import webhooks  # noqa: F401  registers its own


def page_link(target: Round | HardSet, text: str) -> SafeString | str:
    try:
        return format_html('<a href="{}">{}</a>', target.get_absolute_url(), text)
    except NoReverseMatch:
        return "–"


class ReadOnly:
    """Rounds and hard sets are computed: they are never edited by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StageInline(ReadOnly, admin.TabularInline):
    model = RoundStage
    fields = ("index", "name", "status", "job", "started_at", "finished_at")
    readonly_fields = fields
    can_delete = False
    extra = 0


@admin.register(Round)
class RoundAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("project", "number", "status", "report", "agreement", "has_synthetic", "created_by", "created_at")
    list_display_links = ("number",)
    list_filter = ("status", "has_synthetic", "created_at", "project")
    search_fields = ("project__name", "project__slug")
    list_select_related = ("project", "created_by")
    date_hierarchy = "created_at"
    inlines = (StageInline,)

    @admin.display(description="People and model agree")
    def agreement(self, obj: Round) -> str:
        figures = {one["name"]: one for one in obj.summary.get("headline", [])}
        shown = figures.get("agreement")
        return f"{shown['value']} ({shown['interval']})" if shown else "–"

    @admin.display(description="Report")
    def report(self, obj: Round) -> SafeString | str:
        return page_link(obj, "Open")


@admin.register(RoundStage)
class RoundStageAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("round", "name", "status", "started_at", "finished_at")
    list_filter = ("status", "name")
    list_select_related = ("round__project",)
    search_fields = ("round__project__slug",)


@admin.register(HardSet)
class HardSetAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("pk", "round", "strategy", "page", "version", "n_members", "created_at")
    list_filter = ("strategy", "created_at", "round__project")
    search_fields = ("round__project__slug", "strategy", "sha256")
    list_select_related = ("round__project",)

    @admin.display(description="Page")
    def page(self, obj: HardSet) -> SafeString | str:
        return page_link(obj, "Open")


@admin.register(HardSetMember)
class HardSetMemberAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("hard_set", "rank", "item", "score", "verdict", "reason")
    list_filter = ("verdict", "hard_set__strategy")
    list_select_related = ("hard_set__round__project", "item")
    search_fields = ("item__path",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[HardSetMember]:
        return super().get_queryset(request).order_by("-hard_set", "rank")


@admin.register(SecondLook)
class SecondLookAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("hard_set", "extra_judgments", "same_people", "n_items", "created_by", "created_at")
    list_filter = ("same_people", "created_at")
    list_select_related = ("hard_set__round__project", "created_by")


@admin.register(RoundSchedule)
class RoundScheduleAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("project", "every_annotations", "every_hours", "last_message", "updated_at")
    list_select_related = ("project",)


@admin.register(FeatureSource)
class FeatureSourceAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("project", "kind", "name", "dimension", "n_items", "n_bytes", "created_by", "created_at")
    list_display_links = ("name",)
    list_filter = ("kind", "created_at", "project")
    search_fields = ("name", "sha256", "project__slug")
    list_select_related = ("project", "created_by")
