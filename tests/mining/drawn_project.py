"""A small project whose objects are drawn: striped patches in grey scenes, simulated annotators of known truth."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import F
from django.utils import timezone
from PIL import Image as Picture

from annotations.models import Annotator, DrawnBox, Image, Item, Project, Trial
from tests import factories

from .small_project import CLASSES

SIDE, PATCH = 96, 32
PLACES = ((4, 6), (58, 8), (30, 60))
"""Upper left corners of the three objects of every scene, in pixels."""


@dataclass
class Truth:
    """What was put in, (n_images * 3,): log-time, class, and how likely an annotator is to see the object."""

    hardness: np.ndarray
    label: np.ndarray
    seen: np.ndarray

    def of(self, item: Item) -> int:
        """Return the row of the true object that an item lies on."""
        number = int(item.path.split("-")[1][:2])
        middle = np.array([item.box_x + item.box_width / 2, item.box_y + item.box_height / 2]) * SIDE
        places = np.array(PLACES) + PATCH / 2
        return number * 3 + int(np.argmin(((places - middle) ** 2).sum(axis=1)))


def make_drawn_project(
    *, n_images: int = 14, n_annotators: int = 6, slug: str = "drawn", seed: int = 0
) -> tuple[Project, Truth]:
    """Return the project after everybody has drawn in every image, and the truth. Nothing is matched yet.

    Boxes are off by some pixels, hard objects take longer and are missed more often.
    """
    rng = np.random.default_rng(seed)
    project = factories.make_project(
        slug.title(), slug=slug, classes=CLASSES, overlap=n_annotators, unit="object", boxes="drawn"
    )
    n = n_images * 3
    hardness = rng.uniform(0, 1.2, n)
    truth = Truth(hardness, np.arange(n) % 3, np.where(hardness > 0.9, 0.75, 1.0))
    items = [_scene(project, number, truth, rng) for number in range(n_images)]
    Project.objects.filter(pk=project.pk).update(n_items=n_images)
    for number in range(n_annotators):
        annotator = factories.make_annotator(project, f"Synthetic {number}", kind=Annotator.Kind.SYNTHETIC)
        _draw_all(annotator, items, truth, 0.15 * number, rng)
    project.refresh_from_db()
    return project, truth


def _scene(project: Project, number: int, truth: Truth, rng: np.random.Generator) -> Item:
    pixels = np.full((SIDE, SIDE), 128.0)
    row, column = np.mgrid[0:PATCH, 0:PATCH]
    for place, (left, top) in enumerate(PLACES):
        at = number * 3 + place
        phase = (column, row, row + column)[truth.label[at]] / 8 * 2 * np.pi
        patch = 128 + 90 * np.sin(phase) + rng.normal(0, 10 + 60 * truth.hardness[at], (PATCH, PATCH))
        pixels[top : top + PATCH, left : left + PATCH] = patch
    buffer = BytesIO()
    Picture.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(buffer, format="PNG")
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    name = default_storage.save(f"images/{sha256}.png", ContentFile(buffer.getvalue()))
    image = Image.objects.create(
        sha256=sha256, file=name, thumbnail=name, media_type="image/png", width=SIDE, height=SIDE,
        n_bytes=len(buffer.getvalue()),
    )  # fmt: skip
    return Item.objects.create(
        project=project, image=image, ordinal=number, path=f"scene-{number:02d}.png", needed=project.overlap,
        unmatched=True,
    )  # fmt: skip


def _draw_all(annotator: Annotator, items: list[Item], truth: Truth, slowness: float, rng: np.random.Generator) -> None:
    labels = list(annotator.project.classes.order_by("code"))
    for position, number in enumerate(rng.permutation(len(items)).tolist(), start=1):
        trial = Trial.objects.create(
            project=annotator.project, item=items[number], annotator=annotator, source=Trial.Source.SYNTHETIC,
            state=Trial.State.ANSWERED, position=position, issued_at=timezone.now(), received_at=timezone.now(),
            session_name=str(uuid.uuid4()),
        )  # fmt: skip
        boxes = []
        for place, (left, top) in enumerate(PLACES):
            at = number * 3 + place
            if rng.random() > truth.seen[at]:
                continue
            x, y = np.clip(np.array([left, top]) + rng.normal(0, 1.5, 2), 0, SIDE - PATCH)
            width, height = np.clip(PATCH + rng.normal(0, 1.5, 2), 8, SIDE - np.array([x, y]))
            log_ms = 7.2 + truth.hardness[at] + slowness + rng.normal(0, 0.15)
            wrong = truth.hardness[at] > 1.0 and rng.random() < 0.15
            boxes.append(
                DrawnBox(
                    trial=trial, number=len(boxes) + 1, x=x / SIDE, y=y / SIDE, width=width / SIDE,
                    height=height / SIDE, label=labels[(truth.label[at] + wrong) % 3],
                    response_ms=float(np.exp(log_ms)),
                )
            )  # fmt: skip
        DrawnBox.objects.bulk_create(boxes)
        Item.objects.filter(pk=items[number].pk).update(answered=F("answered") + 1, taken=F("taken") + 1)
