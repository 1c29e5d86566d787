"""Reads of hard sets: members with their items and measures, and how sets overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from annotations.models import Project
from mining.models import HardSet, HardSetMember, Round, SecondLook

from .rounds import measures_of


@dataclass(frozen=True)
class MemberRow:
    """A member as pages show it: `member.item.image` and `member.item.given` are loaded; `measures` is its row of
    measures.parquet, empty where there is none.
    """

    member: HardSetMember
    measures: dict[str, Any]


def hard_sets_of(round_: Round) -> QuerySet[HardSet]:
    """Return the newest version of each of the round's hard sets; `summary` has title, description and verdicts."""
    return _newest(HardSet.objects.filter(round=round_)).select_related("round__project").order_by("pk")


def _newest(sets: QuerySet[HardSet]) -> QuerySet[HardSet]:
    newer = HardSet.objects.filter(
        round=OuterRef("round"), strategy=OuterRef("strategy"), version__gt=OuterRef("version")
    )
    return sets.filter(~Exists(newer))


def versions_of(hard_set: HardSet) -> list[HardSet]:
    """Return all versions of a set, the newest first, each with who made it; more than one only where members were
    dropped.
    """
    family = HardSet.objects.filter(round=hard_set.round, strategy=hard_set.strategy)
    return list(family.select_related("created_by", "parent", "round__project").order_by("-version"))


def earlier_set(hard_set: HardSet) -> HardSet | None:
    """Return the newest version of the same strategy's set in the latest round before this one."""
    before = HardSet.objects.filter(
        round__project=hard_set.round.project_id, round__number__lt=hard_set.round.number, strategy=hard_set.strategy
    )
    return before.select_related("round__project").order_by("-round__number", "-version").first()


def shared_with(hard_set: HardSet, other: HardSet) -> int:
    """Return how many members both sets have."""
    return hard_set.members.filter(item__in=other.members.values("item")).count()


def new_items(hard_set: HardSet, other: HardSet, item_ids: Sequence[int]) -> set[int]:
    """Return which of these members of `hard_set` the `other` set lacks."""
    known = other.members.filter(item__in=item_ids).values_list("item_id", flat=True)
    return set(item_ids) - set(known)


def hard_set_of(project: Project, hard_set_id: int) -> HardSet | None:
    return HardSet.objects.filter(round__project=project, pk=hard_set_id).select_related("round__project").first()


def members_page(
    hard_set: HardSet, *, offset: int = 0, limit: int = 50, verdict: str | None = None
) -> tuple[list[MemberRow], int]:
    """Return one page of the members, hardest first, and how many there are; `verdict` keeps those of one verdict."""
    members = hard_set.members.select_related("item__image", "item__given").order_by("rank")
    total = hard_set.n_members
    if verdict is not None:
        members = members.filter(verdict=verdict)
        total = members.count()
    page = list(members[offset : offset + limit])
    measures = measures_of(hard_set.round, [member.item_id for member in page])
    return [MemberRow(member, measures.get(member.item_id, {})) for member in page], total


def verdicts_of(hard_set: HardSet) -> dict[str, int]:
    """Return how many members have which verdict of the noise gate."""
    return dict(hard_set.members.values_list("verdict").annotate(n=Count("pk")).order_by("verdict"))


def overlaps_of(hard_set: HardSet) -> list[dict[str, Any]]:
    """Return the round's other hard sets (newest versions) with `shared`: how many members both have. One query."""
    same = Q(members__item__in=hard_set.members.values("item"))
    others = (
        _newest(HardSet.objects.filter(round=hard_set.round))
        .exclude(strategy=hard_set.strategy)
        .annotate(shared=Count("members", filter=same))
        .order_by("pk")
    )
    return [{"hard_set": other, "shared": other.shared} for other in others]


def second_looks_of(hard_set: HardSet) -> QuerySet[SecondLook]:
    """Return what was asked of people about this set, newest first."""
    looks = SecondLook.objects.filter(hard_set=hard_set)
    return looks.select_related("created_by", "reported_in__project").order_by("-pk")
