"""A small project that a whole round can run on in seconds: striped pictures, people with known truth."""

from __future__ import annotations

import hashlib
from io import BytesIO

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image as Picture

from annotations.models import Annotation, Annotator, Image, Item, Project, Trial
from tests import factories

CLASSES = ("across", "down", "slanted")
QUICK = {"n_resamples": 100, "retraining_seeds": 2, "n_folds": 3}
"""Settings under which a round's arithmetic takes a second or two."""


def stripes(code: int, noise: float, generator: np.random.Generator, side: int = 32) -> bytes:
    """Return a PNG of stripes in one of three directions; the noisier, the harder to tell."""
    row, column = np.mgrid[0:side, 0:side]
    phase = (column, row, row + column)[code] / 8 * 2 * np.pi
    pixels = 128 + 90 * np.sin(phase + generator.uniform(0, 6)) + generator.normal(0, noise, (side, side))
    buffer = BytesIO()
    Picture.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()


def make_striped_project(
    *, n_items: int = 60, n_annotators: int = 6, slug: str = "stripes", given: bool = True, trials: bool = True,
    times: bool = True, classes: tuple[str, ...] = CLASSES, kind: str = Annotator.Kind.IMPORTED, seed: int = 0,
) -> tuple[Project, np.ndarray]:  # fmt: skip
    """Return the project and the true log-time of every item (n,): noisy pictures take people longer.

    Every annotator judges every item once, in an order of their own. Rows are written in bulk.
    """
    generator = np.random.default_rng(seed)
    project = factories.make_project(slug.title(), slug=slug, classes=classes, overlap=n_annotators)
    labels = list(project.classes.order_by("code"))
    codes = np.arange(n_items) % len(classes)
    hardness = generator.uniform(0, 1, n_items)
    images = []
    for code, level in zip(codes, hardness, strict=True):
        data = stripes(int(code), 10 + 120 * level, generator)
        sha256 = hashlib.sha256(data).hexdigest()
        name = default_storage.save(f"images/{sha256}.png", ContentFile(data))
        images.append(
            Image(sha256=sha256, file=name, thumbnail=name, media_type="image/png", width=32, height=32,
                  n_bytes=len(data))
        )  # fmt: skip
    images = Image.objects.bulk_create(images)
    items = Item.objects.bulk_create(
        Item(
            project=project, image=image, ordinal=i, path=f"{classes[codes[i]]}/{i:03d}.png", needed=n_annotators,
            taken=n_annotators if trials else 0, answered=n_annotators if trials else 0,
            given=labels[codes[i]] if given else None,
        )
        for i, image in enumerate(images)
    )  # fmt: skip
    Project.objects.filter(pk=project.pk).update(n_items=n_items)
    project.refresh_from_db()
    truth = 0.5 * hardness
    if trials:
        add_trials(project, items, codes, truth, n_annotators, generator, times=times, kind=kind)
    return project, truth


def add_trials(project, items, codes, truth, n_annotators, generator, *, times, kind) -> None:
    """Let every annotator judge every item; one in twelve answers on a hard item is wrong."""
    labels = list(project.classes.order_by("code"))
    trials, answers = [], []
    for number in range(n_annotators):
        annotator = factories.make_annotator(project, f"person-{number}", kind=kind)
        for position, i in enumerate(generator.permutation(len(items)), start=1):
            log_time = truth[i] + 0.1 * number + generator.normal(0, 0.15)
            wrong = truth[i] > 0.35 and generator.random() < 1 / 12
            trials.append(
                Trial(
                    project=project, item=items[i], annotator=annotator, source=kind, state=Trial.State.ANSWERED,
                    position=position, issued_at=timezone.now(), null_reason="" if times else "not_measured",
                    response_ms=float(1000 * np.exp(log_time)) if times else None,
                )
            )  # fmt: skip
            answers.append(labels[(codes[i] + wrong) % len(labels)])
    trials = Trial.objects.bulk_create(trials, batch_size=500)
    Annotation.objects.bulk_create(
        [Annotation(trial=t, label=a, client_key=f"t{t.pk}") for t, a in zip(trials, answers, strict=True)],
        batch_size=500,
    )
