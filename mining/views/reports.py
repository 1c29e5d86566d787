"""What a round found: the comparison, the retraining, the whole report, and the charts of all three."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from annotations.models import Item, Project
from mining.models import HardSet, Round
from mining.selectors import choices
from mining.selectors.hard_sets import hard_sets_of
from mining.selectors.rounds import chart_of, classes_of, comparison_of, report_of, retraining_of

from .access import project_and_round

QUADRANT_MARKS = {"both_hard": 1, "people_only": 3, "model_only": 2, "both_easy": 4}
ARMS = {"baseline": "As it is", "hard_set": "Hard set weighs more", "random_control": "Random items weigh more"}
ONLINE_ARMS = {"baseline": "Uniform", "hard_set": "This strategy", "random_control": "Same weights, random items"}
ARMS_OF_KIND = {"online": ONLINE_ARMS, "oversample": {**ARMS, "hard_set": "Hard set shown more often",
                                                      "random_control": "Random items shown more often"},
                "balance": {"baseline": "As it is", "hard_set": "Balanced",
                            "random_control": "As much, at random"}}  # fmt: skip
FAMILIES = {
    "people": "People",
    "ambiguity": "Ambiguity",
    "surprise": "Surprise",
    "gradient": "Gradient",
    "neighbours": "Neighbours",
    "dynamics": "Training dynamics",
}


def _charts(round_: Round, project: Project, report: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Return name -> what `site/_chart.html` needs, for every chart of the report."""
    return {
        chart["name"]: {
            "chart": chart,
            "address": reverse("round_chart", args=[project.slug, round_.number, chart["name"]]),
        }
        for chart in (report or {}).get("charts", [])
    }


def round_frame(project: Project, round_: Round, report: dict[str, Any] | None) -> dict[str, Any]:
    """Return what every page of a round needs."""
    return {
        "project": project,
        "section": "rounds",
        "round": round_,
        "report": report,
        "charts": _charts(round_, project, report),
        "headline": {entry["name"]: entry for entry in (report or {}).get("headline", [])},
        "item_address": _address_or_empty("item", project),
        "thumbnail_address": _address_or_empty("image_thumbnail", project),
    }


def _address_or_empty(name: str, project: Project) -> str:
    """Address for item 0, in which scripts put other numbers."""
    return reverse(name, args=[project.slug, 0])


@require_GET
def comparison_page(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show where people and models agree and where they part."""
    project, round_ = project_and_round(request, slug, number)
    comparison = comparison_of(round_)
    context = round_frame(project, round_, report_of(round_))
    if comparison is not None:
        titles = {name: one.title for name, one in choices.learners().items()}
        pairs = [
            {**pair, "learner_title": titles.get(pair["learner"], pair["learner"]) or ""}
            for pair in comparison["pairs"]
        ]
        cells = (comparison.get("quadrants") or {}).get("cells", [])
        context |= {
            "comparison": comparison,
            "several_learners": len({pair["learner"] for pair in pairs if pair["learner"]}) > 1,
            "human": comparison["human"],
            "main": next((pair for pair in pairs if pair["measure"] == comparison["main"]), None),
            "families": _by_family(pairs),
            "cells": _with_items(project, cells),
        }
    return render(request, "mining/comparison.html", context)


def _by_family(pairs: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    families: dict[str, list[dict[str, Any]]] = {name: [] for name in FAMILIES}
    for pair in pairs:
        families.setdefault(pair["family"], []).append(pair)
    return [(FAMILIES.get(name, name.capitalize()), rows) for name, rows in families.items() if rows]


def _with_items(project: Project, cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the quadrants with the rows of their example items; one query for all."""
    wanted = [item for cell in cells for item in cell["items"]]
    rows = Item.objects.filter(project=project).select_related("given").in_bulk(wanted)
    return [
        {
            **cell,
            "mark": QUADRANT_MARKS.get(cell["name"], 4),
            "examples": [rows[item] for item in cell["items"] if item in rows],
        }
        for cell in cells
    ]


@require_GET
def retraining_page(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show whether training more on the hard items helped, against as many random items."""
    project, round_ = project_and_round(request, slug, number)
    retraining = retraining_of(round_)
    sets = {one.strategy: one for one in hard_sets_of(round_)}
    context = {
        **round_frame(project, round_, report_of(round_)),
        "retraining": retraining,
        "trust": (retraining or {}).get("heldout", {}).get("words", ""),
        "experiments": [
            _experiment(one, sets, classes_of(round_)) for one in (retraining or {}).get("experiments", [])
        ],
    }
    return render(request, "mining/retraining.html", context)


def _experiment(experiment: dict[str, Any], sets: dict[str, HardSet], classes: list[str]) -> dict[str, Any]:
    """Return an experiment with words for its arms, its hard set, one scale for all its accuracies, and its classes."""
    titles = ARMS_OF_KIND.get(experiment.get("kind", ""), ARMS)
    seen = [value for arm in experiment["arms"] for value in arm["accuracy_by_seed"] if value is not None]
    low, high = (min(seen), max(seen)) if seen else (0.0, 1.0)
    room = max(0.02, (high - low) * 0.15)
    return {
        **experiment,
        "online": experiment.get("kind") == "online",
        "balance": experiment.get("kind") == "balance",
        "measure": "Mean recall" if experiment.get("judged_by") == "mean_recall" else "Accuracy",
        "hard_set": sets.get(experiment["strategy"]) if experiment.get("kind") not in ("online", "balance") else None,
        "arms": [
            {**arm, "title": titles.get(arm["name"], arm["name"]), "worst_name": _class_name(arm, classes)}
            for arm in experiment["arms"]
        ],
        "classes": _by_class(experiment["arms"], classes),
        "low": max(0.0, low - room),
        "high": min(1.0, high + room),
    }


def _class_name(arm: dict[str, Any], classes: list[str]) -> str:
    return classes[arm["worst_class"]] if 0 <= arm["worst_class"] < len(classes) else ""


def _by_class(arms: list[dict[str, Any]], classes: list[str]) -> list[dict[str, Any]]:
    """Return the recall of every class in each arm with its interval; rounds of old have no intervals."""
    rows = []
    for code, name in enumerate(classes):
        cells = []
        for arm in arms:
            recall = arm["recall_by_class"]
            within = arm.get("recall_intervals") or []
            low, high = within[code] if code < len(within) else (None, None)
            cells.append({"value": recall[code] if code < len(recall) else None, "low": low, "high": high})
        rows.append({"name": name, "cells": cells})
    return rows


@require_GET
def report_page(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show the whole report of a round, section by section."""
    project, round_ = project_and_round(request, slug, number)
    report = report_of(round_)
    context = round_frame(project, round_, report)
    context["sections"] = [
        {**section, "drawn": [context["charts"][name] for name in section["charts"] if name in context["charts"]]}
        for section in (report or {}).get("sections", [])
    ]
    return render(request, "mining/report.html", context)


@require_GET
def round_chart(request: HttpRequest, slug: str, number: int, name: str) -> HttpResponse:
    """Return the Vega-Lite specification of one chart."""
    _, round_ = project_and_round(request, slug, number)
    spec = chart_of(round_, name)
    if spec is None:
        raise Http404("There is no such chart.")
    response = JsonResponse(spec)
    response["Cache-Control"] = "private, max-age=60"
    return response
