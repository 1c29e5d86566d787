"""The page of predictions of a model from elsewhere: what there is, and the form that takes more."""

from __future__ import annotations

from typing import IO, Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods, require_POST

from annotations.forms import ManyFilesField, ManyFilesInput
from annotations.models import Project
from annotations.selectors.access import managed_project
from hardness_site.jobs.models import Job
from mining.prediction_checks import PredictionsRefused
from mining.selectors.choices import imported_predictions
from mining.services.prediction_uploads import IMPORT_PREDICTIONS, SUFFIXES, import_uploaded_predictions
from mining.services.predictions import FILES_ARE, drop_predictions

JOBS_SHOWN = 5
HONESTY = (
    ("out_of_fold", "Out of fold: each item was predicted by a model that was not trained on it"),
    ("in_sample", "In-sample, or nobody knows: the model was trained on these items"),
)


class PredictionsForm(forms.Form):
    """A model's name, its files, and what the sender says of them."""

    name = forms.RegexField(
        r"^[a-z0-9][a-z0-9_-]{0,39}$", label="Name of the model", max_length=40,
        help_text="Small letters, digits, - and _. The same name again replaces what was there.",
        error_messages={"invalid": "Use small letters, digits, - and _, at most 40 of them."},
    )  # fmt: skip
    uploads = ManyFilesField(label="One file, or several", widget=ManyFilesInput(attrs={"accept": ",".join(SUFFIXES)}))
    files_are = forms.ChoiceField(
        label="Several files are", required=False,
        choices=[("", "One file only"), *((name, words) for name, words in FILES_ARE.items())],
    )  # fmt: skip
    honesty = forms.ChoiceField(
        label="How were they made?", widget=forms.RadioSelect, choices=HONESTY,
        help_text="What is made from in-sample predictions carries a warning wherever it is shown.",
    )  # fmt: skip
    logits = forms.BooleanField(
        label="The values are logits", required=False, help_text="Otherwise they are probabilities that sum to 1."
    )


@require_http_methods(["GET", "HEAD", "POST"])
def predictions_page(request: HttpRequest, slug: str) -> HttpResponse:
    """List imported predictions; a POST keeps files and goes to the page of the job that checks them."""
    project = managed_project(request.user, slug)
    wants_json = request.headers.get("Accept", "").startswith("application/json")
    form = PredictionsForm(request.POST, request.FILES) if request.method == "POST" else PredictionsForm()
    if request.method == "POST" and form.is_valid():
        try:
            job = _take_in(request, project, form.cleaned_data)
        except PredictionsRefused as reason:
            form.add_error(None, str(reason))
        else:
            address = reverse("job", args=[job.pk])
            return JsonResponse({"next": address}) if wants_json else redirect(address)
    if request.method == "POST" and wants_json:
        problems = [
            f"{form[name].label}: {problem}" if name in form.fields else str(problem)
            for name, found in form.errors.items()
            for problem in found
        ]
        return JsonResponse({"problems": problems}, status=422)
    return _page(request, project, form)


def _take_in(request: HttpRequest, project: Project, said: dict[str, Any]) -> Job:
    files: list[UploadedFile] = said["uploads"]
    return import_uploaded_predictions(
        project=project,
        name=said["name"],
        files=[(str(file.name), cast(IO[bytes], file)) for file in files],
        out_of_fold=said["honesty"] == "out_of_fold",
        logits=said["logits"],
        files_are=said["files_are"],
        created_by=request.user,
    )


def _page(request: HttpRequest, project: Project, form: PredictionsForm) -> HttpResponse:
    imported = [
        {**entry, "kind": FILES_ARE.get(entry.get("files_are", ""), ""), "at": _moment(entry.get("imported_at"))}
        for entry in imported_predictions(project)
    ]
    context = {
        "project": project,
        "section": "rounds",
        "form": form,
        "imported": imported,
        "classes": list(project.classes.order_by("code")[:3]),
        "n_classes": project.classes.count(),
        "example": project.items.order_by("ordinal").values_list("path", flat=True).first(),
        "max_files": settings.DATA_UPLOAD_MAX_NUMBER_FILES or 0,
        "jobs": Job.objects.filter(scope=project.scope, kind=IMPORT_PREDICTIONS)[:JOBS_SHOWN],
        "api": request.build_absolute_uri(reverse("api-1:predictions_send", args=[project.slug])),
    }
    return render(request, "mining/predictions.html", context, status=422 if form.errors else 200)


def _moment(text: str | None) -> Any:
    return parse_datetime(text) if text else None


@require_POST
def predictions_remove(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Forget imported predictions."""
    project = managed_project(request.user, slug)
    if drop_predictions(project=project, name=name):
        messages.success(request, f"The predictions {name} are removed. Rounds that used them keep what they computed.")
    else:
        messages.error(request, f"There are no predictions {name}.")
    return redirect("predictions", slug=slug)
