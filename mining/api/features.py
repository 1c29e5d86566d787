"""Features over HTTP: send a network, vectors or groups, follow the check, see what there is, remove it."""

from __future__ import annotations

from datetime import datetime
from typing import IO, Any, Literal, cast

from django.http import HttpRequest
from django.urls import reverse
from ninja import File, Form, Router, Schema, Status
from ninja.errors import HttpError
from ninja.files import UploadedFile
from pydantic import Field

from annotations.api.auth import program_or_person
from annotations.api.schemas import ErrorOut
from annotations.models import ApiToken
from annotations.selectors.access import managed_project
from hardness_site.jobs.models import Job, JobMessage
from mining.models import FeatureSource
from mining.prediction_checks import MOST_PROBLEMS, PredictionsRefused
from mining.selectors.choices import feature_sources
from mining.services.feature_sources import MOST_SIDE, drop_source
from mining.services.feature_uploads import IMPORT_SOURCE, import_uploaded_source

from .predictions import ProblemOut, RemovedOut, SentOut, problem_of

router = Router(tags=["features"])
SEND = program_or_person(ApiToken.Scope.PREDICTIONS)
FEATURES = "/projects/{slug}/features"


class SourceIn(Schema):
    """What is said beside the files; `normalisation` and below are of networks, `column` of groups."""

    kind: Literal["network", "file", "groups"]
    name: str
    normalisation: Literal["imagenet", "unit", "minus_one_to_one", "raw", "model"] = "imagenet"
    width: int | None = Field(default=None, ge=4, le=MOST_SIDE)
    height: int | None = Field(default=None, ge=4, le=MOST_SIDE)
    output: str = ""
    column: str = ""


class SourceCheckOut(Schema):
    """How the check goes: queued, running, succeeded, failed or cancelled. Nothing is stored unless it succeeded."""

    job: int
    status: str
    error: str
    problems: list[ProblemOut]
    choice: str | None = Field(description="What a round calls it (`feature_kind`), once it is stored.")


class SourceOut(Schema):
    """A network or vectors that the next round can use, as `feature_kind` = `choice`."""

    kind: str
    name: str
    choice: str
    sha256: str
    dimension: int
    n_items: int | None
    created_at: datetime


@router.post(FEATURES, auth=SEND, response={202: SentOut, 422: ErrorOut}, url_name="features_send")
def send_source(request: HttpRequest, slug: str, said: Form[SourceIn], file: File[list[UploadedFile]]) -> Any:
    """Send a network (ONNX), vectors (Parquet, NPZ, or NPY and a list of items) or groups; a job checks it."""
    project = managed_project(request.user, slug)
    asked = said.dict(exclude={"kind", "name"}, exclude_none=True)
    of_kind = {"network": ("normalisation", "width", "height", "output"), "file": (), "groups": ("column",)}[said.kind]
    try:
        job = import_uploaded_source(
            project=project,
            kind=said.kind,
            name=said.name,
            files=[(str(one.name), cast(IO[bytes], one)) for one in file],
            declared={name: asked[name] for name in of_kind if asked.get(name)},
            created_by=request.user,
        )
    except PredictionsRefused as reason:
        raise HttpError(422, str(reason)) from None
    url = reverse("api-1:features_import", args=[slug, job.pk])
    return Status(202, {"job": job.pk, "status": job.status, "url": url, "page": reverse("job", args=[job.pk])})


@router.get(
    FEATURES + "/imports/{job_id}",
    auth=SEND,
    response={200: SourceCheckOut, 404: ErrorOut},
    url_name="features_import",
)
def source_progress(request: HttpRequest, slug: str, job_id: int) -> Any:
    """Say how the check of a sent network, vectors or groups goes; after a failure, every problem with its row."""
    project = managed_project(request.user, slug)
    job = Job.objects.filter(pk=job_id, scope=project.scope, kind=IMPORT_SOURCE).first()
    if job is None:
        raise HttpError(404, "There is no such import.")
    lines = job.messages.filter(level=JobMessage.Level.REFUSED).values_list("subject", "text")[:MOST_PROBLEMS]
    problems = [problem_of(subject, text) for subject, text in lines]
    return {"job": job.pk, "status": job.status, "error": job.error, "problems": problems,
            "choice": job.result.get("choice")}  # fmt: skip


@router.get(FEATURES, auth=SEND, response=list[SourceOut], url_name="features_list")
def list_sources(request: HttpRequest, slug: str) -> Any:
    """List the networks and vectors that the next round can use."""
    return feature_sources(managed_project(request.user, slug))


@router.delete(
    FEATURES + "/{kind}/{name}", auth=SEND, response={200: RemovedOut, 404: ErrorOut}, url_name="features_drop"
)
def remove_source(request: HttpRequest, slug: str, kind: str, name: str) -> Any:
    """Remove a network or vectors; rounds that used it keep what they computed."""
    project = managed_project(request.user, slug)
    source = FeatureSource.objects.filter(project=project, kind=kind, name=name).first()
    if source is None:
        raise HttpError(404, "There are no such features.")
    drop_source(source=source)
    return {"name": name}
