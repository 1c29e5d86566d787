"""Verbs for handing items out: lease some to an annotator, take back what was abandoned, open items again."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from annotations.models import Annotator, Item, Project, Trial, WorkSession
from annotations.queue import PUT_BACK, draw_items
from annotations.queue.probes import Probe, probes_for, training_for
from annotations.queue.taking import Box, NewTrial, Taken, take_items, write_trials

from .statements import lock_annotator, outstanding_trials, save_locked

OUTSTANDING_AT_MOST = 60
"""Items one annotator can hold at a time: those ahead, and answers that wait for the network."""
MOST_FRUITLESS = 3
"""Batches in a row of which nothing was to be had. Then others hold what is left just now, and this transaction ends,
so that it does not hold what they wait for; the next call looks again."""


@dataclass(frozen=True, slots=True)
class Lease:
    """An item handed out to an annotator.

    `reissued`: it was handed out before, so that its image may have been seen; its response time only counts where the
    browser knows that it was not.
    """

    trial_id: int
    position: int
    item_id: int
    look: int
    box: Box | None
    reissued: bool
    purpose: str = ""


def lease_items(
    *, annotator_id: int, count: int, holding: Collection[int] = (), session: WorkSession | None = None
) -> list[Lease]:
    """Hand items to the annotator: first those they have already and the browser does not hold, then up to `count`.

    `holding`: ids of the trials the browser has, shown or waiting. The same call after a lost reply returns the same
    trials again.
    """
    with transaction.atomic(savepoint=False):
        annotator = lock_annotator(annotator_id)
        leases = lease_to(annotator, count=count, holding=holding, session=session)
        save_locked(annotator)
    return leases


def lease_to(annotator: Annotator, *, count: int, holding: Collection[int], session: WorkSession | None) -> list[Lease]:
    """Lease as `lease_items` does, to an annotator whom the caller has locked and will save in this transaction."""
    now = timezone.now()
    leases, n_outstanding = _outstanding(annotator, holding=holding, session=session, now=now)
    wanted = min(count - len(leases), OUTSTANDING_AT_MOST - n_outstanding)
    if wanted > 0:
        leases += _lease_new(annotator, wanted=wanted, session=session, now=now)
    return leases


def _lease_until(project: Project, now: datetime.datetime) -> datetime.datetime:
    return now + datetime.timedelta(seconds=project.lease_seconds)


def _outstanding(
    annotator: Annotator, *, holding: Collection[int], session: WorkSession | None, now: datetime.datetime
) -> tuple[list[Lease], int]:
    """Return the leases that the browser does not hold, and the number of all."""
    held = set(holding)
    rows = outstanding_trials(annotator.pk)
    session_id = session.pk if session else None
    leases, moved = [], []
    for pk, position, item_id, look, of_session, times_issued, purpose, *box in rows:
        if pk in held:
            continue
        # In the same tab a reply was lost on its way: what never arrived was never seen.
        is_moved = of_session != session_id
        if is_moved:
            moved.append(pk)
        leases.append(Lease(pk, position, item_id, look, box_of(box), is_moved or times_issued > 1, purpose))
    if moved:
        Trial.objects.filter(pk__in=moved).update(
            session=session, times_issued=F("times_issued") + 1, lease_until=_lease_until(annotator.project, now)
        )
    return leases, len(rows)


def box_of(values: Sequence[float | None]) -> Box | None:
    """Return the box of an item from its four columns; None for a whole image."""
    x, y, width, height = values
    return None if x is None or y is None or width is None or height is None else (x, y, width, height)


def _lease_new(
    annotator: Annotator, *, wanted: int, session: WorkSession | None, now: datetime.datetime
) -> list[Lease]:
    issue = _Issue(annotator, session, now)
    leases = issue.beside(training_for(annotator, wanted))
    fruitless = 0
    while len(leases) < wanted and fruitless < MOST_FRUITLESS and _drawn(annotator):
        missing = wanted - len(leases)
        # What comes between judgments comes only while there are judgments to come between.
        between = probes_for(annotator, missing)
        more = issue.beside(between) + issue.judgments(missing - len(between))
        leases += more
        fruitless = 0 if more else fruitless + 1
    if annotator.drawn_by in PUT_BACK:
        annotator.drawn = []
    return leases


@dataclass(frozen=True, slots=True)
class _Issue:
    """Handing out to one annotator, now."""

    annotator: Annotator
    session: WorkSession | None
    now: datetime.datetime

    def judgments(self, count: int) -> list[Lease]:
        """Lease up to `count` of the items drawn, those of them that can be had."""
        annotator = self.annotator
        batch = annotator.drawn[: -count - 1 : -1] if count > 0 else []
        if not batch:
            return []
        del annotator.drawn[-len(batch) :]
        taken = take_items(batch)
        trials = []
        for item_id in batch:
            chance = 1 / annotator.drawn_from if annotator.drawn_from else None
            annotator.drawn_from = max(1, annotator.drawn_from - 1) if annotator.drawn_from else 0
            if item_id in taken:
                annotator.last_position += 1
                look, position = taken[item_id].look, annotator.last_position
                trials.append(NewTrial(item_id, look, position, chance, annotator.drawn_by))
        leases = self._write(trials, taken)
        refused = taken.keys() - {lease.item_id for lease in leases}
        if refused:
            Item.objects.filter(pk__in=refused).update(taken=F("taken") - 1)
        if len(taken) < len(batch):
            _forget_taken(annotator)
        return leases

    def beside(self, probes: Sequence[Probe]) -> list[Lease]:
        """Lease items beside what they need: nothing is taken from anybody."""
        trials = []
        for probe in probes:
            self.annotator.last_position += 1
            trials.append(
                NewTrial(
                    probe.taken.item_id, probe.taken.look, self.annotator.last_position, probe.chance,
                    str(probe.purpose), probe.purpose,
                )
            )  # fmt: skip
        return self._write(trials, {probe.taken.item_id: probe.taken for probe in probes})

    def _write(self, trials: Sequence[NewTrial], items: dict[int, Taken]) -> list[Lease]:
        annotator = self.annotator
        written = write_trials(
            trials,
            project_id=annotator.project_id,
            annotator_id=annotator.pk,
            session_id=self.session.pk if self.session else None,
            now=self.now,
            lease_until=_lease_until(annotator.project, self.now),
        )
        return [
            Lease(
                pk, trial.position, trial.item_id, trial.look, items[trial.item_id].box, times_issued > 1, trial.purpose
            )
            for trial in trials
            if trial.item_id in written
            for pk, times_issued in [written[trial.item_id]]
        ]


def _drawn(annotator: Annotator) -> bool:
    """Whether something is drawn, after drawing where nothing was. Where nothing was left, nothing is looked for again
    until something opens."""
    if annotator.drawn:
        return True
    reopened = annotator.project.reopened
    if annotator.finished_at_reopened == reopened:
        return False
    drawn = draw_items(annotator, annotator.project)
    annotator.draws += 1
    annotator.drawn = drawn.ids[::-1]
    annotator.drawn_by, annotator.drawn_from = drawn.by, drawn.of
    annotator.finished_at_reopened = -1 if drawn.ids else reopened
    return bool(drawn.ids)


def _forget_taken(annotator: Annotator) -> None:
    """Drop what others have taken since the draw, in one query: towards the end that is most of it."""
    still_open = set(
        Item.objects.filter(pk__in=annotator.drawn, taken__lt=F("needed")).order_by().values_list("pk", flat=True)
    )
    # What is left of the draw stands for what is left of the items it was drawn from.
    share = len(still_open) / len(annotator.drawn) if annotator.drawn else 0
    annotator.drawn = [pk for pk in annotator.drawn if pk in still_open]
    if annotator.drawn_from:
        annotator.drawn_from = max(len(annotator.drawn), round(annotator.drawn_from * share), 1)


def reopen(*, project_ids: Collection[int], redraw: bool = False) -> None:
    """Tell the queue that items of the projects want judgments again: call it in the transaction that made them so.

    `redraw` throws away what is drawn for annotators, so that items of higher priority come next and not after it.
    """
    if redraw:
        Annotator.objects.filter(project_id__in=project_ids).update(drawn=[], version=F("version") + 1)
    Project.objects.filter(pk__in=project_ids).update(reopened=F("reopened") + 1)


def return_leases(*, limit: int = 1000) -> int:
    """Give back leases that have run out, so that the items go to somebody else; return how many.

    Safe to run at any time and several times at once.
    """
    with transaction.atomic():
        expired = list(
            Trial.objects.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
            .filter(state=Trial.State.ISSUED, lease_until__lt=timezone.now())
            .order_by("lease_until")
            .values_list("pk", "item_id", "project_id", "purpose")[:limit]
        )
        if not expired:
            return 0
        Trial.objects.filter(pk__in=[pk for pk, *_ in expired]).update(state=Trial.State.ABANDONED, lease_until=None)
        _give_back(Counter(item_id for _, item_id, _, purpose in expired if not purpose))
        reopen(project_ids={project_id for _, _, project_id, _ in expired})
    return len(expired)


def _give_back(times: Counter[int]) -> None:
    """Lower `taken` of each item by so many; locked in the order of their ids, so that two such calls cannot cross."""
    list(Item.objects.select_for_update().filter(pk__in=times).order_by("pk").values_list("pk", flat=True))
    for count in sorted(set(times.values())):
        Item.objects.filter(pk__in=[pk for pk, n in times.items() if n == count]).update(taken=F("taken") - count)
