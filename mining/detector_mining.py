"""Mine the hard negatives of a detector from a project's own images. For workers only."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.core.files.storage import storages
from PIL import Image as Picture
from PIL import ImageOps

from annotations.models import Image, Item, LabelClass, Project
from hardness_site.jobs.running import JobFailed, JobRun
from mining.artifacts import project_folder
from mining.feature_parts import box_in_pixels
from mining.hardness.share_interval import share_interval
from mining.learners.errors import LearnerError
from mining.learners.hog import hog_features
from mining.learners.holdout import held_out
from mining.strategies.detection.experiment import DetectorExperiment, Judged, detector_experiment, thinned
from mining.strategies.detection.negative_mining import MiningSettings
from mining.strategies.detection.scan import Window

CELL = 5
SHORT_SIDE, LONGEST_SIDE = 25, 60
MOST_OBJECTS, MOST_IMAGES = 5_000, 500
LONGEST_SCANNED = 640
"""Larger images are scanned at this size: smaller objects than that leaves are not looked for."""
TEST_SHARE = 0.5
MINED = ("camera", "coffee", "cat", "brick", "gravel", "page", "clock", "hubble_deep_field")
TESTED = ("rocket", "moon", "grass", "coins", "text", "immunohistochemistry")
"""Photographs without a face from the front of scikit-image: those that are mined, and those only tested on."""


def mine_detector(
    run: JobRun, project: Project, label: LabelClass, *, photographs: bool, rounds: int
) -> dict[str, Any]:
    """Train, scan, add what was taken for an object, train again; write detection/<project>/<class>.json.

    Objects and images are parted into training and test by the bytes of their image, so that running again gives the
    same. Raises `JobFailed` with what is missing and what to do about it.
    """
    objects = list(
        Item.objects.filter(project=project, given=label).select_related("image").order_by("ordinal")[:MOST_OBJECTS]
    )
    window = fitting_window(objects)
    run.progress(0, None, stage="Reading objects")
    pixels = np.stack([_object_array(item, window) for item in objects]) if objects else np.zeros((0, 25, 25))
    tested_object = _tested([item.image.sha256 for item in objects])
    features = hog_features(pixels, pixels_per_cell=(CELL, CELL)) if objects else np.zeros((0, window.n_features))
    mined, tested = _backgrounds(run, project, label, window)
    n_own = len(mined) + len(tested)
    if photographs:
        mined, tested = [*mined, *_photographs(MINED)], [*tested, *_photographs(TESTED)]
    if not mined or not tested:
        raise JobFailed(
            f"There are {n_own} images without {label.name} that are at least as large as the window "
            f"({window.width} x {window.height} pixels); mining and testing need one each. Import more, or add "
            "scikit-image's photographs."
        )
    try:
        found = detector_experiment(
            features[~tested_object], features[tested_object], mined, tested, window,
            settings=MiningSettings(rounds=rounds),
            on_progress=lambda done, total: run.progress(done, total, stage="Scanning images"),
        )  # fmt: skip
    except LearnerError as reason:
        raise JobFailed(f"The detector of {label.name} cannot be trained: {reason}. Label more objects.") from None
    content = {
        "class": label.name, "photographs": photographs, "window": [window.width, window.height],
        "n_mined_images": len(mined), "n_tested_images": len(tested), **described(found),
    }  # fmt: skip
    project_folder("detection", project.pk).write_json(f"{label.code}.json", content)
    return {"class": label.name, "code": label.code, "n_rounds": len(found.rounds)}


def fitting_window(objects: list[Item]) -> Window:
    """Return a window of whole cells with the median shape of the objects, 25 pixels on its short side."""
    shapes = [
        (item.box_width or 1.0) * item.image.width / max(1e-9, (item.box_height or 1.0) * item.image.height)
        for item in objects
    ]
    aspect = float(np.median(shapes)) if shapes else 1.0
    long = int(np.clip(round(SHORT_SIDE * max(aspect, 1.0 / aspect) / CELL) * CELL, SHORT_SIDE, LONGEST_SIDE))
    return Window(SHORT_SIDE, long) if aspect >= 1.0 else Window(long, SHORT_SIDE)


def _open(image: Image) -> Picture.Image:
    with storages["default"].open(image.file, "rb") as file, Picture.open(file) as opened:
        return ImageOps.exif_transpose(opened).convert("L")


def _object_array(item: Item, window: Window) -> np.ndarray:
    picture = _open(item.image)
    if item.box_x is not None:
        picture = picture.crop(box_in_pixels((item.box_x, item.box_y, item.box_width, item.box_height), picture.size))
    return np.asarray(picture.resize((window.width, window.height), Picture.Resampling.BILINEAR)) / 255.0


def _backgrounds(
    run: JobRun, project: Project, label: LabelClass, window: Window
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the project's labelled images that hold no object of the class: to be mined, and to be tested on."""
    known = Item.objects.filter(project=project, given__isnull=False)
    # An image with an object that nobody has labelled may hold what is looked for: it is not scanned.
    unsure = Item.objects.filter(project=project, given__isnull=True).values("image")
    holding = known.filter(given=label).values("image")
    images = list(
        Image.objects.filter(pk__in=known.values("image"), width__gte=window.width, height__gte=window.height)
        .exclude(pk__in=holding)
        .exclude(pk__in=unsure)
        .order_by("pk")[:MOST_IMAGES]
    )
    mined: list[np.ndarray] = []
    tested: list[np.ndarray] = []
    for done, (image, is_tested) in enumerate(zip(images, _tested([one.sha256 for one in images]), strict=True)):
        run.progress(done, len(images), stage="Reading images")
        picture = _open(image)
        picture.thumbnail((LONGEST_SCANNED, LONGEST_SCANNED))
        if picture.width >= window.width and picture.height >= window.height:
            (tested if is_tested else mined).append(np.asarray(picture) / 255.0)
    return mined, tested


def _tested(sha256: list[str]) -> np.ndarray:
    return held_out(sha256, TEST_SHARE, salt="detector") if sha256 else np.zeros(0, dtype=bool)


def _photographs(names: tuple[str, ...]) -> list[np.ndarray]:
    from skimage import data
    from skimage.color import rgb2gray

    pictures = [getattr(data, name)() for name in names]
    return [rgb2gray(one) if one.ndim == 3 else one / 255.0 for one in pictures]


def described(found: DetectorExperiment) -> dict[str, Any]:
    """Return the experiment as JSON can hold it; curves thinned to what can be seen."""
    return {
        "n_train": found.n_train, "n_test": found.n_test, "n_test_windows": found.n_test_windows,
        "rounds": [
            {"number": turn.number, "n_windows": turn.n_windows, "n_false_positives": turn.n_false_positives,
             "n_new": turn.n_new, "n_negatives": turn.n_negatives}
            for turn in found.rounds
        ],
        "detectors": [_detector(one, found) for one in found.judged],
    }  # fmt: skip


def _detector(one: Judged, found: DetectorExperiment) -> dict[str, Any]:
    curve = thinned(one.curve)
    return {
        "name": one.name, "n_negatives": one.n_negatives, "false_positive_rate": one.false_positive_rate,
        "false_positive_interval": share_interval(
            round(one.false_positive_rate * found.n_test_windows), found.n_test_windows
        ),
        "miss_rate": one.miss_rate,
        "miss_interval": share_interval(round(one.miss_rate * found.n_test), found.n_test),
        "missed_at_1_in_1000": one.curve.miss_rate_at(1e-3),
        "curve": [list(pair) for pair in zip(curve.false_positive_rate, curve.miss_rate, strict=True)],
    }  # fmt: skip
