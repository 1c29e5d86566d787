"""What people did: never changed, here or elsewhere."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from annotations.models import Annotation, EventBatch, Trial, WorkSession

from .read_only import ReadOnlyAdmin


class AnnotationInline(admin.TabularInline):
    """The answers given in a trial, corrections included."""

    model = Annotation
    fields = readonly_fields = ("label", "is_current", "created_at")
    extra = 0
    can_delete = False


class EventBatchInline(admin.TabularInline):
    """What the browser saw."""

    model = EventBatch
    fields = readonly_fields = ("events", "is_correction", "received_at")
    extra = 0
    can_delete = False


@admin.register(Trial)
class TrialAdmin(ReadOnlyAdmin):
    """Trials with their times."""

    list_display = ["pk", "project", "annotator", "item", "state", "source", "response_ms", "null_reason", "page"]
    list_filter = ["state", "source", "project"]
    list_select_related = ["project", "annotator", "item"]
    search_fields = ["item__path", "annotator__name"]
    inlines = [AnnotationInline, EventBatchInline]

    @admin.display(description="Page")
    def page(self, trial: Trial) -> str:
        """Link to the page of the trial's item."""
        return format_html('<a href="{}">Look</a>', reverse("item", args=[trial.project.slug, trial.item_id]))


@admin.register(Annotation)
class AnnotationAdmin(ReadOnlyAdmin):
    """Answers."""

    list_display = ["__str__", "label", "trial_annotator", "trial_item", "is_current", "created_at"]
    list_filter = ["is_current", "trial__project"]
    list_select_related = ["label", "trial__annotator", "trial__item"]

    @admin.display(description="Annotator")
    def trial_annotator(self, annotation: Annotation) -> str:
        """Return who gave it."""
        return annotation.trial.annotator.name

    @admin.display(description="Item")
    def trial_item(self, annotation: Annotation) -> str:
        """Return of what it is."""
        return annotation.trial.item.path


@admin.register(WorkSession)
class WorkSessionAdmin(ReadOnlyAdmin):
    """Sittings: what is known about clocks and screens."""

    list_display = ["__str__", "annotator", "started_at", "last_seen_at", "user_agent"]
    list_filter = ["annotator__project"]
    list_select_related = ["annotator"]
    search_fields = ["annotator__name"]
