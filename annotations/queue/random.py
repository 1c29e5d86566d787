"""A random order of its own for each annotator.

Every item that is open to the annotator has the same chance, exactly. Ordinals are dense, so a random set of ordinals
is a random set of items; those that are not open are rejected, and the rest is a uniform sample of the open ones. This
costs the same with a thousand items and with a million. Only where nearly nothing is open to them is the index of open
items read as a whole.
"""

from __future__ import annotations

from random import Random

from annotations.models import Annotator, Project

from .draw import CHUNK, Draw, open_to

SMALL = 2000
"""Up to this many items it is cheaper to read the open ones than to guess at them."""

PROBES = (400, 1600, 6000)
"""Ordinals tried at a time, until a chunk is full. Below about one open item in three thousand all of them miss."""


def draw_random(annotator: Annotator, project: Project, rng: Random) -> Draw:
    """Draw up to a chunk of items, uniformly from all that are open to the annotator."""
    if project.n_items > SMALL:
        drawn = _by_rejection(annotator, project, rng)
        if drawn.ids:
            return drawn
    ids = sorted(open_to(annotator, project).values_list("pk", flat=True))
    # Reading the whole index of a large project is made worth its while.
    wanted = CHUNK if project.n_items <= SMALL else SMALL
    return Draw(ids=rng.sample(ids, min(len(ids), wanted)), by="random", of=len(ids))


def _by_rejection(annotator: Annotator, project: Project, rng: Random) -> Draw:
    n_items = project.n_items
    ordinals = rng.sample(range(n_items), min(n_items, sum(PROBES)))
    found: list[int] = []
    tried = 0
    for count in PROBES:
        probe = ordinals[tried : tried + count]
        tried += len(probe)
        found += open_to(annotator, project).filter(ordinal__in=probe).values_list("pk", flat=True)
        if len(found) >= CHUNK:
            break
    # The database returns them in an order of its own: shuffled, any first part is a uniform sample again.
    found.sort()
    rng.shuffle(found)
    return Draw(ids=found[:CHUNK], by="random", of=max(len(found), round(n_items * len(found) / max(tried, 1))))
