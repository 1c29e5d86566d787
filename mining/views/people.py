"""What people find hard, as of now: the Hardness page, the choice of measure, and the annotators."""

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
from annotations.timing.reasons import Reason
from mining.selectors.people_now import Freshness, annotators_of, freshness_of, hardness_of, measures_of
from mining.services.people_now import DETAILS_JOB, PEOPLE_JOB, refresh_people

from .people_words import OTHER_REASONS, REMEDIES, HumanMeasureWords, measure_words

CHOSEN = "time_and_labels"


def _frame(project: Project, here: str, fresh: Freshness) -> dict[str, Any]:
    return {
        "project": project, "section": "hardness", "here": here, "fresh": fresh,
        "has_synthetic": has_synthetic(project),
    }  # fmt: skip


@require_GET
@never_cache
def hardness_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show which items, classes and pairs of classes people find hard, and how sure that is."""
    project = managed_project(request.user, slug)
    facts = hardness_of(project)
    context = _frame(project, "hardness", freshness_of(project, facts))
    if facts is not None:
        names = dict(LabelClass.objects.filter(project=project).values_list("code", "name"))
        context |= {
            "facts": facts,
            "warnings": [{**one, "remedy": REMEDIES.get(one["name"], "")} for one in facts["warnings"]],
            "hardest": _with_items(project, facts["hardest"], names, "item"),
            "images": _with_items(project, facts["images"], names, "hardest"),
            "classes": [{**row, "name": names.get(row["code"], "")} for row in facts["classes"]],
            "pairs": [
                {**row, "names": (names.get(row["first"], ""), names.get(row["second"], ""))} for row in facts["pairs"]
            ],
            "reach": _reach(facts["classes"]),
        }
    return render(request, "mining/hardness.html", context)


def _with_items(project: Project, rows: list[dict[str, Any]], names: dict[int, str], key: str) -> list[dict[str, Any]]:
    """Put the item's row and its answers in words beside the figures; rows of deleted items are left out."""
    items = Item.objects.filter(project=project).in_bulk([row[key] for row in rows])
    return [
        {
            **row,
            "object": items[row[key]],
            "said": ", ".join(f"{names.get(code, '?')} {count}" for code, count in row.get("answers", ())),
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
    context = _frame(project, "measures", freshness_of(project, facts, details=True))
    if facts is not None:
        words: dict[str, HumanMeasureWords] = measure_words()
        rows = [{**row, "words": words[row["name"]]} for row in facts["rows"] if row["name"] in words]
        rows.sort(key=lambda row: -1.0 if row["value"] is None else row["value"], reverse=True)
        context |= {"facts": facts, "rows": rows, "chosen": CHOSEN}
    return render(request, "mining/people_measures.html", context)


@require_GET
@never_cache
def annotators_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Describe every annotator. Nothing here judges or bans anybody."""
    project = managed_project(request.user, slug)
    facts = annotators_of(project)
    context = _frame(project, "annotators", freshness_of(project, facts, details=True))
    if facts is not None:
        found = Annotator.objects.filter(project=project).defer("drawn").in_bulk([row["id"] for row in facts["rows"]])
        rows = [
            {**row, "annotator": found[row["id"]], "why": [(_reason(name), n) for name, n in row["reasons"]]}
            for row in facts["rows"]
            if row["id"] in found
        ]
        context |= {
            "facts": facts, "rows": rows,
            "with_gold": any(row["n_gold"] for row in rows), "with_retests": any(row["n_retests"] for row in rows),
        }  # fmt: skip
    return render(request, "mining/annotators.html", context)


def _reason(name: str) -> str:
    if name in list(Reason):
        return Reason(name).sentence
    return OTHER_REASONS.get(name) or f"{name.replace('_', ' ').capitalize() or 'Not said'}."


@require_POST
def people_refresh(request: HttpRequest, slug: str) -> HttpResponse:
    """Queue the project's figures to be computed now."""
    project = managed_project(request.user, slug)
    here = request.POST.get("here", "hardness")
    refresh_people(project=project, kind=PEOPLE_JOB if here == "hardness" else DETAILS_JOB)
    messages.success(request, "The figures are being computed. Load the page again in a moment.")
    name = {"measures": "people_measures", "annotators": "annotators"}.get(here, "hardness")
    return redirect(name, slug=project.slug)


__all__ = ["annotators_page", "hardness_page", "people_measures_page", "people_refresh"]
