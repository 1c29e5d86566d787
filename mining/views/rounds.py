"""The pages of rounds: list and start, watch, cancel, run a stage again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from annotations.models import Project
from annotations.selectors.access import managed_project
from mining.human_words import words_of
from mining.models import Round, RoundStage
from mining.selectors.hard_sets import hard_sets_of
from mining.selectors.rounds import hard_set_facts, is_active, learning_of, report_of, rounds_of, stages_of
from mining.selectors.schedules import schedule_in_words, schedule_of
from mining.services.rounds import RoundRefused, active_round, cancel_round, retry_stage, start_round
from mining.stages import STAGES

from .access import project_and_round, signed_in
from .round_form import RoundForm
from .second_looks import looks_in_words
from .words import params_in_words, verdict_counts

ROUNDS_PER_PAGE = 25


def _list(request: HttpRequest, project: Project, form: RoundForm, status: int = 200) -> HttpResponse:
    rounds = rounds_of(project).prefetch_related(Prefetch("stages", RoundStage.objects.order_by("index")))
    page = Paginator(rounds, ROUNDS_PER_PAGE).get_page(request.GET.get("page"))
    schedule = schedule_of(project)
    context = {
        "project": project,
        "section": "rounds",
        "page": page,
        "rows": [_row(round_) for round_ in page.object_list],
        "form": form,
        "active": active_round(project),
        "defaults": form.defaults_in_words(),
        "learning": _learning(project),
        "schedule": schedule_in_words(schedule),
        "is_scheduled": schedule is not None,
        "human": words_of(project.human_measure),
    }
    return render(request, "mining/rounds.html", context, status=status)


def _learning(project: Project) -> dict[str, Any] | None:
    """Return the curve with one scale for all rounds; None until two rounds can be compared."""
    learning = learning_of(project)
    if learning is None or len(learning["points"]) < 2:
        return None
    points = learning["points"]
    low, high = min(point["low"] for point in points), max(point["high"] for point in points)
    return {**learning, "points": points[::-1], "low": max(0.0, low - 0.02), "high": min(1.0, high + 0.02)}


def _row(round_: Round) -> dict[str, Any]:
    """Return a round with its figures by name, and where it stands when it is not done."""
    current = next((stage for stage in round_.stages.all() if stage.status != Round.Status.SUCCEEDED), None)
    return {
        "round": round_,
        "headline": {entry["name"]: entry for entry in round_.summary.get("headline", [])},
        "current": STAGES.get(current.name, current.name) if current else "",
    }


@require_GET
@never_cache
def rounds_page(request: HttpRequest, slug: str) -> HttpResponse:
    """List the project's rounds, newest first, with the form that starts one."""
    project = managed_project(request.user, slug)
    return _list(request, project, RoundForm(project=project))


@require_POST
def round_start(request: HttpRequest, slug: str) -> HttpResponse:
    """Start a round and go to its page; a refusal is shown at the form, and nothing was started."""
    project = managed_project(request.user, slug)
    form = RoundForm(request.POST, project=project)
    if form.is_valid():
        try:
            round_ = start_round(
                project=project,
                learners=form.learners_with_params(),
                strategies=form.cleaned_data["strategies"],
                params=form.params(),
                created_by=signed_in(request),
            )
        except RoundRefused as reason:
            form.add_error(None, str(reason))
        else:
            return redirect(round_)
    return _list(request, project, form, status=422)


def _progress(round_: Round) -> dict[str, Any]:
    rows = stages_of(round_)
    stages = [
        {
            "stage": stage,
            "title": STAGES.get(stage.name, stage.name),
            "error": stage.result.get("error") or (stage.job.error if stage.job else ""),
        }
        for stage in rows
    ]
    done = sum(stage.status == Round.Status.SUCCEEDED for stage in rows)
    return {"round": round_, "stages": stages, "n_done": done, "active": is_active(round_)}


@require_GET
@never_cache
def round_page(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show a round: its stages while it runs, its figures and hard sets when it is done."""
    project, round_ = project_and_round(request, slug, number)
    report = report_of(round_) if round_.status == Round.Status.SUCCEEDED else None
    compared = _compared(hard_set_facts(round_)) if report else {}
    changes = compared.get("changes", {})
    context = {
        **_progress(round_),
        "project": project,
        "section": "rounds",
        "report": report,
        "hard_sets": [
            (one, verdict_counts(one.summary.get("verdicts", {})), changes.get(one.strategy))
            for one in hard_sets_of(round_)
        ],
        "params": params_in_words(round_.params),
        "looks": looks_in_words(project, round_) if report else [],
        "compared": compared,
    }
    return render(request, "mining/round.html", context)


@require_GET
@never_cache
def round_progress(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Return the stages alone, for polling; when the round is over the page is told to load anew."""
    project, round_ = project_and_round(request, slug, number)
    context = {**_progress(round_), "project": project}
    response = render(request, "mining/_stages.html", context)
    if not context["active"]:
        response["HX-Refresh"] = "true"
    return response


@require_POST
def round_cancel(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Stop the round; what it has computed stays."""
    _, round_ = project_and_round(request, slug, number)
    if is_active(round_):
        cancel_round(round_)
        messages.info(request, "It stops at its next step." if is_active(round_) else "The round is cancelled.")
    else:
        messages.info(request, "The round was over already.")
    return redirect(round_)


@require_POST
def stage_retry(request: HttpRequest, slug: str, number: int, stage: str) -> HttpResponse:
    """Run a failed or cancelled stage again, and after it those that wait for it."""
    _, round_ = project_and_round(request, slug, number)
    row = round_.stages.filter(name=stage).first()
    if row is None:
        raise Http404("There is no such stage.")
    try:
        retry_stage(row)
    except RoundRefused as reason:
        messages.error(request, str(reason))
    return redirect(round_)


def _compared(facts: dict[str, Any]) -> dict[str, Any]:
    """Return what the sets share, by their titles, the largest share first, and what is new in each."""
    titles = {one["strategy"]: one["title"] for one in facts.get("hard_sets", [])}
    compared = facts.get("compared", {})
    overlaps = sorted(compared.get("overlaps", []), key=lambda one: -one["share"])
    changes = compared.get("changes", {})
    return {
        "overlaps": [
            {**one, "first": titles.get(one["first"], one["first"]), "second": titles.get(one["second"], one["second"])}
            for one in overlaps
            if one["shared"]
        ],
        "changes": {name: change for name, change in changes.items() if change["n_now"]},
    }
