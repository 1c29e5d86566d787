"""Verbs for projects: make one, change how its people are asked, add classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.text import slugify

from annotations.models import Item, LabelClass, Membership, Project

from .leases import reopen

# One key a class. Digits first, then letters by their rows, so that the first classes lie side by side.
KEYS = "1234567890qwertyuiopasdfghjklzxcvbnm"
KEYS_BESIDE_SEARCH = "1234567890"
"""Where there are more classes than keys, letters are for searching."""
MOST_CLASSES = 2000
MOST_BESIDE = 0.5
RESERVED_SLUGS = frozenset({"new"})
PROTOCOL = (
    "order", "hard_share", "repeat_share", "gold_share", "time_limit_ms", "flash_frames", "break_after",
)  # fmt: skip
SETTINGS = ("name", "guidelines", "overlap", *PROTOCOL, "lookahead", "lease_seconds", "floor_ms", "idle_ms")


@transaction.atomic
def create_project(
    *,
    name: str,
    classes: Sequence[str],
    slug: str | None = None,
    unit: str = Project.Unit.IMAGE,
    boxes: str = Project.Boxes.IMPORTED,
    overlap: int = 3,
    guidelines: str = "",
    created_by: Any = None,
    **protocol: Any,
) -> Project:
    """Make a project with its classes; `created_by` becomes its manager.

    Without a slug one is made from the name, with a number behind it where it is taken. Raises ValidationError,
    by field, for an empty name, no or doubled classes, too many of them, and a slug that is taken. `protocol`:
    fields in PROTOCOL, how people are asked.
    """
    unknown = sorted(set(protocol) - set(PROTOCOL))
    if unknown:
        raise TypeError(f"Not part of a protocol: {', '.join(unknown)}.")
    name = name.strip()
    if not name:
        raise ValidationError({"name": "A project needs a name."})
    project = Project(
        name=name,
        slug=_free_slug(name) if slug is None else slug,
        unit=unit,
        boxes=boxes,
        overlap=overlap,
        guidelines=guidelines.strip(),
        created_by=created_by,
        **protocol,
    )
    check_shares(project)
    check_boxes(project)
    if project.slug in RESERVED_SLUGS:
        raise ValidationError({"slug": f'"{project.slug}" is an address of the site: choose another.'})
    project.full_clean()
    names = class_names(classes)
    project.save()
    LabelClass.objects.bulk_create(_classes(project, names))
    if created_by is not None:
        Membership.objects.create(project=project, user=created_by, role=Membership.Role.MANAGER)
    return project


def check_shares(project: Project) -> None:
    """Raise ValidationError where repeats and gold items together would leave too little for judgments."""
    if (project.repeat_share or 0) + (project.gold_share or 0) > MOST_BESIDE:
        words = f"Repeats and gold items together can be at most {MOST_BESIDE:.0%} of all trials."
        raise ValidationError({"repeat_share": words})


def check_boxes(project: Project) -> None:
    """Raise ValidationError for a protocol that cannot go with drawing, and for drawn boxes around whole images."""
    if project.boxes != Project.Boxes.DRAWN:
        return
    if project.unit != Project.Unit.OBJECT:
        raise ValidationError({"boxes": "Boxes are drawn around objects: the unit must be object."})
    for name, words in (("time_limit_ms", "A time limit would cut drawings short"), ("flash_frames", "A flash hides")):
        if getattr(project, name):
            more = "" if name == "time_limit_ms" else " what is to be drawn around"
            raise ValidationError({name: f"{words}{more}: leave it empty where boxes are drawn."})


def class_names(names: Iterable[str]) -> list[str]:
    """Return the names without the space around them and without empty ones; ValidationError where they cannot be."""
    stripped = [name.strip() for name in names]
    kept = [name for name in stripped if name]
    doubled = sorted({name for name in kept if kept.count(name) > 1})
    if doubled:
        raise ValidationError({"classes": f"Each class once: {', '.join(doubled)} came more than once."})
    if not kept:
        raise ValidationError({"classes": "A project needs at least one class."})
    if len(kept) > MOST_CLASSES:
        raise ValidationError(
            {"classes": f"{len(kept):,} classes, but {MOST_CLASSES:,} are the most: group them first."}
        )
    longest = LabelClass._meta.get_field("name").max_length or 100
    for name in kept:
        if len(name) > longest:
            raise ValidationError({"classes": f'"{name[:40]}…" is longer than {longest} characters.'})
    return kept


def keys_for(names: Sequence[str], *, taken: Iterable[str | None] = ()) -> list[str | None]:
    """Return a key for each name. A name that is itself a free key ("7") gets it; the others the next free ones.

    More classes than there are keys: only the first ten get one, a digit; the others (None) are found by typing.
    """
    before = list(taken)
    keys_here = KEYS if len(before) + len(names) <= len(KEYS) else KEYS_BESIDE_SEARCH
    used = set(before)
    own = {name: name.lower() for name in names if len(name) == 1 and name.lower() in keys_here}
    keys: dict[str, str] = {}
    for name, key in own.items():
        if key not in used:
            keys[name] = key
            used.add(key)
    free = (key for key in keys_here if key not in used)
    return [keys[name] if name in keys else next(free, None) for name in names]


def _classes(project: Project, names: Sequence[str], *, existing: Sequence[LabelClass] = ()) -> list[LabelClass]:
    keys = keys_for(names, taken=[label.key for label in existing])
    return [
        LabelClass(project=project, code=len(existing) + index, name=name, key=key)
        for index, (name, key) in enumerate(zip(names, keys, strict=True))
    ]


def _free_slug(name: str) -> str:
    longest = (Project._meta.get_field("slug").max_length or 50) - 6
    base = slugify(name)[:longest].strip("-") or "project"
    taken = set(Project.objects.filter(slug__startswith=base).values_list("slug", flat=True)) | RESERVED_SLUGS
    if base not in taken:
        return base
    number = 2
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"


@transaction.atomic
def add_classes(*, project: Project, names: Sequence[str]) -> list[LabelClass]:
    """Add classes behind those there are. Codes and keys of the old ones stay, so that nobody has to learn anew."""
    Project.objects.select_for_update().get(pk=project.pk)
    existing = list(project.classes.order_by("code"))
    class_names([*(label.name for label in existing), *names])
    return LabelClass.objects.bulk_create(_classes(project, class_names(names), existing=existing))


@transaction.atomic
def update_settings(*, project: Project, **changes: Any) -> Project:
    """Change the name, the guidelines, or how people are asked (the fields in SETTINGS).

    A new overlap moves what every item needs by the difference, so that items asked for again keep their extra
    judgments; a higher one opens items for people who had finished. Raises ValidationError by field.
    """
    unknown = sorted(set(changes) - set(SETTINGS))
    if unknown:
        raise TypeError(f"Not settings of a project: {', '.join(unknown)}.")
    locked = Project.objects.select_for_update().get(pk=project.pk)
    before, order_before = locked.overlap, locked.order
    for field, value in changes.items():
        setattr(locked, field, value.strip() if isinstance(value, str) else value)
    locked.full_clean()
    check_shares(locked)
    check_boxes(locked)
    locked.save(update_fields=list(changes))
    difference = locked.overlap - before
    if difference:
        ordinary = Item.objects.filter(project=locked, role=Item.Role.ORDINARY)
        # What was drawn is not handed out again: of drawn objects nobody needs more.
        asked = ordinary.filter(box_width__isnull=True) if locked.draws_boxes else ordinary
        asked.update(needed=F("needed") + difference)
    if locked.order != order_before:
        reopen(project_ids=[locked.pk], redraw=True)
    if difference > 0:
        Project.objects.filter(pk=locked.pk).update(reopened=F("reopened") + 1)
    project.refresh_from_db()
    return project


def archive_project(*, project: Project) -> None:
    """Hide the project from everybody. Nothing is deleted; `restore_project` brings it back."""
    Project.objects.filter(pk=project.pk, archived_at__isnull=True).update(archived_at=timezone.now())
    project.refresh_from_db()


def restore_project(*, project: Project) -> None:
    """Show an archived project again."""
    Project.objects.filter(pk=project.pk).update(archived_at=None)
    project.refresh_from_db()
