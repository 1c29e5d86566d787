"""Reads for an annotator about their own work, and nothing else."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, Sum

from annotations.models import Annotator, Trial

from .drawn import n_drawn_objects

SITTINGS_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Sitting:
    """One sitting in one browser tab."""

    started_at: datetime.datetime
    ended_at: datetime.datetime
    n_answered: int
    n_skipped: int
    n_timed: int
    paid_ms: float

    @property
    def seconds(self) -> float:
        """Paid time in seconds."""
        return self.paid_ms / 1000

    @property
    def seconds_per_item(self) -> float | None:
        """Paid seconds for each item that was answered or skipped."""
        judged = self.n_answered + self.n_skipped
        return self.paid_ms / 1000 / judged if judged and self.paid_ms else None


def sittings_of(annotator: Annotator, *, limit: int = SITTINGS_SHOWN) -> list[Sitting]:
    """Return the annotator's last sittings, the newest first."""
    rows = (
        Trial.objects.filter(
            annotator=annotator, session__isnull=False, received_at__isnull=False, drawing__isnull=True
        )
        .order_by()
        .values("session_id", "session__started_at")
        .annotate(
            ended_at=Max("received_at"),
            n_answered=Count("pk", filter=Q(state=Trial.State.ANSWERED)),
            n_skipped=Count("pk", filter=Q(state=Trial.State.SKIPPED)),
            n_timed=Count("response_ms"),
            paid_ms=Sum("paid_ms"),
        )
        .order_by("-session_id")[:limit]
    )
    return [
        Sitting(
            started_at=row["session__started_at"],
            ended_at=row["ended_at"],
            n_answered=row["n_answered"],
            n_skipped=row["n_skipped"],
            n_timed=row["n_timed"],
            paid_ms=row["paid_ms"] or 0.0,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class OwnProgress:
    """All of an annotator's work in a project."""

    n_answered: int
    n_skipped: int
    n_items: int
    n_timed: int
    paid_ms: float
    first_at: datetime.datetime | None

    @property
    def seconds(self) -> float:
        """Paid time in seconds."""
        return self.paid_ms / 1000

    @property
    def share_timed(self) -> float | None:
        """Share of the answers that have a response time."""
        return self.n_timed / self.n_answered if self.n_answered else None


def progress_of(annotator: Annotator) -> OwnProgress:
    """Return what the annotator has done in all."""
    sums = Trial.objects.filter(annotator=annotator, received_at__isnull=False, drawing__isnull=True).aggregate(
        n_timed=Count("response_ms"), paid_ms=Sum("paid_ms"), first_at=Min("received_at")
    )
    return OwnProgress(
        n_answered=annotator.n_answered,
        n_skipped=annotator.n_skipped,
        n_items=annotator.project.n_items - n_drawn_objects([annotator.project]).get(annotator.project_id, 0),
        n_timed=sums["n_timed"],
        paid_ms=sums["paid_ms"] or 0.0,
        first_at=sums["first_at"],
    )


def others_hold_items(annotator: Annotator) -> bool:
    """Whether others have items before them that this annotator has not had: skipped or given back, they come here."""
    had = Trial.objects.filter(item=OuterRef("item"), annotator=annotator, look__gte=OuterRef("look"))
    held = Trial.objects.filter(project=annotator.project_id, state=Trial.State.ISSUED, purpose="")
    return held.exclude(annotator=annotator).filter(~Exists(had)).exists()
