"""What people find hard, as of now: the Hardness page and the choice of measure."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from annotations.models import Annotator, Item, LabelClass, Project
from annotations.selectors.access import managed_project
from annotations.selectors.projects import has_synthetic
from mining.human_words import HumanMeasureWords, in_text, known_measure, measure_words, words_of
from mining.selectors.people_now import Freshness, clock_warnings_of, freshness_of, hardness_of, measures_of
from mining.services.human_measure import MeasureRefused, choose_measure
from mining.services.people_now import DETAILS_JOB, PEOPLE_JOB, refresh_people

from .people_words import REMEDIES

MOST_NAMED = 10
MOST_AT_FIRST = 10
"""Rows of a list of the hardest before somebody asks for all."""


def frame(project: Project, here: str, fresh: Freshness) -> dict[str, Any]:
    """Return what every page of hardness by people shows around its figures."""
    return {
        "project": project, "section": "hardness", "here": here, "fresh": fresh,
        "has_synthetic": has_synthetic(project),
    }  # fmt: skip


@require_GET
@never_cache
def hardness_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show which items, images, classes and pairs of classes people find hard, and how sure that is."""
    project = managed_project(request.user, slug)
    facts = hardness_of(project)
    context = frame(project, "hardness", freshness_of(project, facts))
    if facts is not None:
        names = dict(LabelClass.objects.filter(project=project).values_list("code", "name"))
        human = words_of(facts["human"]["measure"])
        most = None if "all" in request.GET else MOST_AT_FIRST
        context |= {
            "facts": facts, "human": human, "unit": facts["human"]["unit"],
            "changing": known_measure(project.human_measure) != facts["human"]["measure"],
            "warnings": _with_annotators(project, [*facts["warnings"], *clock_warnings_of(project)]),
            "hardest": _with_items(project, facts["hardest"][:most], names, "item"),
            "images": _with_items(project, facts["images"][:most], names, "hardest"),
            "classes": [{**row, "name": names.get(row["code"], "")} for row in facts["classes"]],
            "pairs": [
                {**row, "names": (names.get(row["first"], ""), names.get(row["second"], ""))}
                for row in facts["pairs"][:most]
            ],
            "reach": _reach(facts["classes"]),
        }  # fmt: skip
    return render(request, "mining/hardness.html", context)


def _with_annotators(project: Project, warnings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the remedy and the annotators whom a warning names beside it."""
    ids = [pk for one in warnings for pk in one["annotators"]]
    found = Annotator.objects.filter(project=project).only("pk", "name").in_bulk(ids) if ids else {}
    return [
        {
            **one,
            "remedy": REMEDIES.get(one["name"], ""),
            "about": [found[pk] for pk in one["annotators"][:MOST_NAMED] if pk in found],
        }
        for one in warnings
    ]


def _with_items(project: Project, rows: list[dict[str, Any]], names: dict[int, str], key: str) -> list[dict[str, Any]]:
    """Put the item's row and its answers in words beside the figures; rows of deleted items are left out."""
    items = Item.objects.filter(project=project).in_bulk([row[key] for row in rows])
    return [
        {
            **row,
            "object": items[row[key]],
            "said": ", ".join(f"{names.get(code, '?')} ({count})" for code, count in row.get("answers", ())),
        }
        for row in rows
        if row[key] in items
    ]


def _reach(rows: list[dict[str, Any]]) -> tuple[float, float]:
    """Ends of the scale on which the intervals of classes are drawn."""
    ends = [row[end] for row in rows for end in ("low", "high") if row[end] is not None]
    return (min(ends), max(ends)) if ends else (-1.0, 1.0)


@require_GET
@never_cache
def people_measures_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show every measure of hardness by people with its reliability on this project's own trials."""
    project = managed_project(request.user, slug)
    facts = measures_of(project)
    context = frame(project, "measures", freshness_of(project, facts, details=True))
    if facts is not None:
        words: dict[str, HumanMeasureWords] = measure_words()
        rows = [{**row, "words": words[row["name"]]} for row in facts["rows"] if row["name"] in words]
        rows.sort(key=lambda row: -1.0 if row["value"] is None else row["value"], reverse=True)
        context |= {"facts": facts, "rows": rows, "chosen": known_measure(project.human_measure)}
    return render(request, "mining/people_measures.html", context)


@require_POST
def people_measure_choose(request: HttpRequest, slug: str) -> HttpResponse:
    """Use another measure of people in this project."""
    project = managed_project(request.user, slug)
    try:
        choose_measure(project=project, name=request.POST.get("measure", ""))
    except MeasureRefused as reason:
        messages.error(request, str(reason))
    else:
        title = in_text(words_of(project.human_measure).title)
        messages.success(request, f"This project now uses {title}. Rounds that are there keep their own measure.")
    return redirect("people_measures", slug=project.slug)


@require_POST
def people_refresh(request: HttpRequest, slug: str) -> HttpResponse:
    """Queue the project's figures to be computed now."""
    project = managed_project(request.user, slug)
    here = request.POST.get("here", "hardness")
    refresh_people(project=project, kind=PEOPLE_JOB if here == "hardness" else DETAILS_JOB)
    messages.success(request, "The figures are being computed. Load the page again in a moment.")
    name = {"measures": "people_measures", "annotators": "annotators"}.get(here, "hardness")
    return redirect(name, slug=project.slug)
