"""Verbs for sittings and for the durations of trials."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch, QuerySet

from annotations.models import Annotator, DrawnBox, EventBatch, Item, Project, Trial, WorkSession
from annotations.timing import VERSION, BoxTimes, Durations, Protocol, Reason, box_times, durations

TIMED_FIELDS = (
    "response_ms", "null_reason", "censored_at_ms", "paid_ms", "download_ms", "decode_ms", "paint_ms",
    "first_input_ms", "key_hold_ms", "frame_ms", "exposure_ms", "exposure_frames", "timing_version", "flags",
)  # fmt: skip
BOX_TIMES = (
    "response_ms", "null_reason", "search_ms", "draw_ms", "class_ms", "edit_ms", "n_edits", "drawn_by",
    "timing_version",
)  # fmt: skip
OTHER_TAB = "other_tab"
SKIPPED = "skipped"
REMEMBERED = (OTHER_TAB, SKIPPED)
"""Flags that the server sets and the events need not hold."""


def open_work_session(
    *, annotator: Annotator, client_key: str, user_agent: str = "", screen: dict[str, Any] | None = None,
    clock: dict[str, Any] | None = None,
) -> WorkSession:  # fmt: skip
    """Return the sitting of that browser tab, made at the first call."""
    session, made = WorkSession.objects.get_or_create(
        annotator=annotator,
        client_key=client_key,
        defaults={"user_agent": user_agent[:300], "screen": screen or {}, "clock": clock or {}},
    )
    if not made:
        session.save(update_fields=["last_seen_at"])
    return session


def protocol_of(trial: Trial, *, received_at: datetime.datetime | None, remembered: Collection[str] = ()) -> Protocol:
    """Return what the rules need to know of a trial and its project beside the events."""
    bracket = None if received_at is None else (received_at - trial.issued_at).total_seconds() * 1000
    return Protocol(
        floor_ms=trial.project.floor_ms,
        bracket_ms=bracket,
        resumed=trial.times_issued > 1,
        other_tab=OTHER_TAB in remembered,
        skipped=SKIPPED in remembered,
    )


def timed(result: Durations, *, remembered: Iterable[str] = ()) -> dict[str, Any]:
    """Return the columns of a trial that hold its durations."""
    return {
        "response_ms": result.response_ms,
        "null_reason": "" if result.null_reason is None else str(result.null_reason),
        "censored_at_ms": result.censored_at_ms,
        "paid_ms": result.paid_ms,
        "download_ms": result.download_ms,
        "decode_ms": result.decode_ms,
        "paint_ms": result.paint_ms,
        "first_input_ms": result.first_input_ms,
        "key_hold_ms": result.key_hold_ms,
        "frame_ms": result.frame_ms,
        "exposure_ms": result.exposure_ms,
        "exposure_frames": result.exposure_frames,
        "timing_version": result.version,
        "flags": [*result.flags, *(flag for flag in remembered if flag not in result.flags)],
    }


@dataclass(frozen=True, slots=True)
class TimingChange:
    """A trial whose durations came out otherwise than before."""

    trial_id: int
    fields: tuple[str, ...]
    old_response_ms: float | None
    new_response_ms: float | None
    old_reason: str
    new_reason: str


def recompute_timing(
    *, project: Project | None = None, every: bool = False, dry_run: bool = False, chunk: int = 500
) -> Iterator[TimingChange]:
    """Derive the durations of trials again from their events; yield those that changed.

    Only trials measured in the browser that an older version of the rules derived, unless `every`.
    The events are never changed. Each chunk is saved as it is done, so a run can be broken off and begun again.
    """
    trials = Trial.objects.filter(source=Trial.Source.BROWSER, timing_version__gt=0)
    if project is not None:
        trials = trials.filter(project=project)
    if not every:
        trials = trials.exclude(timing_version=VERSION)
    after = 0
    while page := _page(trials, after=after, chunk=chunk):
        after = page[-1].pk
        changed = [change for trial in page if (change := _derive_again(trial)) is not None]
        if not dry_run:
            Trial.objects.bulk_update(page, TIMED_FIELDS)
            recompute_boxes(page)
        yield from changed


def recompute_boxes(trials: Sequence[Trial]) -> int:
    """Derive the times of boxes drawn in these trials (with their `batches`) again; return how many changed.

    Boxes that came with a correction have no times and keep none. Images of changed boxes are to be matched again.
    """
    boxes: dict[int, list[DrawnBox]] = {}
    for box in DrawnBox.objects.filter(trial__in=trials, timing_version__gt=0).order_by("pk"):
        if box.null_reason != Reason.REVISITED:
            boxes.setdefault(box.trial_id, []).append(box)
    changed = []
    for trial in trials:
        own = boxes.get(trial.pk, [])
        # `batches` is prefetched under that name, which types cannot see; here and in `_derive_again`.
        events = [event for batch in trial.batches for event in batch.events] if own else []  # type: ignore[attr-defined]
        remembered = [flag for flag in trial.flags if flag in REMEMBERED]
        protocol = protocol_of(trial, received_at=trial.received_at, remembered=remembered)
        times = box_times(events, [box.number for box in own], protocol)
        for box in own:
            columns = box_columns(times[box.number])
            if any(getattr(box, name) != value for name, value in columns.items()):
                for name, value in columns.items():
                    setattr(box, name, value)
                changed.append(box)
    DrawnBox.objects.bulk_update(changed, BOX_TIMES, batch_size=500)
    Item.objects.filter(trials__boxes__in=changed, box_width__isnull=True).update(unmatched=True)
    return len(changed)


def box_columns(times: BoxTimes) -> dict[str, Any]:
    """Return the columns of a drawn box that hold its times."""
    return {
        "response_ms": times.response_ms,
        "null_reason": "" if times.null_reason is None else str(times.null_reason),
        "search_ms": times.search_ms,
        "draw_ms": times.draw_ms,
        "class_ms": times.class_ms,
        "edit_ms": times.edit_ms,
        "n_edits": min(times.n_edits, 32_767),
        "drawn_by": times.drawn_by,
        "timing_version": times.version,
    }


def _page(trials: QuerySet[Trial], *, after: int, chunk: int) -> list[Trial]:
    of_answers = EventBatch.objects.filter(is_correction=False).order_by("pk")
    batches = Prefetch("event_batches", queryset=of_answers, to_attr="batches")
    return list(trials.filter(pk__gt=after).order_by("pk").select_related("project").prefetch_related(batches)[:chunk])


def _derive_again(trial: Trial) -> TimingChange | None:
    batches: Sequence[EventBatch] = trial.batches  # type: ignore[attr-defined]
    remembered = [flag for flag in trial.flags if flag in REMEMBERED]
    events = [event for batch in batches for event in batch.events]
    protocol = protocol_of(trial, received_at=trial.received_at, remembered=remembered)
    columns = timed(durations(events, protocol), remembered=remembered)
    fields = tuple(
        name for name, value in columns.items() if name != "timing_version" and getattr(trial, name) != value
    )
    change = TimingChange(
        trial.pk, fields, trial.response_ms, columns["response_ms"], trial.null_reason, columns["null_reason"]
    )
    for name, value in columns.items():
        setattr(trial, name, value)
    return change if fields else None
