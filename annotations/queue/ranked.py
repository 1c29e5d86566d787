"""Orders that follow a ranking worked out in the background: hardest first, and adaptive.

Only the stored list is read here; where there is none yet, or all of it is taken, items come at random. Few are drawn
at a time, so that a new ranking is soon followed.
"""

from __future__ import annotations

from random import Random

from annotations.models import Annotator, Project, QueueRanking

from .draw import Draw, open_to
from .random import draw_random

RANKED_CHUNK = 20
ADAPTIVE_POOL = 60
"""The adaptive order chooses at random among this many of the items where a judgment is worth most: their worth differs
little, people who work at the same time get different ones, and each one's chance is known."""

LOOKED_AT = 500
"""Items of the list looked at in one query, from its head on."""


def draw_hardest(annotator: Annotator, project: Project, rng: Random) -> Draw:
    """Draw the hardest items that are open to the annotator, in that order; then items at random."""
    ids = _open_of_ranking(annotator, project, RANKED_CHUNK)
    return Draw(ids=ids, by="hardest", of=0) if ids else _at_random(annotator, project, rng)


def draw_adaptive(annotator: Annotator, project: Project, rng: Random) -> Draw:
    """Draw at random among the items where a judgment is worth most; then items at random."""
    pool = _open_of_ranking(annotator, project, ADAPTIVE_POOL)
    if not pool:
        return _at_random(annotator, project, rng)
    return Draw(ids=rng.sample(pool, min(len(pool), RANKED_CHUNK)), by="adaptive", of=len(pool))


def _at_random(annotator: Annotator, project: Project, rng: Random) -> Draw:
    drawn = draw_random(annotator, project, rng)
    return Draw(ids=drawn.ids[:RANKED_CHUNK], by=drawn.by, of=drawn.of)


def _open_of_ranking(annotator: Annotator, project: Project, wanted: int) -> list[int]:
    ranking = QueueRanking.objects.filter(project=project, order=project.order).first()
    found: list[int] = []
    if ranking is None:
        return found
    for start in range(0, len(ranking.item_ids), LOOKED_AT):
        part = ranking.item_ids[start : start + LOOKED_AT]
        can_be_had = set(open_to(annotator, project).filter(pk__in=part).values_list("pk", flat=True))
        found += [pk for pk in part if pk in can_be_had]
        if len(found) >= wanted:
            break
    return found[:wanted]
