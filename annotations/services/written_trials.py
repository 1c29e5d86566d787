"""The one way trials that were not measured here get into a project: imported ones and synthetic ones."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from annotations.intake.trials_csv import RowProblem, TrialRow
from annotations.models import Annotation, Annotator, Item, ItemAlias, LabelClass, Project, Trial

from .members import new_seed

MISSED = "missed"
NOT_RECORDED = "not_recorded"


@dataclass
class Written:
    """What became of some rows."""

    n_new: int = 0
    n_known: int = 0
    n_missed: int = 0
    problems: list[RowProblem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Known:
    label: str | None
    response_ms: float | None


class TrialWriter:
    """Writes rows into a project, some thousand at a time, each call in one transaction.

    A trial is known by its item and annotator: the same row again changes nothing, another answer is refused.
    `kind` says who the annotators are and where the trials come from.
    """

    def __init__(self, project: Project, *, kind: Annotator.Kind, time_limit_ms: float | None = None) -> None:
        self.project = project
        self.kind = kind
        self.source = Trial.Source.SYNTHETIC if kind == Annotator.Kind.SYNTHETIC else Trial.Source.IMPORTED
        self.time_limit_ms = time_limit_ms
        self._classes: dict[str, LabelClass] = {label.name: label for label in project.classes.all()}
        self._annotators: dict[str, Annotator] = {}
        self._seen: dict[tuple[int, int], int] = {}

    @property
    def n_annotators(self) -> int:
        """How many annotators the rows have named so far."""
        return len(self._annotators)

    @transaction.atomic
    def write(self, rows: Sequence[TrialRow]) -> Written:
        """Write the rows that can be; the others come back as problems, in the order of the rows."""
        Project.objects.select_for_update().get(pk=self.project.pk)
        written = Written()
        items = self._items({row.item for row in rows})
        self._make_annotators({row.annotator for row in rows})
        known = self._known(items.values())
        trials: list[Trial] = []
        labels: list[LabelClass | None] = []
        for row in rows:
            try:
                item_id, label = self._check(row, items)
            except ValueError as reason:
                written.problems.append(RowProblem(row.number, str(reason)))
                continue
            annotator = self._annotators[row.annotator]
            there = known.get((item_id, annotator.pk))
            if there is None:
                trials.append(self._trial(row, item_id, annotator))
                labels.append(label)
            elif there == _Known(row.label, row.response_ms):
                written.n_known += 1
            else:
                words = f"{row.annotator} has another answer to {row.item} in the project: that one stays."
                written.problems.append(RowProblem(row.number, words))
        self._save(trials, labels)
        written.n_new = len(trials)
        written.n_missed = sum(label is None for label in labels)
        return written

    def _items(self, paths: set[str]) -> dict[str, int | None]:
        """Return the item of each path; None where several objects have it."""
        found: dict[str, int | None] = dict(
            ItemAlias.objects.filter(project=self.project, path__in=paths).values_list("path", "item_id")
        )
        rows = Item.objects.filter(project=self.project, path__in=paths).values_list("path", "pk")
        for path, pk in rows:
            found[path] = pk if found.get(path, pk) == pk else None
        return found

    def _make_annotators(self, names: set[str]) -> None:
        new = names - self._annotators.keys()
        if not new:
            return
        there = set(Annotator.objects.filter(project=self.project, name__in=new).values_list("name", flat=True))
        Annotator.objects.bulk_create(
            [
                Annotator(project=self.project, name=name, kind=self.kind, seed=new_seed())
                for name in sorted(new - there)
            ]
        )
        for annotator in Annotator.objects.filter(project=self.project, name__in=new):
            self._annotators[annotator.name] = annotator

    def _known(self, item_ids: Iterable[int | None]) -> dict[tuple[int, int], _Known]:
        trials = Trial.objects.filter(
            item__in={pk for pk in item_ids if pk is not None}, annotator__in=self._annotators.values(), look=1
        ).values_list("pk", "item_id", "annotator_id", "response_ms")
        rows = list(trials)
        names = dict(
            Annotation.objects.filter(is_current=True, trial__in=trials.values("pk")).values_list(
                "trial_id", "label__name"
            )
        )
        return {(item, annotator): _Known(names.get(pk), response) for pk, item, annotator, response in rows}

    def _check(self, row: TrialRow, items: dict[str, int | None]) -> tuple[int, LabelClass | None]:
        if row.item not in items:
            raise ValueError(f"No item of the project is called {row.item}.")
        item_id = items[row.item]
        if item_id is None:
            raise ValueError(f"Several objects of the project are called {row.item}.")
        label = None
        if row.label is not None:
            label = self._classes.get(row.label)
            if label is None:
                raise ValueError(f'"{row.label[:60]}" is no class of the project: {", ".join(self._classes)}.')
        annotator = self._annotators[row.annotator]
        if annotator.kind != self.kind:
            raise ValueError(
                f"{row.annotator} is {annotator.get_kind_display().lower()} in the project: use another name."
            )
        first = self._seen.setdefault((item_id, annotator.pk), row.number)
        if first != row.number:
            raise ValueError(f"{row.annotator} judges {row.item} on row {first} already.")
        return item_id, label

    def _trial(self, row: TrialRow, item_id: int, annotator: Annotator) -> Trial:
        now = timezone.now()
        missed = row.label is None
        received_at = None if row.started_at is None else row.started_at + timedelta(milliseconds=row.response_ms or 0)
        return Trial(
            project=self.project,
            item_id=item_id,
            annotator=annotator,
            source=self.source,
            state=Trial.State.SKIPPED if missed else Trial.State.ANSWERED,
            position=row.position,
            session_name=row.session,
            issued_at=row.started_at or now,
            received_at=received_at or now,
            response_ms=row.response_ms,
            null_reason=MISSED if missed else "" if row.response_ms is not None else NOT_RECORDED,
            censored_at_ms=self.time_limit_ms if missed else None,
            skip_reason=MISSED if missed else "",
        )

    def _save(self, trials: list[Trial], labels: list[LabelClass | None]) -> None:
        Trial.objects.bulk_create(trials, batch_size=500)
        Annotation.objects.bulk_create(
            [
                Annotation(trial=trial, label=label, client_key=str(uuid.uuid4()))
                for trial, label in zip(trials, labels, strict=True)
                if label is not None
            ],
            batch_size=500,
        )
        answered = Counter(trial.item_id for trial in trials if trial.state == Trial.State.ANSWERED)
        skipped = Counter(trial.item_id for trial in trials if trial.state == Trial.State.SKIPPED)
        for count, ids in _by_count(answered):
            Item.objects.filter(pk__in=ids).update(answered=F("answered") + count, taken=F("taken") + count)
        for count, ids in _by_count(skipped):
            Item.objects.filter(pk__in=ids).update(skipped=F("skipped") + count)
        self._count_annotators({trial.annotator_id for trial in trials}, trials)

    def _count_annotators(self, ids: set[int], trials: list[Trial]) -> None:
        answered = Counter(t.annotator_id for t in trials if t.state == Trial.State.ANSWERED)
        skipped = Counter(t.annotator_id for t in trials if t.state == Trial.State.SKIPPED)
        last = dict(
            Trial.objects.filter(annotator__in=ids).values_list("annotator").annotate(last=Max("position")).order_by()
        )
        changed = list(Annotator.objects.filter(pk__in=ids))
        for annotator in changed:
            annotator.n_answered += answered[annotator.pk]
            annotator.n_skipped += skipped[annotator.pk]
            annotator.last_position = last[annotator.pk]
        Annotator.objects.bulk_update(changed, ["n_answered", "n_skipped", "last_position"])


def _by_count(counts: Counter[int]) -> Iterable[tuple[int, list[int]]]:
    groups: dict[int, list[int]] = {}
    for pk in sorted(counts):
        groups.setdefault(counts[pk], []).append(pk)
    return groups.items()
