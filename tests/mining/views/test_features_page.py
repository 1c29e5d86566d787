"""The page of networks, vectors and groups, and what of them can be chosen for a round."""

from __future__ import annotations

import io

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from hardness_site.jobs.models import Job
from hardness_site.jobs.services import run_job
from mining.models import FeatureSource, Round
from mining.selectors.choices import named_groups
from tests import factories
from tests.mining.networks import tiny_network

pytestmark = pytest.mark.django_db
PAGE = "/projects/pets/features/"


@pytest.fixture
def items(project):
    return factories.make_items(project, 2)


def send(client, kind, file, content, **fields):
    named = {f"{kind}-{name}": value for name, value in {"name": "mine", **fields}.items()}
    return client.post(PAGE, {"kind": kind, f"{kind}-uploads": SimpleUploadedFile(file, content), **named})


def vectors(paths):
    buffer = io.BytesIO()
    np.savez(buffer, item=np.array(paths), features=np.arange(2.0 * len(paths)).reshape(-1, 2))
    return buffer.getvalue()


def test_a_network_becomes_a_job_and_then_a_choice(manager_client, project, items):
    data = tiny_network().SerializeToString()
    answer = send(manager_client, "network", "net.onnx", data, normalisation="unit")
    job = Job.objects.get()
    assert answer["Location"] == f"/jobs/{job.pk}/"
    assert run_job(job.pk).status == "succeeded"
    assert FeatureSource.objects.get().choice == "network:mine"
    assert "network, 16 × 16 pixels" in manager_client.get(PAGE).content.decode()
    assert "Network mine" in manager_client.get("/projects/pets/rounds/").content.decode()


def test_a_refused_network_says_why_and_is_no_choice(manager_client, project, items):
    send(manager_client, "network", "net.onnx", b"\x7fELF", normalisation="unit")
    job = run_job(Job.objects.get().pk)
    assert (job.status, job.error) == ("failed", "The network was refused. This is no ONNX file.")
    assert "This is no ONNX file." in manager_client.get(f"/jobs/{job.pk}/").content.decode()
    assert not FeatureSource.objects.exists()


def test_vectors_with_problems_list_them_by_row(manager_client, project, items):
    send(manager_client, "file", "v.npz", vectors([items[0].path, "nobody.png"]))
    job = run_job(Job.objects.get().pk)
    assert job.status == "failed"
    assert [(line.subject, line.text) for line in job.messages.all()] == [
        ("row 2", "'nobody.png' is no item of pets: use the path given at import.")
    ]


def test_vectors_of_half_the_items_are_stored_and_that_is_said(manager_client, project, items):
    send(manager_client, "file", "v.npz", vectors([items[0].path]))
    job = run_job(Job.objects.get().pk)
    assert job.result == {"n_items": 1, "n_numbers": 2, "choice": "file:mine"}
    assert job.messages.first().text == "1 items have no features in this file: a round goes on without them."


def test_groups_can_be_chosen_and_removed(manager_client, project, items):
    content = f"item,patient\n{items[0].path},7\n{items[1].path},7\n".encode()
    send(manager_client, "groups", "g.csv", content)
    assert run_job(Job.objects.get().pk).result == {"n_groups": 1, "n_items": 2}
    assert named_groups(project) == ["mine"]
    assert "Groups that stay together" in manager_client.get("/projects/pets/rounds/").content.decode()
    manager_client.post("/projects/pets/groups/mine/remove/")
    assert named_groups(project) == []


def test_a_wrong_suffix_or_name_is_said_at_the_form(manager_client, project, items):
    answer = send(manager_client, "network", "net.exe", b"MZ", normalisation="unit")
    assert answer.status_code == 422
    assert "net.exe must end in .onnx." in answer.content.decode()
    assert "Use small letters" in send(manager_client, "file", "v.npz", b"", name="No Name").content.decode()
    assert not Job.objects.exists()


def test_only_managers_see_it(client, annotator_user, project, items):
    client.force_login(annotator_user)
    assert client.get(PAGE).status_code in (403, 404)
    source = FeatureSource.objects.create(project=project, kind="file", name="x", sha256="0", dimension=2, n_bytes=1)
    assert client.post(f"/projects/pets/features/{source.pk}/remove/").status_code in (403, 404)
    assert FeatureSource.objects.exists()


def test_settings_of_learners_are_checked_at_the_form_and_kept(manager_client, project, items):
    page = manager_client.get("/projects/pets/rounds/")
    sent = {}
    for field in page.context["form"]:
        value = field.value()
        if value is not None and value is not False and value != "":
            sent[field.name] = value
    wrong = manager_client.post("/projects/pets/rounds/start/", {**sent, "hog_svm.c": "-1"})
    assert wrong.status_code == 422
    assert "c must be at least 1e-06, not -1" in wrong.content.decode()
    assert not Round.objects.exists()

    right = {**sent, "hog_svm.c": "0.5", "resampling": "smote", "class_weight": "balanced", "texture_statistics": "on"}
    answer = manager_client.post("/projects/pets/rounds/start/", right)
    assert answer.status_code == 302, answer.context["form"].errors
    params = Round.objects.get().params
    (entry,) = params["learners"]
    assert (entry["params"]["c"], entry["params"]["resampling"]) == (0.5, "smote")
    assert entry["params"]["class_weight"] == "balanced"
    assert (params["feature_kind"], params["texture_statistics"]) == ("hog", True)
    shown = manager_client.get(Round.objects.get().get_absolute_url()).content.decode()
    assert "HOG + texture" in shown
    assert "hog_svm (balanced, smote)" in shown
