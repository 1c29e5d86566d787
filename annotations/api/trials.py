"""The workbench's part of the API. One request records an answer and brings the next items."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router
from ninja.errors import HttpError

from annotations.models import Annotator, Trial
from annotations.selectors.access import project_for
from annotations.selectors.progress import others_hold_items
from annotations.services.answers import (
    AnswerRefused,
    Saved,
    Submission,
    answer_trial,
    correct_answer,
    end_trial_out_of_time,
    skip_trial,
)
from annotations.services.drawn_boxes import Box, answer_with_boxes, correct_boxes
from annotations.services.leases import Lease, lease_items
from annotations.services.members import annotator_for
from annotations.services.trials import open_work_session

from .schemas import AnswerIn, BoxesIn, ErrorOut, NextIn, NextOut, OutOfTimeIn, SavedOut, SkipIn, SubmissionIn
from .signed_in import SignedInLater, own_trial_of

router = Router()
TRIALS = "/projects/{slug}/trials"
REFUSALS: dict[Any, Any] = {404: ErrorOut, 409: ErrorOut, 413: ErrorOut, 422: ErrorOut}
SAVED: dict[str, Any] = {"response": {200: SavedOut, **REFUSALS}, "auth": SignedInLater()}


@router.post(TRIALS + "/next", response={200: NextOut, **REFUSALS}, url_name="trials_next")
def next_items(request: HttpRequest, slug: str, body: NextIn) -> Any:
    """Open or go on with a sitting, and get items: first those handed out before that the browser does not hold."""
    project = project_for(request.user, slug)
    annotator = annotator_for(project, request.user)
    session = open_work_session(
        annotator=annotator,
        client_key=body.session.key,
        user_agent=request.headers.get("User-Agent", ""),
        screen=body.session.screen,
        clock=body.session.clock,
    )
    leases = lease_items(annotator_id=annotator.pk, count=body.want, holding=body.holding, session=session)
    annotator.project = project
    return _json(_reply(annotator, slug, leases, body.want))


@router.post(TRIALS + "/{trial_id}/answer", url_name="trial_answer", **SAVED)
def answer(request: HttpRequest, slug: str, trial_id: int, body: AnswerIn) -> Any:
    """Save an answer with its events, and get the next items. Sent again with the same key, nothing changes."""
    trial = own_trial_of(request, slug, trial_id, label=body.label)
    return _saved(request, slug, body, answer_trial, trial=trial, label_id=_label(trial, body.label))


@router.post(TRIALS + "/{trial_id}/skip", url_name="trial_skip", **SAVED)
def skip(request: HttpRequest, slug: str, trial_id: int, body: SkipIn) -> Any:
    """Skip an item with a reason, and get the next items."""
    return _saved(request, slug, body, skip_trial, trial=own_trial_of(request, slug, trial_id), reason=body.reason)


@router.post(TRIALS + "/{trial_id}/out_of_time", url_name="trial_out_of_time", **SAVED)
def out_of_time(request: HttpRequest, slug: str, trial_id: int, body: OutOfTimeIn) -> Any:
    """Close a trial whose time limit passed without an answer, and get the next items."""
    return _saved(request, slug, body, end_trial_out_of_time, trial=own_trial_of(request, slug, trial_id))


@router.post(TRIALS + "/{trial_id}/correct", url_name="trial_correct", **SAVED)
def correct(request: HttpRequest, slug: str, trial_id: int, body: AnswerIn) -> Any:
    """Put another answer in the place of an earlier one. The response time stays that of the first."""
    trial = own_trial_of(request, slug, trial_id, label=body.label)
    return _saved(request, slug, body, correct_answer, trial=trial, label_id=_label(trial, body.label))


@router.post(TRIALS + "/{trial_id}/boxes", url_name="trial_boxes", **SAVED)
def boxes(request: HttpRequest, slug: str, trial_id: int, body: BoxesIn) -> Any:
    """Save the boxes drawn in an image with their events, and get the next items. No box: nothing is there."""
    trial = own_trial_of(request, slug, trial_id)
    return _saved(request, slug, body, answer_with_boxes, trial=trial, boxes=_boxes(body))


@router.post(TRIALS + "/{trial_id}/correct_boxes", url_name="trial_correct_boxes", **SAVED)
def correct_the_boxes(request: HttpRequest, slug: str, trial_id: int, body: BoxesIn) -> Any:
    """Put other boxes in the place of those drawn first. Boxes that were there keep their times; new ones have none."""
    trial = own_trial_of(request, slug, trial_id)
    return _saved(request, slug, body, correct_boxes, trial=trial, boxes=_boxes(body))


def _boxes(body: BoxesIn) -> list[Box]:
    return [Box(**box.model_dump()) for box in body.boxes]


def _label(trial: Any, code: int) -> int:
    if trial.label_id is None:
        raise HttpError(422, f"No class of this project has the code {code}.")
    return int(trial.label_id)


def _saved(request: HttpRequest, slug: str, body: SubmissionIn, verb: Any, **arguments: Any) -> HttpResponse:
    submission = Submission(
        client_key=body.client_key,
        events=body.events,
        session_key=body.session or "",
        holding=body.holding,
        want=body.want,
        comment=body.comment,
    )
    try:
        saved: Saved = verb(submission=submission, **arguments)
    except AnswerRefused as error:
        raise HttpError(409, str(error)) from error
    reply = _reply(saved.annotator, slug, saved.next, body.want)
    return _json({"saved": True, "repeated": saved.repeated, **reply})


def _json(reply: dict[str, Any]) -> HttpResponse:
    """Return a reply as it is: it was made here, and its schema describes it; to check it each time costs as much as
    reading the answer. That it keeps to the schema is tested."""
    return HttpResponse(json.dumps(reply), content_type="application/json; charset=utf-8")


def _reply(annotator: Annotator, slug: str, leases: list[Lease], want: int) -> dict[str, Any]:
    draws_boxes = annotator.project.draws_boxes
    return {
        "progress": {
            "answered": annotator.n_answered,
            "skipped": annotator.n_skipped,
            "items": annotator.project.n_items,
        },
        "next": [
            {
                "trial": lease.trial_id,
                "position": lease.position,
                "item": lease.item_id,
                "image": reverse("image_file", args=[slug, lease.item_id]),
                "box": lease.box,
                "look": lease.look,
                "reissued": lease.reissued,
                "training": lease.purpose == Trial.Purpose.TRAINING,
                "draw": lease.box is None and draws_boxes,
            }
            for lease in leases
        ],
        "finished": len(leases) < want,
        "held_by_others": len(leases) < want and others_hold_items(annotator),
    }
