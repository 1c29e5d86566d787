"""How annotators work: the list, and a page for each. Nothing here judges or bans anybody."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from annotations.models import Annotator, LabelClass, Project
from annotations.selectors.access import managed_project
from mining.selectors.people_now import annotator_of, annotators_of, freshness_of

from .annotator_charts import chart_of
from .annotator_words import facts_of, reason_words
from .people import frame

CHARTS = {
    "practice": (
        "Practice",
        "Typical time over all trials, on logarithmic steps, with 95 % intervals.",
    ),
    "sitting": ("Within a sitting", "Typical time by place in the sitting, each sitting's own level taken out."),
    "times": (
        "Response times",
        "How many trials took how long. Left of a dashed line nobody can have seen it.",
    ),
    "confusion": (
        "Answers beside the consensus",
        "Chance of each answer for items of each consensus class: the diagonal is agreement. Rows with few items lean "
        "on all annotators together.",
    ),
}


@require_GET
@never_cache
def annotators_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Describe every annotator in a line."""
    project = managed_project(request.user, slug)
    facts = annotators_of(project)
    context = frame(project, "annotators", freshness_of(project, facts, details=True))
    if facts is not None:
        found = Annotator.objects.filter(project=project).defer("drawn").in_bulk([row["id"] for row in facts["rows"]])
        rows = [
            {**row, "annotator": found[row["id"]], "why": [(reason_words(name), n) for name, n in row["reasons"]]}
            for row in facts["rows"]
            if row["id"] in found
        ]
        context |= {
            "facts": facts, "rows": rows,
            "with_gold": any(row["n_gold"] for row in rows), "with_given": any(row["n_given"] for row in rows),
            "with_repeats": any(row["n_repeats"] for row in rows),
            "with_consensus": any(row["agrees"] is not None for row in rows),
        }  # fmt: skip
    return render(request, "mining/annotators.html", context)


@require_GET
@never_cache
def annotator_page(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Describe one annotator: every figure with its interval, or why it is unknown, and the course of times."""
    project = managed_project(request.user, slug)
    annotator = get_object_or_404(Annotator.objects.defer("drawn"), project=project, pk=pk)
    facts = annotators_of(project)
    context = {**frame(project, "annotators", freshness_of(project, facts, details=True)), "annotator": annotator}
    row = next((row for row in (facts or {}).get("rows", []) if row["id"] == pk), None)
    page = annotator_of(project, pk)
    if facts is not None and row is not None and page is not None:
        names = _classes(project)
        context |= {
            "facts": facts, "row": row, "n_sittings": page["n_sittings"],
            "lines": facts_of(row, facts["median_of_medians_ms"], facts["fast_guess_ms"]),
            "charts": [
                {"chart": {"title": title, "alt": text}, "address": _chart_address(project, annotator, name)}
                for name, (title, text) in CHARTS.items()
                if chart_of(name, page, names, facts["fast_guess_ms"]) is not None
            ],
            "confusions": [
                {**one, "right": names[one["right"]], "said": names[one["said"]]}
                for one in (page["confusion"] or {}).get("largest", [])
                if max(one["right"], one["said"]) < len(names)
            ],
        }  # fmt: skip
    return render(request, "mining/annotator.html", context)


@require_GET
def annotator_chart(request: HttpRequest, slug: str, pk: int, name: str) -> HttpResponse:
    """Return the Vega-Lite specification of one chart of an annotator."""
    project = managed_project(request.user, slug)
    facts, page = annotators_of(project), annotator_of(project, pk)
    spec = chart_of(name, page, _classes(project), facts["fast_guess_ms"]) if facts and page else None
    if spec is None:
        raise Http404("There is no such chart.")
    response = JsonResponse(spec)
    response["Cache-Control"] = "private, max-age=10"
    return response


def _classes(project: Project) -> list[str]:
    return list(LabelClass.objects.filter(project=project).order_by("code").values_list("name", flat=True))


def _chart_address(project: Project, annotator: Annotator, name: str) -> str:
    return reverse("annotator_chart", args=[project.slug, annotator.pk, name])
