"""Items that somebody wants judged soon come before all others."""

from __future__ import annotations

from random import Random

from annotations.models import Annotator, Project

from .draw import CHUNK, Draw, open_to

POOL = 2000
"""Items among which the order is random; a longer list of urgent items is worked off in pools of this size."""


def draw_priority(annotator: Annotator, project: Project, rng: Random) -> Draw:
    """Draw the items of the highest priority above 0; random among them unless the project's order is fixed.

    Lower priorities wait for a draw of their own: so each item's chance is that among its equals.
    """
    pool = list(
        open_to(annotator, project)
        .filter(priority__gt=0)
        .order_by("-priority", "ordinal")
        .values_list("pk", "priority")[:POOL]
    )
    level = [pk for pk, priority in pool if priority == pool[0][1]]
    if project.order == Project.Order.FIXED:
        return Draw(ids=level[:CHUNK], by="priority", of=0)
    rng.shuffle(level)
    return Draw(ids=level[:CHUNK], by="priority", of=len(level))
