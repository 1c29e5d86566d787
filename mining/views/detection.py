"""Hard negatives of a detector: start the mining, see the DET curve before and after."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from annotations.models import Project
from annotations.selectors.access import managed_project
from mining.selectors.detection import detection_of, detections_of, latest_detection_job
from mining.services.detection import MOST_ROUNDS, DetectionRefused, start_detection

from .access import signed_in


class DetectionForm(forms.Form):
    label: forms.ModelChoiceField = forms.ModelChoiceField(
        label="Object", queryset=None, empty_label="Choose a class", help_text="The class that the detector looks for."
    )
    rounds = forms.IntegerField(
        label="Rounds of mining", min_value=1, max_value=MOST_ROUNDS, initial=2,
        help_text="It stops earlier when nothing new is found.",
    )  # fmt: skip
    photographs = forms.BooleanField(
        label="Also scan scikit-image's photographs", required=False,
        help_text="Fourteen pictures that show no face, for projects whose own images are too small to scan.",
    )  # fmt: skip

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.ModelChoiceField, self.fields["label"])
        field.queryset = project.classes.order_by("code")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def detection_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what mining did to each class's detector, with the form that starts it."""
    project = managed_project(request.user, slug)
    form = DetectionForm(request.POST if request.method == "POST" else None, project=project)
    if form.is_valid():
        try:
            job = start_detection(project=project, created_by=signed_in(request), **form.cleaned_data)
        except DetectionRefused as reason:
            form.add_error(None, str(reason))
        else:
            return redirect("job", pk=job.pk)
    latest = latest_detection_job(project)
    context = {
        "project": project, "section": "rounds", "form": form, "job": latest,
        "results": [_result(project, label.code, result) for label, result in detections_of(project)],
    }  # fmt: skip
    return render(request, "mining/detection.html", context, status=422 if request.method == "POST" else 200)


def _result(project: Project, code: int, result: dict[str, Any]) -> dict[str, Any]:
    detectors = [{**one, "title": detector_title(one["name"])} for one in result["detectors"]]
    before, control = detectors[0], detectors[-1]
    after = detectors[-2]
    missed = [f"{100 * one['missed_at_1_in_1000']:.0f} %" for one in (before, after)]
    title = f"Detection error trade-off of {result['class']}"
    alt = (
        f"Missed objects against false positives; missed at one false positive in 1,000 windows: {missed[0]} before "
        f"mining, {missed[1]} after."
    )
    return {
        **result, "detectors": detectors, "before": before, "after": after, "control": control,
        "factor": _ratio(before, after), "control_factor": _ratio(control, after),
        "chart": {"title": title, "alt": alt},
        "address": reverse("detection_chart", args=[project.slug, code]),
    }  # fmt: skip


def _ratio(one: dict[str, Any], other: dict[str, Any]) -> float | None:
    return one["false_positive_rate"] / other["false_positive_rate"] if other["false_positive_rate"] else None


def detector_title(name: str) -> str:
    """Return the name of a detector for people: "round 2" becomes "After round 2"."""
    titles = {"before": "Random negatives only", "control": "Random control, as many negatives"}
    return titles.get(name, f"After {name}")


@require_GET
def detection_chart(request: HttpRequest, slug: str, code: int) -> HttpResponse:
    """Return the DET curves of one class as a Vega-Lite specification."""
    result = detection_of(managed_project(request.user, slug), code)
    if result is None:
        raise Http404("No detector of that class was mined.")
    rows = [
        {"detector": detector_title(one["name"]), "false_positives": false, "missed": missed}
        for one in result["detectors"]
        for false, missed in one["curve"]
    ]
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json", "width": "container", "height": 320,
        "data": {"values": rows}, "mark": {"type": "line", "interpolate": "step-after"},
        "encoding": {
            "x": {"field": "false_positives", "type": "quantitative", "title": "False positives per window",
                  "scale": {"type": "log"}, "axis": {"format": "~e"}},
            "y": {"field": "missed", "type": "quantitative", "title": "Missed objects"},
            "color": {"field": "detector", "type": "nominal", "title": None, "sort": None,
                      "legend": {"orient": "bottom", "columns": 2}},
            "strokeDash": {"field": "detector", "type": "nominal", "sort": None, "legend": None},
        },
    }  # fmt: skip
    return JsonResponse(spec)
