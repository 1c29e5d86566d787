"""The demo's two projects: real images out of the dependencies, through the same intake as anybody's files.

Digits: scikit-learn's 1,797 handwritten digits (UCI, E. Alpaydin and C. Kaynak), 8 x 8 pixels, drawn larger.
Faces: scikit-image's `lfw_subset`, 100 faces of Labeled Faces in the Wild and 100 pieces without one, 25 x 25 pixels.
Trials are those of synthetic annotators; how hard an item is to them follows from how close it looks to another class.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from numpy.typing import NDArray
from PIL import Image as Picture

from annotations.intake.zip_archive import ZipReader
from annotations.models import Membership, Project
from annotations.simulation import difficulty_from_features, make_annotators, simulate

from .images import ImportRun, import_images
from .members import add_member
from .projects import create_project
from .synthetic_trials import write_synthetic_trials

MANAGER, ANNOTATOR = "demo-manager", "demo-annotator"
SEED = 2026


@dataclass(frozen=True)
class Pictures:
    """Grey pictures (n, height, width) with values 0 to 1, a class name for each, and names for the files."""

    pixels: NDArray[np.float64]
    labels: Sequence[str]
    names: Sequence[str]


@dataclass(frozen=True)
class DemoProject:
    """What a demo project is made of. `n_judged`: items that the synthetic annotators judge."""

    slug: str
    name: str
    classes: tuple[str, ...]
    guidelines: str
    side: int
    n_annotators: int
    n_judged: int
    load: Callable[[], Pictures]


def _digits() -> Pictures:
    from sklearn.datasets import load_digits

    bunch: Any = load_digits()
    # The set holds ink on paper: 16 is full ink.
    return Pictures(
        pixels=1 - bunch.images / 16.0,
        labels=[str(digit) for digit in bunch.target],
        names=[f"digit-{index:04d}.png" for index in range(len(bunch.target))],
    )


def _faces() -> Pictures:
    from skimage.data import lfw_subset

    pixels = np.asarray(lfw_subset(), dtype=np.float64)
    is_face = np.arange(len(pixels)) < 100
    return Pictures(
        pixels=pixels,
        labels=["face" if face else "not a face" for face in is_face],
        names=[f"piece-{index:03d}.png" for index in range(len(pixels))],
    )


DEMO = {
    project.slug: project
    for project in (
        DemoProject(
            slug="demo-faces",
            name="Faces",
            classes=("face", "not a face"),
            guidelines="Is this piece of a photograph a human face?\n\n"
            "A face counts when both eyes are in the picture. Answer as soon as you know; do not hurry.",
            side=250,
            n_annotators=5,
            n_judged=140,
            load=_faces,
        ),
        DemoProject(
            slug="demo-digits",
            name="Digits",
            classes=tuple(str(digit) for digit in range(10)),
            guidelines="Which digit did somebody write here?\n\n"
            "Press its key as soon as you know; do not hurry. If you cannot tell, skip it and say so.",
            side=160,
            n_annotators=5,
            n_judged=900,
            load=_digits,
        ),
    )
}


def make_demo_people() -> tuple[Any, Any]:
    """Return the demo's manager and annotator, made at the first call without passwords."""
    return _person(MANAGER, "Demo manager"), _person(ANNOTATOR, "Demo annotator")


def _person(username: str, full_name: str) -> Any:
    model = get_user_model()
    user = model._default_manager.filter(username=username).first()
    if user is None:
        first, last = full_name.split(" ")
        user = model(username=username, first_name=first, last_name=last)
        user.set_unusable_password()
        user.save()
    return user


def make_demo_project(demo: DemoProject) -> Project:
    """Return the demo project, made at the first call, with its two members and no items yet."""
    manager, annotator = make_demo_people()
    try:
        with transaction.atomic():
            project = Project.objects.filter(slug=demo.slug).first() or create_project(
                name=demo.name,
                slug=demo.slug,
                classes=demo.classes,
                overlap=demo.n_annotators,
                guidelines=demo.guidelines,
                created_by=manager,
            )
            add_member(project=project, user=manager, role=Membership.Role.MANAGER)
            add_member(project=project, user=annotator)
    except IntegrityError:  # somebody else made it in this moment
        project = Project.objects.get(slug=demo.slug)
    return project


def fill_demo_project(*, run: ImportRun, demo: DemoProject, project: Project) -> dict[str, int]:
    """Import the images and write the synthetic trials; safe to run again, also after it was cut short."""
    run.progress(0, None, stage="Drawing images")
    pictures = demo.load()
    paths = [f"{label}/{name}" for label, name in zip(pictures.labels, pictures.names, strict=True)]
    archive = io.BytesIO()
    _draw(pictures, paths, archive, side=demo.side)
    summary = import_images(run=run, project=project, reader=ZipReader(archive), labels_from_folders=True)
    codes = np.array([demo.classes.index(label) for label in pictures.labels])
    difficulty, rival = difficulty_from_features(pictures.pixels.reshape(len(codes), -1), codes, seed=SEED)
    annotators = make_annotators(demo.n_annotators, seed=SEED)
    judged = np.random.default_rng(SEED).choice(len(codes), demo.n_judged, replace=False)
    trials = simulate(difficulty=difficulty, truth=codes, rival=rival, annotators=annotators, judged=judged, seed=SEED)
    n_trials = write_synthetic_trials(
        run=run, project=project, paths=paths, class_names=demo.classes, annotators=annotators, trials=trials
    )
    return {**summary.as_dict(), "n_synthetic_trials": n_trials}


def _draw(pictures: Pictures, paths: Sequence[str], archive: io.BytesIO, *, side: int) -> None:
    """Pack the pictures, drawn `side` pixels wide, into folders named by class."""
    grey = np.rint(np.clip(pictures.pixels, 0, 1) * 255).astype(np.uint8)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for pixels, path in zip(grey, paths, strict=True):
            large = Picture.fromarray(pixels).resize((side, side), Picture.Resampling.BICUBIC)
            with packed.open(path, "w") as file:
                large.save(file, "PNG", compress_level=1)
