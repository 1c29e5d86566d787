"""When rounds start by themselves: part of the settings page, and a page of its own."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotations.models import Project
from annotations.selectors.access import managed_project
from mining.models import RoundSchedule
from mining.selectors.rounds import rounds_of
from mining.selectors.schedules import schedule_in_words, schedule_of
from mining.services.round_params import RoundRefused, checked_params
from mining.services.scheduled_settings import scheduled_settings
from mining.services.schedules import set_schedule

from .words import params_in_words

ROUNDS_OFFERED = 20
SettingsFrom = RoundSchedule.SettingsFrom


class ScheduleForm(forms.Form):
    """Two ways of being due, empty means never; and with which settings."""

    every_annotations = forms.IntegerField(
        label="New annotations", required=False, min_value=1, max_value=10_000_000,
        help_text="A round starts once so many have come since the last one.",
    )  # fmt: skip
    every_hours = forms.IntegerField(
        label="Hours", required=False, min_value=1, max_value=8760,
        help_text="A round starts so long after the last one, if anything was annotated since.",
    )  # fmt: skip
    settings_from = forms.ChoiceField(
        label="Settings", required=False,
        help_text="Learners, strategies, labels and all else that the form for a new round asks for.",
    )  # fmt: skip

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rounds = {str(one.number): one for one in rounds_of(project)[:ROUNDS_OFFERED]}
        named = self.initial.get("like_round")
        if named is not None:
            self.rounds.setdefault(str(named.number), named)
        settings = cast(forms.ChoiceField, self.fields["settings_from"])
        settings.choices = [
            (SettingsFrom.LATEST.value, SettingsFrom.LATEST.label),
            (SettingsFrom.USUAL.value, SettingsFrom.USUAL.label),
            *((f"round {number}", f"As round {number}") for number in self.rounds),
        ]

    def wanted(self) -> dict[str, Any]:
        """Return what `set_schedule` takes."""
        kind, _, number = (self.cleaned_data["settings_from"] or SettingsFrom.LATEST.value).partition(" ")
        return {**self.cleaned_data, "settings_from": kind, "like_round": self.rounds.get(number)}


def _initial(schedule: RoundSchedule | None) -> dict[str, Any]:
    if schedule is None:
        return {}
    chosen = schedule.settings_from
    if schedule.like_round is not None:
        chosen = f"round {schedule.like_round.number}"
    return {"every_annotations": schedule.every_annotations, "every_hours": schedule.every_hours,
            "settings_from": chosen, "like_round": schedule.like_round}  # fmt: skip


def _settings(schedule: RoundSchedule | None) -> dict[str, Any] | None:
    """Return what the next scheduled round would do, or why it could not start."""
    if schedule is None:
        return None
    asked = scheduled_settings(schedule)
    try:
        params = checked_params(
            project=schedule.project, learners=asked.learners, strategies=asked.strategies, params=asked.params
        )
    except RoundRefused as reason:
        return {"like": asked.like, "refused": str(reason)}
    return {"like": asked.like, "facts": params_in_words(params)}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def schedule_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show and change when rounds start by themselves; asked for by htmx, it is the part that the settings show."""
    project = managed_project(request.user, slug)
    schedule = schedule_of(project)
    form = ScheduleForm(request.POST if request.method == "POST" else None, initial=_initial(schedule), project=project)
    if form.is_valid():
        try:
            schedule = set_schedule(project=project, **form.wanted())
        except ValidationError as error:
            for field, problems in error.message_dict.items():
                form.add_error(field if field in form.fields else None, problems)
        else:
            messages.success(request, f"Saved. {schedule_in_words(schedule)}")
            return redirect("project_settings", slug=slug)
    context = {"project": project, "section": "settings", "form": form, "schedule": schedule,
               "settings": _settings(schedule), "words": schedule_in_words(schedule)}  # fmt: skip
    part = bool(request.headers.get("HX-Request"))
    template = "mining/_schedule.html" if part else "mining/schedule.html"
    return render(request, template, context, status=422 if request.method == "POST" else 200)
