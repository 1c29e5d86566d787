"""Rounds for pages: in rows only, and one that is done."""

from __future__ import annotations

from functools import partial

import pytest

from annotations.models import Project
from mining.models import HardSet, HardSetMember, Round
from tests import factories
from tests.mining import done_round as hand_made


@pytest.fixture
def items(project: Project):
    return factories.make_items(project, 6, given=[0, 1, 0, 1, 0, 1])


@pytest.fixture
def make_round(project: Project, manager):
    """Return make_round(status, stage=status): rows only."""
    return partial(hand_made.make_round, project, manager)


@pytest.fixture
def done_round(project: Project, manager, items) -> Round:
    return hand_made.make_done_round(project, manager, items)


@pytest.fixture
def hard_set(done_round: Round, items) -> HardSet:
    verdicts = ["mislabelled", "ambiguous", "ambiguous", "none", "none", "none"]
    made = HardSet.objects.create(
        round=done_round, strategy="suspicious", sha256="a" * 64, n_members=6, params={"max_p": 0.5, "limit": None},
        summary={"title": "Suspicious", "description": "The model has no opinion.", "notes": []},
    )  # fmt: skip
    HardSetMember.objects.bulk_create(
        HardSetMember(hard_set=made, item=item, rank=rank, score=1 / rank, reason=f"reason {rank}", verdict=verdict)
        for rank, (item, verdict) in enumerate(zip(items, verdicts, strict=True), start=1)
    )
    return made
