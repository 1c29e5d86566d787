"""Which item next: one policy a file, each drawing a chunk of items for one annotator.

In most orders a chunk is drawn once for some two hundred items, so that an item costs the same in any project. What
was drawn may be taken by somebody else in the meantime: `annotations.services.leases` decides that by compare-and-set.
"""

from __future__ import annotations

import random as randomness

from annotations.models import Annotator, Project

from . import fixed, random, ranked
from .draw import CHUNK, Draw
from .priority import draw_priority

POLICIES = {
    Project.Order.RANDOM: random.draw_random,
    Project.Order.FIXED: fixed.draw_fixed,
    Project.Order.HARDEST: ranked.draw_hardest,
    Project.Order.ADAPTIVE: ranked.draw_adaptive,
}

PUT_BACK = frozenset({"adaptive"})
"""Policies of which only what is handed out at once is kept of a draw. What waits for one annotator is drawn by others
as well, and would be judged more often than planned: with five waiting, thirty people need a tenth more judgments."""

__all__ = ["CHUNK", "POLICIES", "PUT_BACK", "Draw", "draw_items"]


def draw_items(annotator: Annotator, project: Project) -> Draw:
    """Draw the next chunk for the annotator: items above priority 0 first, then by the project's order.

    The same annotator gets the same chunk again from the same state of the project: the seed is stored.
    """
    rng = randomness.Random(f"{annotator.seed}:{annotator.draws}")
    drawn = draw_priority(annotator, project, rng)
    return drawn if drawn.ids else POLICIES[Project.Order(project.order)](annotator, project, rng)
