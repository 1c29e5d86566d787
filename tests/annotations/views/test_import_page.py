"""Uploading images: a zip or files become a job; what is wrong is said before anything is kept."""

from __future__ import annotations

import io
import json
import os
import zipfile
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotations.intake.uploads import drop_old_uploads
from annotations.models import Project
from hardness_site.jobs.models import Job
from hardness_site.jobs.services import run_job
from tests import factories
from tests.annotations.intake.pictures import encoded, noise


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotations.services.uploads.queue_job", lambda job: None)


def archive(names: dict[str, bytes]) -> SimpleUploadedFile:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, data in names.items():
            file.writestr(name, data)
    return SimpleUploadedFile("pets.zip", packed.getvalue())


def upload(client: Client, project: Project, files: list, **more):
    return client.post(reverse("import_images", args=[project.slug]), {"images": files, **more})


def stored() -> list[str]:
    try:
        return default_storage.listdir("uploads")[1]
    except FileNotFoundError:
        return []


def test_a_zip_of_class_folders_becomes_labelled_items(project: Project, manager_client: Client, manager) -> None:
    file = archive({"cat/a.png": encoded(noise()), "dog/b.png": encoded(noise(seed=1)), "dog/c.txt": b"hello"})
    answer = upload(manager_client, project, [file], labels_from_folders="on")
    job = Job.objects.get()
    assert answer["Location"] == reverse("job", args=[job.pk])
    assert (job.created_by, job.scope, job.title) == (manager, project.scope, "Import of pets.zip")
    assert run_job(job.pk).status == "succeeded"
    assert list(project.items.values_list("path", "given__name")) == [("cat/a.png", "cat"), ("dog/b.png", "dog")]
    assert stored() == []
    text = manager_client.get(answer["Location"]).content.decode()
    assert "dog/c.txt" in text and "Not a JPEG, PNG, WebP, GIF, BMP or TIFF image." in text
    assert reverse("items", args=[project.slug]) in text


def test_image_files_are_taken_together(project: Project, manager_client: Client) -> None:
    files = [SimpleUploadedFile(f"{n}.png", encoded(noise(seed=n))) for n in range(3)]
    upload(manager_client, project, files, labels_from_folders="on")
    job = Job.objects.get()
    assert job.title == "Import of 3 files"
    assert run_job(job.pk).result["n_new"] == 3
    assert [item.path for item in project.items.all()] == ["0.png", "1.png", "2.png"]


def test_a_module_gets_json(project: Project, manager_client: Client) -> None:
    address = reverse("import_images", args=[project.slug])
    accept = {"Accept": "application/json"}
    answer = manager_client.post(address, {}, headers=accept)
    assert (answer.status_code, answer.json()) == (422, {"problems": ["This field is required."]})
    answer = manager_client.post(address, {"images": archive({"a.png": encoded()})}, headers=accept)
    assert answer.json() == {"next": reverse("job", args=[Job.objects.get().pk])}


def test_what_cannot_be_taken_is_said_and_nothing_is_kept(project: Project, manager_client: Client) -> None:
    two = [archive({"a.png": encoded()}), SimpleUploadedFile("b.png", encoded())]
    assert b"A zip archive comes alone" in upload(manager_client, project, two).content
    assert b"The submitted file is empty" in upload(manager_client, project, [SimpleUploadedFile("a.png", b"")]).content
    assert upload(manager_client, project, []).status_code == 422
    assert not Job.objects.exists()
    assert stored() == []


def test_a_broken_archive_fails_its_job_with_the_reason_and_can_be_run_again(
    project: Project, manager_client: Client
) -> None:
    upload(manager_client, project, [SimpleUploadedFile("a.zip", archive({"a.png": encoded()}).read()[:-30])])
    job = run_job(Job.objects.get().pk)
    assert (job.status, job.error) == ("failed", "Not a zip archive, or it was cut off: its end is missing.")
    assert len(stored()) == 1


def test_a_job_whose_upload_is_gone_says_so(project: Project, manager_client: Client) -> None:
    upload(manager_client, project, [archive({"a.png": encoded()})])
    default_storage.delete(f"uploads/{stored()[0]}")
    job = run_job(Job.objects.get().pk)
    assert job.error == "The uploaded file is no longer there: import it anew."


def test_uploads_that_nobody_imported_are_dropped_after_a_week() -> None:
    for name, days in (("old.zip", 8), ("new.zip", 1)):
        default_storage.save(f"uploads/{name}", ContentFile(b"x"))
        then = (timezone.now() - timedelta(days=days)).timestamp()
        os.utime(default_storage.path(f"uploads/{name}"), (then, then))
    assert drop_old_uploads() == 1
    assert stored() == ["new.zip"]


def test_annotators_cannot_upload(project: Project, annotator_client: Client) -> None:
    assert upload(annotator_client, project, [archive({"a.png": encoded()})]).status_code == 404
    assert stored() == []


@pytest.fixture
def scenes(manager) -> Project:
    return factories.make_project("Scenes", unit="object", manager=manager)


def test_boxes_come_inside_a_zip_and_bad_ones_are_named_by_row(scenes: Project, manager_client: Client) -> None:
    rows = "path,x,y,width,height,label\na.png,0,0,16,8,cat\na.png,8,16,24,16,\na.png,990,0,16,8,cat\nz.png,0,0,1,1,\n"
    coco = {"images": [{"id": 1, "file_name": "more/b.png"}], "annotations": [{"image_id": 1, "bbox": [0, 0, 8, 8]}, 1]}
    names = {
        "more/a.png": encoded(noise()), "more/b.png": encoded(noise(seed=1)), "more/boxes.csv": rows.encode(),
        "coco.json": json.dumps(coco).encode(),
    }  # fmt: skip
    upload(manager_client, scenes, [archive(names)])
    job = run_job(Job.objects.get().pk)
    assert job.status == "succeeded"
    figures = {name: job.result[name] for name in ("n_new", "n_refused", "n_new_boxes", "n_refused_boxes")}
    assert figures == {"n_new": 2, "n_refused": 0, "n_new_boxes": 3, "n_refused_boxes": 3}
    assert list(scenes.items.order_by("path").values_list("path", "given__name")) == [
        ("more/a.png#1", "cat"), ("more/a.png#2", None), ("more/b.png#1", None),
    ]  # fmt: skip
    said = dict(job.messages.filter(level="refused").values_list("subject", "text"))
    assert sorted(said) == ["coco.json annotation 2", "more/boxes.csv row 4", "more/boxes.csv row 5"]
    assert said["more/boxes.csv row 4"].startswith("The box leaves the image, which is ")
    text = manager_client.get(reverse("job", args=[job.pk])).content.decode()
    assert "more/boxes.csv row 4" in text


def test_boxes_can_be_sent_alone_and_as_shares(scenes: Project, manager_client: Client) -> None:
    upload(manager_client, scenes, [SimpleUploadedFile("a.png", encoded(noise()))])
    run_job(Job.objects.latest("created_at").pk)
    file = SimpleUploadedFile("boxes.csv", b"path,x,y,width,height\na.png,0.25,0,0.5,0.5\n")
    upload(manager_client, scenes, [file], boxes_in_shares="on")
    job = run_job(Job.objects.latest("created_at").pk)
    assert (job.status, job.result["n_new_boxes"], job.result["n_read"]) == ("succeeded", 1, 0)
    item = scenes.items.get()
    assert (item.path, item.box_x, item.box_width) == ("a.png#1", 0.25, 0.5)


def test_a_file_of_boxes_that_cannot_be_read_stops_no_image(scenes: Project, manager_client: Client) -> None:
    upload(manager_client, scenes, [archive({"a.png": encoded(noise()), "notes.csv": b"a,b\n1,2\n"})])
    job = run_job(Job.objects.get().pk)
    assert (job.status, job.result["n_new"], job.result["n_refused_boxes"]) == ("succeeded", 1, 1)
    assert "Columns are missing" in job.messages.get(subject="notes.csv").text


def test_projects_without_imported_boxes_take_none(project: Project, manager, manager_client: Client) -> None:
    drawn = factories.make_project("Drawn", unit="object", boxes="drawn", manager=manager)
    for one in (project, drawn):
        assert b"Boxes are shares" not in manager_client.get(reverse("import_images", args=[one.slug])).content
        upload(manager_client, one, [archive({"a.png": encoded(noise()), "boxes.csv": b"path,x,y,width,height\n"})])
        job = run_job(Job.objects.latest("created_at").pk)
        assert (job.result["n_new"], job.result["n_refused"]) == (1, 1)
