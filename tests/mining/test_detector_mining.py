"""A detector mined from a project's own images: faces of the dependencies, whole and as objects in pictures."""

from __future__ import annotations

import hashlib
from io import BytesIO

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse
from PIL import Image as Picture

from annotations.models import Image, Item, Project
from hardness_site.jobs.models import Job
from hardness_site.jobs.services import run_job
from mining.selectors.detection import detection_of
from mining.services.detection import DetectionRefused, start_detection
from tests import factories


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr("mining.detector_mining.MINED", ("camera",))
    monkeypatch.setattr("mining.detector_mining.TESTED", ("coins",))
    monkeypatch.setattr("mining.strategies.detection.experiment.N_TEST_WINDOWS", 2000)
    monkeypatch.setattr("mining.services.detection.queue_job", lambda job: None)


def stored(pixels) -> Image:
    buffer = BytesIO()
    Picture.fromarray(np.asarray(pixels, dtype=np.uint8)).save(buffer, format="PNG")
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    name = default_storage.save(f"images/{sha256}.png", ContentFile(buffer.getvalue()))
    height, width = np.shape(pixels)
    return Image.objects.create(
        sha256=sha256, file=name, thumbnail=name, media_type="image/png", width=width, height=height, n_bytes=1
    )


@pytest.fixture
def faces(manager) -> Project:
    """Return whole images: 40 faces and 10 pieces without one."""
    from skimage.data import lfw_subset

    project = factories.make_project("Faces", slug="faces", classes=("face", "other"), manager=manager)
    labels = list(project.classes.order_by("code"))
    pieces = np.r_[lfw_subset()[:40], lfw_subset()[100:110]] * 255
    for number, pixels in enumerate(pieces):
        Item.objects.create(
            project=project, image=stored(pixels), ordinal=number, path=f"{number}.png", needed=1,
            given=labels[int(number >= 40)],
        )  # fmt: skip
    return project


def mined(project, **options) -> Job:
    job = start_detection(project=project, label=project.classes.get(code=0), **options)
    run_job(job.pk)
    job.refresh_from_db()
    return job


def test_mining_lowers_false_positives_and_beats_as_many_random_windows(faces, manager_client, client):
    job = mined(faces, photographs=True)

    assert job.status == "succeeded", job.error
    result = detection_of(faces, 0)
    rate = {one["name"]: one["false_positive_rate"] for one in result["detectors"]}
    last = max(name for name in rate if name.startswith("round"))
    assert next(iter(rate)) == "before" and list(rate)[-1] == "control"
    assert rate[last] < rate["before"] and rate[last] <= rate["control"]
    assert result["n_train"] + result["n_test"] == 40 and result["window"] == [25, 25]
    assert result["n_test_windows"] == 2000
    for one in result["detectors"]:
        low, high = one["false_positive_interval"]
        assert low <= one["false_positive_rate"] <= high
        assert 0 < len(one["curve"]) <= 80
        missed = [missed for _, missed in one["curve"]]
        assert missed == sorted(missed, reverse=True)

    page = manager_client.get(reverse("detection", args=["faces"])).content.decode()
    assert "Random control, as many negatives" in page and "After round 1" in page
    spec = manager_client.get(reverse("detection_chart", args=["faces", 0])).json()
    assert {row["detector"] for row in spec["data"]["values"]} >= {"Random negatives only", "After round 1"}
    before = detection_of(faces, 0)
    mined(faces, photographs=True)
    assert detection_of(faces, 0) == before


def test_objects_in_pictures_are_cut_out_and_their_pictures_never_scanned(manager):
    from skimage.data import camera, lfw_subset

    project = factories.make_project("Crowd", slug="crowd", classes=("face", "other"), manager=manager, unit="object")
    labels = list(project.classes.order_by("code"))
    faces = lfw_subset()[:36] * 255
    for number, face in enumerate(faces):
        pixels = np.full((50, 100), 120.0)
        pixels[10:35, 50:75] = face
        Item.objects.create(
            project=project, image=stored(pixels), ordinal=number, path=f"{number}.png", needed=1, given=labels[0],
            box_x=0.5, box_y=0.2, box_width=0.25, box_height=0.5,
        )  # fmt: skip
    for number in range(8):
        pixels = camera()[number * 60 : number * 60 + 80, 60:300]
        Item.objects.create(
            project=project, image=stored(pixels), ordinal=36 + number, path=f"b{number}.png", needed=1,
            given=labels[1], box_x=0.1, box_y=0.1, box_width=0.5, box_height=0.5,
        )  # fmt: skip

    job = mined(project, rounds=1)

    assert job.status == "succeeded", job.error
    result = detection_of(project, 0)
    assert result["n_mined_images"] + result["n_tested_images"] == 8
    assert result["n_train"] + result["n_test"] == 36


def test_what_cannot_be_mined_says_what_is_missing(faces, monkeypatch):
    Item.objects.filter(given__code=1).delete()
    lonely = mined(faces)
    assert lonely.status == "failed"
    assert "There are 0 images without face" in lonely.error and "photographs" in lonely.error
    Item.objects.filter(given__code=0, ordinal__gte=6).delete()
    few = mined(faces, photographs=True)
    assert few.status == "failed" and "at least 10 are needed" in few.error
    assert detection_of(faces, 0) is None


def test_one_at_a_time_and_within_bounds(faces):
    label = faces.classes.get(code=0)
    start_detection(project=faces, label=label)
    with pytest.raises(DetectionRefused, match="already"):
        start_detection(project=faces, label=label)
    with pytest.raises(DetectionRefused, match="1 to 5 rounds"):
        start_detection(project=faces, label=label, rounds=9)
    assert Job.objects.filter(kind="mine_detector").count() == 1


def test_the_page_starts_it_for_managers_only(faces, manager_client, client, annotator_user):
    address = reverse("detection", args=["faces"])
    assert "No detector yet" in manager_client.get(address).content.decode()
    answer = manager_client.post(address, {"label": faces.classes.get(code=0).pk, "rounds": 2, "photographs": "on"})
    job = Job.objects.get(kind="mine_detector")
    assert answer["Location"] == reverse("job", args=[job.pk])
    assert job.params["photographs"] is True
    again = manager_client.post(address, {"label": faces.classes.get(code=0).pk, "rounds": 2})
    assert again.status_code == 422 and "already" in again.content.decode()
    client.force_login(annotator_user)
    assert client.get(address).status_code == 404
