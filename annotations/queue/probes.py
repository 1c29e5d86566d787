"""Items that come beside what is needed: training first, then gold items and hidden repeats between the judgments.

None of them counts towards what an item needs, so none is taken from anybody; none says anything about hardness.
"""

from __future__ import annotations

import random as randomness
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotations.models import Annotator, Item, Trial

from .taking import Taken

REPEAT_AFTER = 20
"""A repeat comes this many trials after the first sight, at the earliest: nobody should remember the answer."""

REPEAT_WITHIN = 200
"""... and at the latest this many later, so that finding one costs the same after a hundred trials and after many."""

BOX = ("box_x", "box_y", "box_width", "box_height")


@dataclass(frozen=True, slots=True)
class Probe:
    """An item to be shown beside the needed ones. `chance`: its chance among all that could have been chosen."""

    taken: Taken
    purpose: Trial.Purpose
    chance: float | None


def training_for(annotator: Annotator, count: int) -> list[Probe]:
    """Return the next training items that the annotator has not had, in the order of import."""
    if not annotator.project.n_training:
        return []
    items = _not_had(annotator, Item.Role.TRAINING).order_by("ordinal")[:count]
    return [Probe(_taken(item), Trial.Purpose.TRAINING, None) for item in items]


def probes_for(annotator: Annotator, n_places: int) -> list[Probe]:
    """Return gold items and repeats for some of the annotator's next places.

    Which places those are follows from the annotator's seed: the shares hold in the long run, and nobody can tell which
    trials they are.
    """
    project = annotator.project
    if not (project.repeat_share or (project.gold_share and project.n_gold)):
        return []
    rng = randomness.Random(f"{annotator.seed}:{annotator.last_position}:beside")
    n_gold = n_repeats = 0
    for _ in range(n_places):
        place = rng.random()
        if place < project.gold_share and project.n_gold:
            n_gold += 1
        elif project.gold_share <= place < project.gold_share + project.repeat_share:
            n_repeats += 1
    gold = _gold(annotator) if n_gold else []
    repeats = _repeats(annotator) if n_repeats else []
    chosen = _choose(gold, n_gold, Trial.Purpose.GOLD, rng) + _choose(repeats, n_repeats, Trial.Purpose.REPEAT, rng)
    rng.shuffle(chosen)
    return chosen


def _choose(pool: Sequence[Taken], count: int, purpose: Trial.Purpose, rng: randomness.Random) -> list[Probe]:
    chosen = rng.sample(pool, min(count, len(pool)))
    return [Probe(taken, purpose, 1 / (len(pool) - place)) for place, taken in enumerate(chosen)]


def _not_had(annotator: Annotator, role: Item.Role) -> QuerySet[Item]:
    had = Trial.objects.filter(item=OuterRef("pk"), annotator=annotator, look__gte=OuterRef("look"))
    had = had.exclude(state=Trial.State.ABANDONED)
    # SQLite only takes the index of items with a role where its condition stands in the query, word for word.
    items = Item.objects.filter(~Exists(had), ~Q(role=""), project_id=annotator.project_id, role=role)
    return items.only("pk", "look", *BOX).order_by()


def _gold(annotator: Annotator) -> list[Taken]:
    return [_taken(item) for item in _not_had(annotator, Item.Role.GOLD).order_by("pk")]


def _repeats(annotator: Annotator) -> list[Taken]:
    """Return items the annotator judged a while ago and has not been shown again."""
    latest = annotator.last_position - REPEAT_AFTER
    again = Trial.objects.filter(
        item=OuterRef("item"), annotator=annotator, look=OuterRef("look"), purpose=Trial.Purpose.REPEAT
    ).exclude(state=Trial.State.ABANDONED)
    trials = (
        Trial.objects.filter(
            ~Exists(again), annotator=annotator, drawing__isnull=True, purpose=Trial.Purpose.JUDGMENT,
            state=Trial.State.ANSWERED, position__gt=latest - REPEAT_WITHIN, position__lte=latest,
        )
        .order_by("position")
        .values_list("item_id", "look", *(f"item__{side}" for side in BOX))
    )  # fmt: skip
    return [Taken(item_id, look, _box(box)) for item_id, look, *box in trials]


def _taken(item: Item) -> Taken:
    return Taken(item.pk, item.look, _box([getattr(item, side) for side in BOX]))


def _box(sides: Sequence[float | None]) -> tuple[float, float, float, float] | None:
    x, y, width, height = sides
    return None if x is None or y is None or width is None or height is None else (x, y, width, height)
