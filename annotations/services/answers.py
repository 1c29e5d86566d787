"""Verbs for answers: give one, skip, correct. Each writes all it has to in one transaction, or nothing."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from annotations.models import Annotation, Annotator, EventBatch, Item, LabelClass, Project, Trial
from annotations.timing import durations

from .at_once import usual_answer, write_at_once
from .leases import Lease, lease_to
from .statements import add_annotation, add_events, close_trial, count_item, lock_annotator, save_locked
from .trials import OTHER_TAB, SKIPPED, open_work_session, protocol_of, timed

OUT_OF_TIME = "out_of_time"
"""The skip reason of a trial whose time limit passed."""

SKIP_REASONS = {
    "cannot_tell": "I cannot tell",
    "no_class_fits": "No class fits",
    "poor_image": "The image is broken or too poor",
    "other": "Another reason",
}


class AnswerRefused(Exception):
    """An answer that cannot be taken. The message says why; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What comes with an answer or a skip, whatever it says."""

    client_key: str
    events: Sequence[Any] = ()
    session_key: str = ""
    holding: Sequence[int] = ()
    want: int = 0
    comment: str = ""
    received_at: datetime.datetime = field(default_factory=timezone.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What an annotator gets back: their counts, and items handed out with the reply."""

    annotator: Annotator
    next: list[Lease]
    repeated: bool = False
    """The same submission had been saved before; nothing was written now."""


def answer_trial(*, trial: Trial, label_id: int, submission: Submission) -> Saved:
    """Save the answer to a trial with its events and durations, and hand out what comes next.

    `trial`: with its project and session, of the annotator who answers (`selectors.trials.own_trial`). `label_id`: a
    class of the project. The same submission again changes nothing and gets the same reply. An answer to a trial that
    was given back in the meantime is kept too: the item then has one judgment more than it needed. Raises
    AnswerRefused for a trial that has another answer.
    """
    check_wants_class(trial)
    columns = {**end_columns(trial, submission), "state": Trial.State.ANSWERED}
    usual = usual_answer(
        trial, label_id=label_id, columns=columns, client_key=submission.client_key, events=submission.events,
        holding=submission.holding, want=submission.want, same_tab=_is_same_tab(trial, submission),
    )  # fmt: skip
    if usual is not None and (written := write_at_once(usual)) is not None:
        return Saved(annotator=written[0], next=written[1])

    def write(annotator: Annotator, from_state: str) -> None:
        add_annotation(
            trial_id=trial.pk, label_id=label_id, client_key=submission.client_key, now=submission.received_at
        )
        if not trial.purpose:
            count_item(trial.item_id, answered=1, taken=1 if from_state == Trial.State.ABANDONED else 0)
        annotator.n_answered += 1

    return submit_once(trial, columns, submission, write)


def skip_trial(*, trial: Trial, reason: str, submission: Submission) -> Saved:
    """Skip a trial with a reason out of SKIP_REASONS. The item goes to somebody else, never to this annotator again."""
    if reason not in SKIP_REASONS:
        raise AnswerRefused(f"No reason is called “{reason[:40]}”: give one of {', '.join(SKIP_REASONS)}.")
    return _skip(trial, reason, end_columns(trial, submission, skipped=True), submission)


def end_trial_out_of_time(*, trial: Trial, submission: Submission) -> Saved:
    """Close a trial whose time limit passed without an answer: its response took longer than the limit.

    The item goes to somebody else, as after a skip; what is known of its time counts all the same.
    """
    return _skip(trial, OUT_OF_TIME, end_columns(trial, submission), submission)


def _skip(trial: Trial, reason: str, columns: dict[str, Any], submission: Submission) -> Saved:
    def write(annotator: Annotator, from_state: str) -> None:
        if not trial.purpose:
            count_item(trial.item_id, skipped=1, taken=0 if from_state == Trial.State.ABANDONED else -1)
            _reopen_if_it_was_full(trial)
        annotator.n_skipped += 1

    return submit_once(trial, {**columns, "state": Trial.State.SKIPPED, "skip_reason": reason}, submission, write)


def correct_answer(*, trial: Trial, label_id: int, submission: Submission) -> Saved:
    """Put another answer in the place of the one given. The response time stays that of the first answer.

    A trial that was skipped is answered by it, without a response time. Raises AnswerRefused where there is neither.
    """
    check_wants_class(trial)
    try:
        with transaction.atomic():
            annotator = lock_annotator(trial.annotator_id)
            current = Annotation.objects.select_for_update().filter(trial=trial, is_current=True).first()
            if Annotation.objects.filter(trial=trial, client_key=submission.client_key).exists():
                return Saved(annotator=annotator, next=[], repeated=True)
            if current is None:
                _answer_skipped(trial, annotator)
            elif current.label_id != label_id:
                Annotation.objects.filter(pk=current.pk).update(is_current=False)
            else:
                return Saved(annotator=annotator, next=[])
            Annotation.objects.create(
                trial=trial, label_id=label_id, client_key=submission.client_key, supersedes=current
            )
            if submission.events:
                EventBatch.objects.create(trial=trial, events=list(submission.events), is_correction=True)
            return Saved(annotator=annotator, next=[])
    except IntegrityError as error:
        raise key_used() from error


def check_wants_class(trial: Trial) -> None:
    """Raise AnswerRefused for a trial in which boxes are to be drawn."""
    if trial.project.draws_boxes and Item.objects.filter(pk=trial.item_id, box_width__isnull=True).exists():
        raise AnswerRefused("Boxes are to be drawn in this image: send them to …/boxes.")


def end_columns(trial: Trial, submission: Submission, *, skipped: bool = False) -> dict[str, Any]:
    """Return the columns that a trial gets with its end: its durations, and what came with the submission."""
    other_tab = bool(trial.session and submission.session_key and trial.session.client_key != submission.session_key)
    remembered = [flag for flag, holds in ((OTHER_TAB, other_tab), (SKIPPED, skipped)) if holds]
    protocol = protocol_of(trial, received_at=submission.received_at, remembered=remembered)
    columns = timed(durations(submission.events, protocol), remembered=remembered)
    return {
        **columns,
        "received_at": submission.received_at,
        "lease_until": None,
        "skip_reason": "",
        "comment": submission.comment,
    }


def submit_once(trial: Trial, columns: dict[str, Any], submission: Submission, write: Any) -> Saved:
    """Close a trial with its events and lease what is wanted, in one transaction; `write(annotator, state before)` adds
    what was answered. The same submission again changes nothing. AnswerRefused for a trial that has another answer.
    """
    try:
        with transaction.atomic():
            annotator = lock_annotator(trial.annotator_id)
            state = _close(trial, columns)
            if state is not None:
                write(annotator, state)
                add_events(
                    trial_id=trial.pk,
                    events=submission.events,
                    client_key=submission.client_key,
                    now=submission.received_at,
                )
            elif not _is_repeated(trial, submission):
                raise AnswerRefused("This item has been answered already: correct that answer instead.")
            leases: list[Lease] = []
            if submission.want > 0:
                session = _session(trial, submission)
                leases = lease_to(annotator, count=submission.want, holding=submission.holding, session=session)
            save_locked(annotator)
    except IntegrityError as error:
        raise key_used() from error
    return Saved(annotator=annotator, next=leases, repeated=state is None)


def _close(trial: Trial, columns: dict[str, Any]) -> str | None:
    """Move the trial on by compare-and-set; return the state it had, or None where it was answered or skipped."""
    for state in (Trial.State.ISSUED, Trial.State.ABANDONED):
        if close_trial(trial.pk, from_state=state, columns=columns):
            return state
    return None


def _is_repeated(trial: Trial, submission: Submission) -> bool:
    return EventBatch.objects.filter(trial=trial, client_key=submission.client_key).exists()


def _is_same_tab(trial: Trial, submission: Submission) -> bool:
    """Whether the answer comes from the sitting that the trial belongs to, as far as it says."""
    key = submission.session_key
    return not key or (trial.session is not None and trial.session.client_key == key)


def _session(trial: Trial, submission: Submission) -> Any:
    """Return the sitting that what is handed out belongs to; in nearly every case the one the trial belongs to."""
    if _is_same_tab(trial, submission):
        return trial.session
    return open_work_session(annotator=trial.annotator, client_key=submission.session_key)


def _answer_skipped(trial: Trial, annotator: Annotator) -> None:
    """Turn a skip into an answer. A trial without either is not corrected but answered."""
    if not Trial.objects.filter(pk=trial.pk, state=Trial.State.SKIPPED).update(
        state=Trial.State.ANSWERED, skip_reason=""
    ):
        raise AnswerRefused("This item has no answer yet that could be corrected.")
    if not trial.purpose:
        count_item(trial.item_id, taken=1, answered=1, skipped=-1)
    annotator.n_answered += 1
    annotator.n_skipped = max(0, annotator.n_skipped - 1)
    save_locked(annotator)


def _reopen_if_it_was_full(trial: Trial) -> None:
    """Where the skip opened the item again, annotators who had finished look again."""
    opened = Item.objects.filter(pk=trial.item_id, taken=F("needed") - 1)
    Project.objects.filter(pk__in=opened.values("project_id")).update(reopened=F("reopened") + 1)


def key_used() -> AnswerRefused:
    """Return the refusal of a submission whose key another one had."""
    return AnswerRefused("This submission has the key of another one: make a new key for each answer.")


def class_of(project: Project, code: int) -> int | None:
    """Return the id of the project's class with that code, or None."""
    return LabelClass.objects.filter(project=project, code=code).values_list("pk", flat=True).first()
