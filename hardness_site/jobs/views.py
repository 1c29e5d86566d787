"""The page of a job: how far it is, what it refused and why, stop it, run it again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import select_template
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from . import services
from .access import owner_for
from .models import Job, JobMessage

MESSAGES_PER_PAGE = 50
SLOW_START_SECONDS = 20
FIGURE_WORDS = {"n_known": "Already there"}
"""Figures of results whose own names do not say enough."""


def job_context(job: Job) -> dict[str, Any]:
    """Return what `jobs/_progress.html` needs besides the job."""
    waited = (timezone.now() - job.created_at).total_seconds()
    return {"job": job, "waits_long": job.status == Job.Status.QUEUED and waited > SLOW_START_SECONDS}


def _job_and_owner(request: HttpRequest, pk: int) -> tuple[Job, Any]:
    job = get_object_or_404(Job.objects.select_related("created_by"), pk=pk)
    return job, owner_for(request.user, job)


@require_GET
@never_cache
def job_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one job with its log, a page of it at a time; `?level=refused` picks lines."""
    job, project = _job_and_owner(request, pk)
    counts = dict(job.messages.order_by().values_list("level").annotate(n=Count("pk")))
    levels = [(level.value, level.label, counts[level]) for level in JobMessage.Level if level in counts]
    level = request.GET.get("level", "")
    lines = job.messages.all()
    if level in JobMessage.Level.values:
        lines = lines.filter(level=level)
    else:
        level = ""
    context = {
        **job_context(job),
        "project": project,
        "levels": levels,
        "level": level,
        "n_lines": sum(counts.values()),
        "page": Paginator(lines, MESSAGES_PER_PAGE).get_page(request.GET.get("page")),
        "result_figures": _figures(job.result),
        "after": select_template([f"jobs/after_{job.kind}.html", "jobs/_after.html"]),
    }
    return render(request, "jobs/job.html", context)


@require_GET
@never_cache
def job_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the progress alone, for polling; when the job is over the page is told to load anew."""
    job, _ = _job_and_owner(request, pk)
    response = render(request, "jobs/_progress.html", job_context(job))
    if job.is_final:
        response["HX-Refresh"] = "true"
    return response


@require_POST
def job_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the job to stop."""
    job, _ = _job_and_owner(request, pk)
    if job.is_final:
        messages.info(request, "It was over already.")
    else:
        services.cancel_job(job)
        messages.info(request, "Cancelled." if job.is_final else "It stops at its next step.")
    return redirect("job", pk=job.pk)


@require_POST
def job_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Queue a failed or cancelled job again."""
    job, _ = _job_and_owner(request, pk)
    if services.retry_job(job):
        messages.success(request, "It is queued to run again.")
    else:
        messages.error(request, "Only a job that failed or was cancelled can be run again.")
    return redirect("job", pk=job.pk)


def _figures(result: dict[str, Any]) -> list[tuple[str, int | float]]:
    """Return the numbers of a job's result with their names in words."""
    return [
        (FIGURE_WORDS.get(key) or key.removeprefix("n_").replace("_", " ").capitalize(), value)
        for key, value in result.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and not key.endswith("_id") and key != "id"
    ]
