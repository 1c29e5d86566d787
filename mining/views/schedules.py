"""When rounds start by themselves: part of the settings page, and a page of its own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotations.selectors.access import managed_project
from mining.selectors.schedules import schedule_in_words, schedule_of
from mining.services.schedules import set_schedule


class ScheduleForm(forms.Form):
    """Two ways of being due; empty means never."""

    every_annotations = forms.IntegerField(
        label="New annotations", required=False, min_value=1, max_value=10_000_000,
        help_text="A round starts once so many have come since the last one.",
    )  # fmt: skip
    every_hours = forms.IntegerField(
        label="Hours", required=False, min_value=1, max_value=8760,
        help_text="A round starts so long after the last one, if anything was annotated since.",
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def schedule_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show and change when rounds start by themselves; asked for by htmx, it is the part that the settings show."""
    project = managed_project(request.user, slug)
    schedule = schedule_of(project)
    initial: dict[str, Any] = (
        {} if schedule is None else {name: getattr(schedule, name) for name in ScheduleForm.base_fields}
    )
    form = ScheduleForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            schedule = set_schedule(project=project, **form.cleaned_data)
        except ValidationError as error:
            for field, problems in error.message_dict.items():
                form.add_error(field if field in form.fields else None, problems)
        else:
            messages.success(request, f"Saved. {schedule_in_words(schedule)}")
            return redirect("project_settings", slug=slug)
    context = {"project": project, "section": "settings", "form": form, "schedule": schedule,
               "words": schedule_in_words(schedule)}  # fmt: skip
    part = bool(request.headers.get("HX-Request"))
    template = "mining/_schedule.html" if part else "mining/schedule.html"
    return render(request, template, context, status=422 if request.method == "POST" else 200)
