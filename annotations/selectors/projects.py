"""Reads about projects as a whole: the list of a user's projects, and one project's state."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db.models import Count, F, Q, Sum

from annotations.models import Annotator, Item, Membership, Project, QueueRanking, Trial

from .access import projects_of
from .drawn import n_drawn_objects
from .quality import NO_QUALITY, Quality, quality_by_annotator

SAMPLES = 6
SAMPLED_PROJECTS = 40
"""Images shown of a project in the list, and of how many projects."""

RECENT_TRIALS = 50_000
"""Trials of a project, the latest, from which its annotators' typical response times are taken."""


@dataclass(frozen=True, slots=True)
class ProjectCard:
    """A project as its members see it in a list.

    `n_done`: items that want no more judgments; `n_own`: answers of the user; `samples`: ids of a few items.
    """

    project: Project
    is_manager: bool
    n_items: int
    n_done: int
    n_answers: int
    n_own: int
    has_synthetic: bool
    samples: list[int]

    @property
    def percent(self) -> int:
        """Whole per cent of the items that are done."""
        return 100 * self.n_done // self.n_items if self.n_items else 0


def project_cards(user: Any) -> list[ProjectCard]:
    """Return the user's projects with their progress, by name; the same few queries however many there are."""
    projects = list(projects_of(user).order_by("name", "pk"))
    managed = set(
        Membership.objects.filter(user=user, role=Membership.Role.MANAGER).values_list("project_id", flat=True)
    )
    n_open = _open_items(projects)
    n_drawn = n_drawn_objects(projects)
    n_asked = {project.pk: project.n_items - n_drawn.get(project.pk, 0) for project in projects}
    samples = _samples([project for project in projects if project.n_items][:SAMPLED_PROJECTS])
    answers = dict(
        Annotator.objects.filter(project__in=projects)
        .order_by()
        .values_list("project_id")
        .annotate(n=Sum("n_answered"))
    )
    own = dict(Annotator.objects.filter(project__in=projects, user=user).values_list("project_id", "n_answered"))
    synthetic = set(
        Annotator.objects.filter(project__in=projects, kind=Annotator.Kind.SYNTHETIC)
        .order_by()
        .values_list("project_id", flat=True)
        .distinct()
    )
    return [
        ProjectCard(
            project=project,
            is_manager=user.is_staff or project.pk in managed,
            n_items=n_asked[project.pk],
            n_done=max(0, n_asked[project.pk] - n_open.get(project.pk, 0)),
            n_answers=answers.get(project.pk, 0),
            n_own=own.get(project.pk, 0),
            has_synthetic=project.pk in synthetic,
            samples=samples[project.pk],
        )
        for project in projects
    ]


def _samples(projects: list[Project]) -> dict[int, list[int]]:
    """Return ids of a few items of each project, from its whole length: those next to each other often look alike."""
    wanted = Q(pk__in=[])
    for project in projects:
        places = {project.n_items * (2 * place + 1) // (2 * SAMPLES) for place in range(SAMPLES)}
        wanted |= Q(project=project, ordinal__in=places)
    samples: dict[int, list[int]] = defaultdict(list)
    for project_id, pk in Item.objects.filter(wanted).order_by("project_id", "ordinal").values_list("project_id", "pk"):
        samples[project_id].append(pk)
    return samples


def _open_items(projects: list[Project]) -> dict[int, int]:
    """Return how many items of each project want judgments; read from the index of open items alone."""
    rows = Item.objects.filter(project__in=projects, taken__lt=F("needed")).order_by().values_list("project_id")
    return dict(rows.annotate(n=Count("pk")))


def has_synthetic(project: Project) -> bool:
    """Whether simulated annotators judge items of the project: then every page with figures says so."""
    return Annotator.objects.filter(project=project, kind=Annotator.Kind.SYNTHETIC).exists()


@dataclass(frozen=True, slots=True)
class AnnotatorRow:
    """What one annotator has done. `median_ms` is of their trials among the project's latest."""

    annotator: Annotator
    median_ms: float | None
    n_timed: int
    quality: Quality = NO_QUALITY


@dataclass(frozen=True, slots=True)
class Overview:
    """A project's state. `n_done`: items with all the judgments they need; `n_given`: items with a given label.

    Where boxes are drawn, items are the images that are handed out, and `n_objects` is what was found in them.
    """

    n_items: int
    n_done: int
    n_objects: int
    n_given: int
    n_answers: int
    n_members: int
    annotators: list[AnnotatorRow]

    @property
    def has_quality(self) -> bool:
        """Whether anybody answered gold items or repeats."""
        return any(row.quality is not NO_QUALITY for row in self.annotators)

    @property
    def percent(self) -> int:
        """Whole per cent of the items that are done."""
        return 100 * self.n_done // self.n_items if self.n_items else 0

    @property
    def has_synthetic(self) -> bool:
        """Whether simulated annotators are among them."""
        return any(row.annotator.kind == Annotator.Kind.SYNTHETIC for row in self.annotators)


def project_overview(project: Project) -> Overview:
    """Return the state of the project, those who have answered with the busiest first."""
    # Who has only opened the workbench has done nothing yet.
    annotators = list(
        Annotator.objects.filter(project=project)
        .exclude(n_answered=0, n_skipped=0)
        .order_by("-n_answered", "name")
        .defer("drawn")
    )
    times = _recent_times(project)
    quality = quality_by_annotator(project)
    n_open = _open_items([project]).get(project.pk, 0)
    n_objects = n_drawn_objects([project]).get(project.pk, 0)
    n_items = project.n_items - n_objects
    return Overview(
        n_items=n_items,
        n_done=max(0, n_items - n_open),
        n_objects=n_objects,
        # By classes, not by project: this reads one index instead of every item.
        n_given=Item.objects.filter(given__in=list(project.classes.values_list("pk", flat=True))).count(),
        n_answers=sum(annotator.n_answered for annotator in annotators),
        n_members=project.memberships.count(),
        annotators=[
            AnnotatorRow(
                annotator=annotator,
                median_ms=median(times[annotator.pk]) if annotator.pk in times else None,
                n_timed=len(times.get(annotator.pk, ())),
                quality=quality.get(annotator.pk, NO_QUALITY),
            )
            for annotator in annotators
        ],
    )


def _recent_times(project: Project) -> dict[int, list[float]]:
    recent = (
        Trial.objects.filter(project=project, drawing__isnull=True)
        .order_by("-pk")
        .values_list("annotator_id", "response_ms")
    )
    times: dict[int, list[float]] = defaultdict(list)
    for annotator_id, response_ms in recent[:RECENT_TRIALS]:
        if response_ms is not None:
            times[annotator_id].append(response_ms)
    return times


def queue_ranking(project: Project) -> QueueRanking | None:
    """Return what the background has worked out for the project's order, without the list itself."""
    return QueueRanking.objects.filter(project=project, order=project.order).defer("item_ids").first()


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member with what they have answered."""

    membership: Membership
    n_answered: int
    may_have_link: bool


def member_rows(project: Project, *, actor: Any) -> list[MemberRow]:
    """Return the members, managers first; `may_have_link` as in `services.members.may_have_link`, in one query."""
    memberships = list(
        Membership.objects.filter(project=project).select_related("user").order_by("-role", "user__username")
    )
    answered = dict(Annotator.objects.filter(project=project, user__isnull=False).values_list("user_id", "n_answered"))
    managed = Membership.objects.filter(user=actor, role=Membership.Role.MANAGER).values("project_id")
    elsewhere = set(
        Membership.objects.filter(user__in=[member.user_id for member in memberships])
        .filter(~Q(project_id__in=managed))
        .values_list("user_id", flat=True)
    )

    def linkable(user: Any) -> bool:
        if not user.is_active or user.is_staff or user.is_superuser:
            return False
        return actor.is_staff or (not user.has_usable_password() and user.pk not in elsewhere)

    return [
        MemberRow(
            membership=membership,
            n_answered=answered.get(membership.user_id, 0),
            may_have_link=linkable(membership.user),
        )
        for membership in memberships
    ]
