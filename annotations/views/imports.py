"""The page that takes images."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from annotations.forms import ImportForm
from annotations.models import Project
from annotations.selectors.access import managed_project
from annotations.services.uploads import import_upload
from hardness_site.jobs.models import Job

JOBS_SHOWN = 5


@require_http_methods(["GET", "HEAD", "POST"])
def import_images(request: HttpRequest, slug: str) -> HttpResponse:
    """Take a zip archive or image files, and go to the page of the job that imports them.

    The page's module sends the files itself, to show how far they are, and asks for JSON; without it the browser's
    own form does the same.
    """
    project = managed_project(request.user, slug)
    wants_json = request.headers.get("Accept", "").startswith("application/json")
    takes_boxes = project.unit == Project.Unit.OBJECT and not project.draws_boxes
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ImportForm(*sent, takes_boxes=takes_boxes)
    if request.method == "POST" and form.is_valid():
        job = import_upload(
            project=project,
            files=form.cleaned_data["images"],
            labels_from_folders=form.cleaned_data["labels_from_folders"],
            boxes_in_shares=form.cleaned_data.get("boxes_in_shares", False),
            created_by=request.user,
        )
        if wants_json:
            return JsonResponse({"next": reverse("job", args=[job.pk])})
        return redirect("job", job.pk)
    if request.method == "POST" and wants_json:
        problems = [str(problem) for found in form.errors.values() for problem in found]
        return JsonResponse({"problems": problems}, status=422)
    return render(
        request,
        "annotations/import_images.html",
        {
            "project": project,
            "section": "items",
            "form": form,
            "takes_boxes": takes_boxes,
            "classes": project.classes.order_by("code"),
            "max_files": settings.DATA_UPLOAD_MAX_NUMBER_FILES or 0,
            "jobs": Job.objects.filter(scope=project.scope, kind__startswith="import_")[:JOBS_SHOWN],
        },
        status=422 if request.method == "POST" else 200,
    )
