"""Predictions over HTTP: send them, follow the check, see what there is, remove them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import IO, Any

from django.core.exceptions import TooManyFilesSent
from django.http import HttpRequest
from django.urls import reverse
from ninja import Router, Schema, Status
from ninja.errors import HttpError
from pydantic import Field

from annotations.api.auth import program_or_person
from annotations.api.schemas import ErrorOut
from annotations.models import ApiToken
from annotations.selectors.access import managed_project
from hardness_site.jobs.models import Job, JobMessage
from mining.prediction_checks import MOST_PROBLEMS, PredictionsRefused
from mining.selectors.choices import imported_predictions
from mining.selectors.predictions import IN_SAMPLE_WARNING
from mining.services.prediction_uploads import (
    IMPORT_PREDICTIONS,
    MOST_UPLOAD_BYTES,
    PIECE_BYTES,
    import_uploaded_predictions,
    streamed,
)
from mining.services.predictions import drop_predictions

router = Router(tags=["predictions"])
SEND = program_or_person(ApiToken.Scope.PREDICTIONS)
PREDICTIONS = "/projects/{slug}/predictions"
MOST_JSON_BYTES = 32 * 1024**2
SUFFIX_OF = {
    "text/csv": ".csv",
    "application/vnd.apache.parquet": ".parquet",
    "application/x-parquet": ".parquet",
    "application/x-npz": ".npz",
}


class SentOut(Schema):
    """The predictions have been taken in, and are being checked. Ask `url` how that goes."""

    job: int
    status: str
    url: str
    page: str


class ProblemOut(Schema):
    """One thing that is wrong; row 0 is the file as a whole."""

    file: str
    row: int
    problem: str


class ImportOut(Schema):
    """How the check goes: queued, running, succeeded, failed or cancelled. Nothing is stored unless it succeeded."""

    job: int
    status: str
    stage: str
    done: int
    total: int | None
    error: str
    problems: list[ProblemOut]
    learner: str | None = Field(description="The name under which a round uses them, once they are stored.")
    n_predicted: int | None
    n_without_prediction: int | None


class PredictionsOut(Schema):
    """Predictions that the next round can use. `warning` is not empty where they are in-sample."""

    name: str
    learner: str
    n_items: int
    n_without: int
    out_of_fold: bool
    warning: str
    files_are: str
    n_files: int
    imported_at: datetime | None


class RemovedOut(Schema):
    """What was removed."""

    name: str


WHAT_IT_TAKES = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["name", "out_of_fold", "file"],
                    "properties": {
                        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,39}$"},
                        "out_of_fold": {"type": "boolean"},
                        "logits": {"type": "boolean", "default": False},
                        "files_are": {"type": "string", "enum": ["folds", "seeds", "epochs"]},
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
                    },
                }
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["name", "out_of_fold", "item", "classes"],
                    "properties": {
                        "name": {"type": "string"},
                        "out_of_fold": {"type": "boolean"},
                        "item": {"type": "array", "items": {"type": "string"}},
                        "classes": {"type": "array", "items": {"type": "string"}},
                        "probabilities": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
                        "logits": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
                    },
                }
            },
            "text/csv": {"schema": {"type": "string", "format": "binary"}},
            "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.post(
    PREDICTIONS,
    auth=SEND,
    response={202: SentOut, 413: ErrorOut, 415: ErrorOut, 422: ErrorOut},
    url_name="predictions_send",
    openapi_extra=WHAT_IT_TAKES,
)
def send_predictions(request: HttpRequest, slug: str) -> Any:
    """Send class probabilities (or logits) of a model; a job checks every row, and stores all or nothing.

    As a form with one file or several (CSV, Parquet, NPZ, JSON), as JSON of up to 32 MB, or as a file alone in the body
    with `name`, `out_of_fold` and `logits` in the address: that one is streamed, however large. You must say whether
    the predictions are out of fold.
    """
    project = managed_project(request.user, slug)
    kind = (request.content_type or "").lower()
    if int(request.headers.get("Content-Length") or 0) > MOST_UPLOAD_BYTES:
        raise HttpError(413, f"That is more than {MOST_UPLOAD_BYTES // 1024**2:,} MB: split it by items.")
    try:
        if kind == "multipart/form-data":
            said = _said(request.POST)
            files = [(str(file.name), file) for file in request.FILES.getlist("file")]
            job = import_uploaded_predictions(project=project, files=files, created_by=request.user, **said)
        elif kind == "application/json":
            said, body = _from_json(request)
            job = import_uploaded_predictions(
                project=project, files=[("body.json", body)], created_by=request.user, **said
            )
        elif kind in SUFFIX_OF:
            said = _said(request.GET)
            with streamed(_pieces(request)) as whole:
                job = import_uploaded_predictions(
                    project=project, files=[(f"body{SUFFIX_OF[kind]}", whole)], created_by=request.user, **said
                )
        else:
            raise HttpError(
                415, f"Send a form with files, JSON, or one of {', '.join(SUFFIX_OF)}, not {kind or 'nothing'}."
            )
    except PredictionsRefused as reason:
        raise HttpError(422, str(reason)) from None
    except TooManyFilesSent:
        raise HttpError(413, "Too many files in one request: send them in several, or as one file.") from None
    url = reverse("api-1:predictions_import", args=[slug, job.pk])
    return Status(202, {"job": job.pk, "status": job.status, "url": url, "page": reverse("job", args=[job.pk])})


def _pieces(request: HttpRequest) -> Iterator[bytes]:
    while piece := request.read(PIECE_BYTES):
        yield piece


def _said(fields: Any) -> dict[str, Any]:
    """Return what the sender says of the predictions, from a form, the address or JSON; 422 names what is missing."""
    if not fields.get("name"):
        raise HttpError(422, "name is missing: what the model is called, in small letters, digits, - and _.")
    if fields.get("out_of_fold") in (None, ""):
        raise HttpError(
            422,
            "out_of_fold is missing: true where each item was predicted by a model that was not trained on it, "
            "false where it was, or where nobody knows.",
        )
    return {
        "name": str(fields["name"]),
        "out_of_fold": _truth("out_of_fold", fields["out_of_fold"]),
        "logits": _truth("logits", fields.get("logits") or False),
        "files_are": str(fields.get("files_are") or ""),
    }


def _truth(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    known = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False}
    text = str(value).lower()
    if text not in known:
        raise HttpError(422, f"{name} is true or false, not {text[:40]!r}.")
    return known[text]


def _from_json(request: HttpRequest) -> tuple[dict[str, Any], IO[bytes]]:
    raw = request.read(MOST_JSON_BYTES + 1)
    if len(raw) > MOST_JSON_BYTES:
        raise HttpError(413, f"JSON may have {MOST_JSON_BYTES // 1024**2} MB: send a Parquet, NPZ or CSV file instead.")
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise HttpError(422, f"The body is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise HttpError(422, "The body must be a JSON object.")
    said = _said({**content, "logits": False})
    return said, BytesIO(raw)


@router.get(
    PREDICTIONS + "/imports/{job_id}",
    auth=SEND,
    response={200: ImportOut, 404: ErrorOut},
    url_name="predictions_import",
)
def import_progress(request: HttpRequest, slug: str, job_id: int) -> Any:
    """Say how the check of sent predictions goes; after a failure, every problem with its row."""
    project = managed_project(request.user, slug)
    job = Job.objects.filter(pk=job_id, scope=project.scope, kind=IMPORT_PREDICTIONS).first()
    if job is None:
        raise HttpError(404, "There is no such import.")
    lines = job.messages.filter(level=JobMessage.Level.REFUSED).values_list("subject", "text")[:MOST_PROBLEMS]
    return {
        "job": job.pk, "status": job.status, "stage": job.stage, "done": job.progress_done, "total": job.progress_total,
        "error": job.error, "problems": [_problem(subject, text) for subject, text in lines],
        "learner": job.result.get("learner"), "n_predicted": job.result.get("n_predicted"),
        "n_without_prediction": job.result.get("n_without_prediction"),
    }  # fmt: skip


def _problem(subject: str, text: str) -> dict[str, Any]:
    file, _, row = subject.rpartition("row ")
    if not row.isdecimal():
        return {"file": subject, "row": 0, "problem": text}
    return {"file": file.removesuffix(", "), "row": int(row), "problem": text}


@router.get(PREDICTIONS, auth=SEND, response=list[PredictionsOut], url_name="predictions_list")
def list_predictions(request: HttpRequest, slug: str) -> Any:
    """List the imported predictions that the next round can use."""
    project = managed_project(request.user, slug)
    return [
        {
            "files_are": "folds", "n_files": 1, "imported_at": None, **entry,
            "warning": "" if entry["out_of_fold"] else IN_SAMPLE_WARNING,
        }
        for entry in imported_predictions(project)
    ]  # fmt: skip


@router.delete(
    PREDICTIONS + "/{name}", auth=SEND, response={200: RemovedOut, 404: ErrorOut}, url_name="predictions_drop"
)
def remove_predictions(request: HttpRequest, slug: str, name: str) -> Any:
    """Remove imported predictions; rounds that used them keep what they computed."""
    project = managed_project(request.user, slug)
    if not drop_predictions(project=project, name=name):
        raise HttpError(404, "There are no such predictions.")
    return {"name": name}
