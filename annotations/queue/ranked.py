"""Orders that follow a ranking worked out in the background: hardest first, and adaptive.

Only the stored list is read here; where there is none yet, or all of it is taken, items come at random. Few are drawn
at a time, so that a new ranking is soon followed. At random means that some items come twice before others come once:
without them items and noise could not be told apart, and the first plan would come only after a pass through all.
"""

from __future__ import annotations

from random import Random

from annotations.models import Annotator, Project, QueueRanking

from .draw import Draw, open_to
from .random import draw_random

RANKED_CHUNK = 20
ADAPTIVE_CHUNK = 5
"""Items of the plan drawn at a time: as many as a workbench wants at first. What is not handed out at once is put back
(`annotations.queue.PUT_BACK`)."""
ADAPTIVE_BATCH = 400
"""Judgments that the adaptive order plans for at a time: what some dozens of people do until the next plan."""
ADAPTIVE_POOL = 60
"""Among so many of those worth most the order chooses: of the plan, and of the items after it when it is used up. Some
dozens of people find different ones among them, and what is worth least waits for the next plan."""

LOOKED_AT = 500
"""Items of the list looked at in one query, from its head on."""
PLAN_LOOKED_AT = 200
"""... and of the plan."""


def draw_hardest(annotator: Annotator, project: Project, rng: Random) -> Draw:
    """Draw the hardest items that are open to the annotator, in that order; then items at random."""
    ranking = _ranking(project)
    ids = [] if ranking is None else _open_of(ranking.item_ids, annotator, project, RANKED_CHUNK)
    return Draw(ids=ids, by="hardest", of=0) if ids else _at_random(annotator, project, rng)


def draw_adaptive(annotator: Annotator, project: Project, rng: Random) -> Draw:
    """Draw at random among the first items that the plan still wants judged; then among those after it; then among all.

    At random, so that people who work at the same time get different ones and each one's chance is known.
    """
    ranking = _ranking(project)
    if ranking is None:
        return _at_random(annotator, project, rng)
    pool = _wanted(ranking.plan, annotator, project, ADAPTIVE_POOL)
    pool = pool or _open_of(ranking.item_ids, annotator, project, ADAPTIVE_POOL)
    if not pool:
        return _at_random(annotator, project, rng)
    return Draw(ids=rng.sample(pool, min(len(pool), ADAPTIVE_CHUNK)), by="adaptive", of=len(pool))


def _at_random(annotator: Annotator, project: Project, rng: Random) -> Draw:
    drawn = draw_random(annotator, project, rng)
    return Draw(ids=drawn.ids[:RANKED_CHUNK], by=drawn.by, of=drawn.of)


def _ranking(project: Project) -> QueueRanking | None:
    """Return the ranking; the list of an adaptive one is read only where its plan is used up."""
    rankings = QueueRanking.objects.filter(project=project, order=project.order)
    return (rankings.defer("item_ids") if project.order == Project.Order.ADAPTIVE else rankings).first()


def _wanted(plan: list[list[int]], annotator: Annotator, project: Project, wanted: int) -> list[int]:
    """Return the first of the plan that are open to the annotator and were not taken as often as planned for."""
    found: list[int] = []
    for start in range(0, len(plan), PLAN_LOOKED_AT):
        part = plan[start : start + PLAN_LOOKED_AT]
        items = open_to(annotator, project).filter(pk__in=[pk for pk, _ in part])
        taken = dict(items.values_list("pk", "taken"))
        found += [pk for pk, most in part if pk in taken and taken[pk] < most]
        if len(found) >= wanted:
            break
    return found[:wanted]


def _open_of(items: list[int], annotator: Annotator, project: Project, wanted: int) -> list[int]:
    """Return the first of the list that are open to the annotator."""
    found: list[int] = []
    for start in range(0, len(items), LOOKED_AT):
        part = items[start : start + LOOKED_AT]
        can_be_had = set(open_to(annotator, project).filter(pk__in=part).values_list("pk", flat=True))
        found += [pk for pk in part if pk in can_be_had]
        if len(found) >= wanted:
            break
    return found[:wanted]
