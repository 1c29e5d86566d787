"""Rows for tests, made without detours. Every function takes what matters and fills in the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from io import BytesIO
from itertools import count

from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image as Picture

from annotations.models import Annotation, Annotator, Image, Item, LabelClass, Membership, Project, Trial

_number = count(1)


def make_user(username: str = "", *, password: str | None = None, **fields):
    """Return a user; without a password nobody can sign in with one."""
    return get_user_model().objects.create_user(username or f"person-{next(_number)}", password=password, **fields)


def make_project(
    name: str = "", *, classes: Sequence[str] = ("cat", "dog"), manager=None, annotators: Sequence = (), **fields
) -> Project:
    """Return a project with its classes (keys 1, 2, …) and members."""
    number = next(_number)
    name = name or f"Project {number}"
    fields.setdefault("slug", name.lower().replace(" ", "-"))
    project = Project.objects.create(name=name, **fields)
    for code, label in enumerate(classes):
        LabelClass.objects.create(project=project, code=code, name=label, key="1234567890qwertyuiop"[code])
    if manager is not None:
        Membership.objects.create(project=project, user=manager, role=Membership.Role.MANAGER)
    for user in annotators:
        Membership.objects.create(project=project, user=user, role=Membership.Role.ANNOTATOR)
    return project


def picture_bytes(number: int = 0, *, size: tuple[int, int] = (32, 32), format: str = "PNG") -> bytes:
    """Return a small valid picture; another number gives other bytes."""
    buffer = BytesIO()
    colour = (number * 37 % 256, number * 91 % 256, number // 256 % 256)
    Picture.new("RGB", size, colour).save(buffer, format=format)
    return buffer.getvalue()


def make_image(number: int | None = None, *, size: tuple[int, int] = (32, 32)) -> Image:
    """Return a stored image with its file and thumbnail."""
    number = next(_number) if number is None else number
    data = picture_bytes(number, size=size)
    sha256 = hashlib.sha256(data).hexdigest()
    existing = Image.objects.filter(sha256=sha256).first()
    if existing:
        return existing
    name = f"images/{sha256[:2]}/{sha256}.png"
    if not default_storage.exists(name):
        default_storage.save(name, ContentFile(data))
    return Image.objects.create(
        sha256=sha256, file=name, thumbnail=name, media_type="image/png",
        width=size[0], height=size[1], n_bytes=len(data),
    )  # fmt: skip


def make_items(
    project: Project, n: int = 3, *, given: Sequence[int] | None = None, size: tuple[int, int] = (32, 32)
) -> list[Item]:
    """Return `n` whole-image items, ordinals in order; `given` are class codes that came with the import."""
    classes = list(project.classes.order_by("code"))
    start = project.items.count()
    items = [
        Item.objects.create(
            project=project,
            image=make_image(size=size),
            ordinal=start + i,
            path=f"image-{start + i:04d}.png",
            needed=project.overlap,
            given=classes[given[i]] if given is not None else None,
        )
        for i in range(n)
    ]
    Project.objects.filter(pk=project.pk).update(n_items=start + n)
    project.refresh_from_db()
    return items


def make_annotator(project: Project, name: str = "", *, user=None, kind: str = Annotator.Kind.PERSON) -> Annotator:
    """Return an annotator of the project."""
    number = next(_number)
    return Annotator.objects.create(
        project=project, name=name or f"annotator-{number}", user=user, kind=kind, seed=number
    )


def make_trial(
    item: Item,
    annotator: Annotator,
    *,
    label: int | None = None,
    response_ms: float | None = None,
    position: int | None = None,
    **fields,
) -> Trial:
    """Return a trial, answered with class code `label` where one is given. Counts of the item are kept right."""
    if position is None:
        position = annotator.trials.count() + 1
    fields.setdefault("state", Trial.State.ISSUED if label is None else Trial.State.ANSWERED)
    if response_ms is None and label is not None:
        fields.setdefault("null_reason", "not_measured")
    trial = Trial.objects.create(
        project=item.project, item=item, annotator=annotator, position=position,
        issued_at=timezone.now(), response_ms=response_ms, **fields,
    )  # fmt: skip
    item.taken += 1
    if label is not None:
        item.answered += 1
        answer = item.project.classes.get(code=label)
        Annotation.objects.create(trial=trial, label=answer, client_key=f"factory-{trial.pk}")
    item.save(update_fields=["taken", "answered"])
    return trial
