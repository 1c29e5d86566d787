"""The page of what describes the items: networks, vectors from files, and groups that stay together."""

from __future__ import annotations

from typing import IO, Any, cast

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from annotations.forms import ManyFilesField, ManyFilesInput
from annotations.models import Project
from annotations.selectors.access import managed_project
from hardness_site.jobs.models import Job
from mining.models import FeatureSource
from mining.networks.process import NORMALISATIONS
from mining.prediction_checks import PredictionsRefused
from mining.selectors.choices import feature_sources, named_groups
from mining.services.feature_sources import MOST_SIDE, drop_source
from mining.services.feature_uploads import IMPORT_SOURCE, KINDS, import_uploaded_source
from mining.services.groups import drop_groups

JOBS_SHOWN = 5


class SourceForm(forms.Form):
    """What every upload here has: a name and files."""

    kind = ""
    name = forms.RegexField(
        r"^[a-z0-9][a-z0-9_-]{0,39}$", label="Name", max_length=40,
        help_text="Small letters, digits, - and _. The same name again replaces what was there.",
        error_messages={"invalid": "Use small letters, digits, - and _, at most 40 of them."},
    )  # fmt: skip

    def declared(self) -> dict[str, Any]:
        """Return what the sender says beside the files, without what was left empty."""
        said = {name: self.cleaned_data[name] for name in self.fields if name not in ("name", "uploads")}
        return {name: value for name, value in said.items() if value not in (None, "")}


class NetworkForm(SourceForm):
    """An embedding network and what it may leave open."""

    kind = "network"
    uploads = ManyFilesField(
        label="The network, one ONNX file", widget=ManyFilesInput(attrs={"accept": ".onnx", "multiple": False})
    )
    normalisation = forms.ChoiceField(
        label="What its pixels are", choices=list(NORMALISATIONS.items()), initial="imagenet"
    )
    width = forms.IntegerField(label="Width of the images", required=False, min_value=4, max_value=MOST_SIDE,
                               help_text="In pixels; only where the network leaves it open.")  # fmt: skip
    height = forms.IntegerField(label="Height of the images", required=False, min_value=4, max_value=MOST_SIDE)
    output = forms.CharField(label="Output", required=False, max_length=200,
                             help_text="Its name; only where there are several.")  # fmt: skip


class VectorsForm(SourceForm):
    """Vectors that were made elsewhere."""

    kind = "file"
    uploads = ManyFilesField(
        label="Parquet or NPZ; or NPY and the list of its items",
        widget=ManyFilesInput(attrs={"accept": ",".join(KINDS["file"][1])}),
    )


class GroupsForm(SourceForm):
    """Which items belong together."""

    kind = "groups"
    uploads = ManyFilesField(
        label="CSV or Parquet: item and its group",
        widget=ManyFilesInput(attrs={"accept": ".csv,.parquet", "multiple": False}),
    )
    column = forms.CharField(label="Column", required=False, max_length=100,
                             help_text="The one with the groups; only where there are several.")  # fmt: skip


FORMS: tuple[type[SourceForm], ...] = (NetworkForm, VectorsForm, GroupsForm)


@require_http_methods(["GET", "HEAD", "POST"])
def features_page(request: HttpRequest, slug: str) -> HttpResponse:
    """List what describes items; a POST keeps files and goes to the page of the job that checks them."""
    project = managed_project(request.user, slug)
    wants_json = request.headers.get("Accept", "").startswith("application/json")
    sent = request.POST.get("kind") if request.method == "POST" else None
    opened: dict[str, SourceForm] = {
        form.kind: form(request.POST, request.FILES, prefix=form.kind) if form.kind == sent else form(prefix=form.kind)
        for form in FORMS
    }
    form = opened.get(sent or "")
    if form is not None and form.is_valid():
        files: list[UploadedFile] = form.cleaned_data["uploads"]
        try:
            job = import_uploaded_source(
                project=project,
                kind=form.kind,
                name=form.cleaned_data["name"],
                files=[(str(file.name), cast(IO[bytes], file)) for file in files],
                declared=form.declared(),
                created_by=request.user,
            )
        except PredictionsRefused as reason:
            form.add_error(None, str(reason))
        else:
            address = reverse("job", args=[job.pk])
            return JsonResponse({"next": address}) if wants_json else redirect(address)
    if form is not None and wants_json:
        problems = [
            f"{form[name].label}: {problem}" if name in form.fields else str(problem)
            for name, found in form.errors.items()
            for problem in found
        ]
        return JsonResponse({"problems": problems}, status=422)
    return _page(request, project, opened, form)


def _page(
    request: HttpRequest, project: Project, opened: dict[str, SourceForm], refused: SourceForm | None
) -> HttpResponse:
    context = {
        "project": project,
        "section": "rounds",
        "sources": feature_sources(project),
        "groups": named_groups(project),
        "forms": opened,
        "refused": refused.kind if refused is not None else "",
        "example": project.items.order_by("ordinal").values_list("path", flat=True).first(),
        "jobs": Job.objects.filter(scope=project.scope, kind=IMPORT_SOURCE)[:JOBS_SHOWN],
    }
    return render(request, "mining/features.html", context, status=422 if refused is not None else 200)


@require_POST
def source_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Forget a network or a file of vectors."""
    project = managed_project(request.user, slug)
    source = get_object_or_404(FeatureSource, pk=pk, project=project)
    drop_source(source=source)
    messages.success(request, f"{source.name} is removed. Rounds that used it keep what they computed.")
    return redirect("features", slug=slug)


@require_POST
def groups_remove(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Forget groups."""
    project = managed_project(request.user, slug)
    try:
        gone = drop_groups(project=project, name=name)
    except PredictionsRefused:
        gone = False
    if gone:
        messages.success(request, f"The groups {name} are removed.")
    else:
        messages.error(request, f"There are no groups {name}.")
    return redirect("features", slug=slug)
