"""Predictions over HTTP: every way of sending, every refusal, all or nothing."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotations.services.tokens import create_token, revoke_token
from hardness_site.jobs.models import Job
from hardness_site.jobs.services import run_job
from mining.predictions import aligned_predictions
from mining.selectors.choices import imported_predictions
from tests import factories

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/projects/pets/predictions"
CSV = b"item,cat,dog\nimage-0000.png,0.9,0.1\nimage-0001.png,0.25,0.75\n"
BODY = {
    "name": "resnet", "out_of_fold": True, "item": ["image-0000.png", "image-0001.png"], "classes": ["cat", "dog"],
    "probabilities": [[0.9, 0.1], [0.25, 0.75]],
}  # fmt: skip


@pytest.fixture
def items(project):
    return factories.make_items(project, 2)


@pytest.fixture
def bearer(project, manager, items):
    _, secret = create_token(project=project, user=manager, name="cluster", scopes=["predictions"])
    return {"HTTP_AUTHORIZATION": f"Bearer {secret}"}


@pytest.fixture
def program():
    """A client without cookies that no CSRF exemption of the test client helps."""
    return Client(enforce_csrf_checks=True)


def form(**fields):
    files = fields.pop("file", SimpleUploadedFile("p.csv", CSV))
    return {"name": "resnet", "out_of_fold": "true", "file": files, **fields}


def send_json(client, body, **more):
    return client.post(ADDRESS, json.dumps(body), content_type="application/json", **more)


def checked(client, answer, **more):
    """Run the job that an answer names, and return what the API says of it then."""
    assert answer.status_code == 202, answer.content
    run_job(answer.json()["job"])
    return client.get(answer.json()["url"], **more).json()


def beliefs(project, items):
    cube, _ = aligned_predictions(project, "file:resnet", np.array([item.pk for item in items]), 2)
    return cube[0]


def test_a_form_with_a_file_and_a_token(program, bearer, project, items, manager):
    answer = program.post(ADDRESS, form(), **bearer)

    said = checked(program, answer, **bearer)
    assert (said["status"], said["learner"], said["n_predicted"], said["problems"]) == (
        "succeeded",
        "file:resnet",
        2,
        [],
    )
    assert beliefs(project, items) == pytest.approx(np.array(BODY["probabilities"]))
    assert Job.objects.get().created_by == manager
    assert imported_predictions(project)[0]["imported_by"] == "mona"
    assert default_storage.listdir("uploads")[1] == []


@pytest.mark.parametrize("values", ["probabilities", "logits"])
def test_json(program, bearer, project, items, values):
    body = {
        **BODY,
        values: BODY["probabilities"] if values == "probabilities" else np.log(BODY["probabilities"]).tolist(),
    }
    if values == "logits":
        del body["probabilities"]

    assert checked(program, send_json(program, body, **bearer), **bearer)["status"] == "succeeded"
    assert beliefs(project, items) == pytest.approx(np.array(BODY["probabilities"]), abs=1e-6)


def test_a_file_alone_in_the_body_is_streamed(program, bearer, project, items, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10  # the body is never held in memory
    file = io.BytesIO()
    np.savez(file, item=np.array(BODY["item"]), classes=np.array(["cat", "dog"]), probabilities=BODY["probabilities"])
    address = f"{ADDRESS}?name=resnet&out_of_fold=false"

    answer = program.post(address, file.getvalue(), content_type="application/x-npz", **bearer)

    assert checked(program, answer, **bearer)["n_predicted"] == 2
    assert imported_predictions(project)[0]["out_of_fold"] is False


def test_several_files_are_epochs_only_when_said(program, bearer, project, items):
    files = [SimpleUploadedFile(f"{number}.csv", CSV) for number in range(2)]
    answer = program.post(ADDRESS, form(file=files), **bearer)
    assert (answer.status_code, answer.json()) == (422, {"detail": "Say what the 2 files are: folds, seeds, epochs."})
    files = [SimpleUploadedFile(f"{number}.csv", CSV) for number in range(2)]
    answer = program.post(ADDRESS, form(file=files, files_are="epochs"), **bearer)
    assert checked(program, answer, **bearer)["status"] == "succeeded"
    assert imported_predictions(project)[0]["files_are"] == "epochs"


def test_every_problem_comes_with_its_row_and_nothing_is_stored(program, bearer, project, items):
    bad = SimpleUploadedFile("p.csv", b"item,cat,dog\nimage-0000.png,0.9,0.2\nnowhere.png,0.5,0.5\n")

    said = checked(program, program.post(ADDRESS, form(file=bad), **bearer), **bearer)

    assert said["status"] == "failed"
    assert said["error"].startswith("Nothing was stored: 2 problems.")
    assert said["problems"] == [
        {"file": "", "row": 2, "problem": "the probabilities sum to 1.1, not to 1 (if they are logits, say so)"},
        {"file": "", "row": 3, "problem": "'nowhere.png' is no item of pets: use the path given at import."},
    ]
    assert imported_predictions(project) == []


def test_problems_of_several_files_name_the_file(program, bearer, project, items):
    files = [SimpleUploadedFile("a, b.csv", CSV), SimpleUploadedFile("c.csv", b"item,cat\nimage-0000.png,1\n")]

    said = checked(program, program.post(ADDRESS, form(file=files, files_are="seeds"), **bearer), **bearer)

    assert said["problems"] == [{"file": "c.csv", "row": 0, "problem": "There is no column for the class 'dog'."}]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"out_of_fold": ""}, "out_of_fold is missing"),
        ({"out_of_fold": "perhaps"}, "out_of_fold is true or false, not 'perhaps'"),
        ({"name": ""}, "name is missing"),
        ({"name": "../x"}, "is no name"),
        ({"file": SimpleUploadedFile("p.pkl", b"x")}, "p.pkl must end in .csv, .parquet, .npz, .json"),
        ({"file": []}, "There is no file"),
        ({"files_are": "things"}, "files_are is one of folds, seeds, epochs"),
    ],
)
def test_what_can_be_seen_at_once_is_said_at_once(program, bearer, project, change, says):
    answer = program.post(ADDRESS, form(**change), **bearer)

    assert answer.status_code == 422
    assert says in answer.json()["detail"]
    assert not Job.objects.exists()
    assert not default_storage.exists("uploads") or default_storage.listdir("uploads")[1] == []


@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"name": "a"}', b"[" * 100_000])
def test_json_that_is_none(program, bearer, raw):
    assert program.post(ADDRESS, raw, content_type="application/json", **bearer).status_code == 422
    assert not Job.objects.exists()


def test_other_kinds_of_bodies_are_named(program, bearer):
    answer = program.post(ADDRESS, b"x", content_type="application/zip", **bearer)
    assert answer.status_code == 415
    assert "application/zip" in answer.json()["detail"]


def test_json_has_a_limit(program, bearer, monkeypatch):
    monkeypatch.setattr("mining.api.predictions.MOST_JSON_BYTES", 100)
    answer = send_json(program, BODY, **bearer)
    assert answer.status_code == 413
    assert "send a Parquet, NPZ or CSV file" in answer.json()["detail"]


def test_who_may(program, bearer, project, manager, items, annotator_client, outsider_client):
    for client in (annotator_client, outsider_client):
        assert send_json(client, BODY).status_code == 404
        assert client.get(ADDRESS).status_code == 404
    assert send_json(program, BODY).status_code == 401
    assert send_json(program, BODY, HTTP_AUTHORIZATION="Bearer hardness_x").status_code == 401
    other = factories.make_project("Other", manager=manager)
    _, elsewhere = create_token(project=other, user=manager, name="a", scopes=["predictions"])
    assert send_json(program, BODY, HTTP_AUTHORIZATION=f"Bearer {elsewhere}").status_code == 404
    reader, secret = create_token(project=project, user=manager, name="a", scopes=["read"])
    answer = send_json(program, BODY, HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert (answer.status_code, answer.json()["detail"][:37]) == (403, "The token lacks the scope “prediction")
    revoke_token(token=reader)
    assert send_json(program, BODY, HTTP_AUTHORIZATION=f"Bearer {secret}").status_code == 401
    assert not Job.objects.exists()


def test_a_session_needs_its_csrf_token_and_a_bearer_does_not(program, bearer, manager):
    program.force_login(manager, backend="django.contrib.auth.backends.ModelBackend")
    assert send_json(program, BODY).status_code == 403
    program.get("/projects/pets/tokens/")
    token = program.cookies["csrftoken"].value
    assert send_json(program, BODY, HTTP_X_CSRFTOKEN=token).status_code == 202
    assert send_json(program, BODY, **bearer).status_code == 202


def test_the_list_warns_of_what_is_in_sample_and_removing_ends_it(program, bearer, project, items):
    checked(program, send_json(program, {**BODY, "out_of_fold": False}, **bearer), **bearer)
    (entry,) = program.get(ADDRESS, **bearer).json()
    assert (entry["name"], entry["n_items"], entry["n_without"], entry["out_of_fold"]) == ("resnet", 2, 0, False)
    assert entry["warning"].startswith("In-sample")
    assert program.delete(f"{ADDRESS}/resnet", **bearer).json() == {"name": "resnet"}
    assert program.delete(f"{ADDRESS}/resnet", **bearer).status_code == 404
    assert program.get(ADDRESS, **bearer).json() == []


def test_an_import_of_another_project_cannot_be_seen(program, bearer, project, items, manager):
    answer = send_json(program, BODY, **bearer)
    Job.objects.update(scope="project:999")
    assert program.get(answer.json()["url"], **bearer).status_code == 404


def test_a_job_that_runs_twice_says_everything_once(program, bearer, project, items):
    bad = SimpleUploadedFile("p.csv", b"item,cat,dog\nimage-0000.png,0.9,0.2\n")
    answer = program.post(ADDRESS, form(file=bad), **bearer)
    checked(program, answer, **bearer)
    Job.objects.update(status="queued")
    assert len(checked(program, answer, **bearer)["problems"]) == 1


def test_the_schema_describes_it(program):
    schema = program.get("/api/v1/openapi.json").json()
    operation = schema["paths"]["/api/v1/projects/{slug}/predictions"]["post"]
    assert set(operation["requestBody"]["content"]) >= {"multipart/form-data", "application/json", "text/csv"}
