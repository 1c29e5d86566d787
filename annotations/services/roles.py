"""Verb for the roles of items: training, gold, ordinary."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from annotations.models import Item, ItemAlias, Project

from .leases import reopen

NAMED = 5
CHUNK = 500
AT_MOST = 10_000
"""Items that can be given a role at once: training and gold items are some, not most."""


@transaction.atomic
def set_role(*, project: Project, role: str, paths: Iterable[str] = (), items: QuerySet[Item] | None = None) -> int:
    """Give the items with those paths, and those of the query, a role; return how many had another one before.

    Training and gold items need no judgments of their own any more: everybody gets them once, beside the others; back
    to ordinary, an item needs as many as the project's overlap says. Raises ValidationError, and changes nothing, for a
    role or a path that does not exist, for gold items without a given label, and for more than AT_MOST items.
    """
    if role not in Item.Role.values:
        raise ValidationError({"role": f"No role is called {role}: give one of {', '.join(Item.Role.values[1:])}."})
    locked = Project.objects.select_for_update().get(pk=project.pk)
    found = _items(locked, sorted({path for path in paths if path}))
    found += [] if items is None else list(items.filter(project=locked).order_by("ordinal")[: AT_MOST + 1])
    if len(found) > AT_MOST:
        raise ValidationError({"items": f"Those are more than {AT_MOST:,} items: choose fewer at a time."})
    _give(locked, found, role)
    project.refresh_from_db()
    return len([item for item in found if item.role != role])


def _give(locked: Project, items: list[Item], role: str) -> None:
    if role == Item.Role.GOLD:
        _refuse("A gold item needs a given label, which comes with the import", [i for i in items if not i.given_id])
    changed = [item.pk for item in items if item.role != role]
    needed = locked.overlap if role == Item.Role.ORDINARY else 0
    for start in range(0, len(changed), CHUNK):
        Item.objects.filter(pk__in=changed[start : start + CHUNK]).update(role=role, needed=needed, priority=0)
    with_role = Item.objects.filter(~Q(role=""), project=locked).order_by().values_list("role")
    counts = dict(with_role.annotate(n=Count("pk")))
    Project.objects.filter(pk=locked.pk).update(
        n_training=counts.get(Item.Role.TRAINING, 0), n_gold=counts.get(Item.Role.GOLD, 0)
    )
    if changed:
        reopen(project_ids=[locked.pk], redraw=True)


def _items(project: Project, paths: list[str]) -> list[Item]:
    found: dict[int, Item] = {}
    known: set[str] = set()
    for start in range(0, len(paths), CHUNK):
        part = paths[start : start + CHUNK]
        aliases = ItemAlias.objects.filter(project=project, path__in=part).select_related("item")
        for path, item in [(alias.path, alias.item) for alias in aliases] + [
            (item.path, item) for item in Item.objects.filter(project=project, path__in=part)
        ]:
            known.add(path)
            found[item.pk] = item
    missing = [path for path in paths if path not in known]
    if missing:
        raise ValidationError({"paths": f"No item of the project is called {_listed(missing)}."})
    return list(found.values())


def _refuse(words: str, items: list[Item]) -> None:
    if items:
        raise ValidationError({"paths": f"{words}: {_listed([item.path for item in items])}."})


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"
