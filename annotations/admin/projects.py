"""Projects, classes, members and annotators."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from annotations.models import Annotator, LabelClass, Membership, Project
from annotations.services.members import add_member, remove_member
from annotations.services.projects import SETTINGS, archive_project, restore_project, update_settings

from .read_only import ReadOnlyAdmin


class LabelClassInline(admin.TabularInline):
    """A project's classes, to look at: codes and keys never change."""

    model = LabelClass
    fields = readonly_fields = ("code", "name", "key")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):
    """Projects. New ones are made on the site; deleting one would delete what people did: archive it."""

    list_display = ["name", "slug", "unit", "n_items", "overlap", "created_at", "archived_at", "links"]
    list_filter = ["unit", "order", ("archived_at", admin.EmptyFieldListFilter)]
    search_fields = ["name", "slug"]
    date_hierarchy = "created_at"
    fields = [*SETTINGS, "slug", "unit", "n_items", "created_by", "created_at", "archived_at", "links"]
    readonly_fields = ["slug", "unit", "n_items", "created_by", "created_at", "archived_at", "links"]
    inlines = [LabelClassInline]
    actions = ["archive", "restore"]

    @admin.display(description="Pages")
    def links(self, project: Project) -> str:
        """Link to the project's pages."""
        return format_html(
            '<a href="{}">Overview</a> · <a href="{}">Items</a> · <a href="{}">Rounds</a>',
            project.get_absolute_url(),
            reverse("items", args=[project.slug]),
            reverse("rounds", args=[project.slug]),
        )

    @admin.action(description="Archive: hide from everybody, delete nothing")
    def archive(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        """Hide projects."""
        for project in queryset:
            archive_project(project=project)

    @admin.action(description="Restore from the archive")
    def restore(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        """Show archived projects again."""
        for project in queryset:
            restore_project(project=project)

    def save_model(self, request: HttpRequest, obj: Project, form: ModelForm, change: bool) -> None:
        """Save through the service: a new overlap moves what every item needs."""
        update_settings(project=obj, **{name: form.cleaned_data[name] for name in form.changed_data})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    """Who may do what. A project keeps its last manager, here too."""

    list_display = ["user", "project", "role", "created_at"]
    list_filter = ["role", "project"]
    list_select_related = ["user", "project"]
    search_fields = ["user__username", "user__email", "project__name"]
    autocomplete_fields = ["user", "project"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Only the role of a membership changes."""
        return ["user", "project"] if obj else []

    def save_model(self, request: HttpRequest, obj: Membership, form: ModelForm, change: bool) -> None:
        """Save through the service, and say what it refuses."""
        try:
            saved = add_member(project=obj.project, user=obj.user, role=obj.role)
            obj.pk = saved.pk
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        """Delete through the service, and say what it refuses."""
        try:
            remove_member(membership=obj)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        """Delete each through the service."""
        for membership in queryset.select_related("project"):
            self.delete_model(request, membership)


@admin.register(Annotator)
class AnnotatorAdmin(ReadOnlyAdmin):
    """Annotators with their counts."""

    list_display = ["name", "kind", "project", "user", "n_answered", "n_skipped", "last_position", "created_at"]
    list_filter = ["kind", "project"]
    list_select_related = ["project", "user"]
    search_fields = ["name", "user__username"]
    exclude = ["drawn"]
