"""Networks and vectors over HTTP."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from hardness_site.jobs.services import run_job
from tests import factories
from tests.mining.networks import tiny_network

pytestmark = pytest.mark.django_db
URL = "/api/v1/projects/pets/features"


def send(client, content, name="net.onnx", **fields):
    file = SimpleUploadedFile(name, content)
    return client.post(URL, {"kind": "network", "name": "tiny", "normalisation": "unit", "file": file, **fields})


def test_a_network_is_sent_followed_listed_and_removed(manager_client, project):
    factories.make_items(project, 2)
    answer = send(manager_client, tiny_network(side="side").SerializeToString(), width="16", height="16")
    assert answer.status_code == 202, answer.content
    run_job(answer.json()["job"])
    said = manager_client.get(answer.json()["url"]).json()
    assert (said["status"], said["choice"], said["problems"]) == ("succeeded", "network:tiny", [])
    (listed,) = manager_client.get(URL).json()
    assert (listed["choice"], listed["dimension"], listed["n_items"]) == ("network:tiny", 6, None)
    assert manager_client.delete(f"{URL}/network/tiny").json() == {"name": "tiny"}
    assert manager_client.delete(f"{URL}/network/tiny").status_code == 404


def test_a_refused_network_says_why(manager_client, project):
    answer = send(manager_client, tiny_network(side="side").SerializeToString())
    run_job(answer.json()["job"])
    said = manager_client.get(answer.json()["url"]).json()
    assert said["status"] == "failed"
    assert "dynamic shape" in said["error"]
    assert manager_client.get(URL).json() == []


def test_what_can_be_seen_at_once_is_refused_at_once(manager_client, project):
    assert send(manager_client, b"x", name="net.pkl").status_code == 422
    assert send(manager_client, b"x", normalisation="magic").status_code == 422
    assert send(manager_client, b"x", width="3").status_code == 422


def test_vectors_with_problems_list_them(manager_client, project):
    factories.make_items(project, 2)
    answer = send(manager_client, b"item,group\nnobody,1\n", name="g.csv", kind="groups")
    run_job(answer.json()["job"])
    said = manager_client.get(answer.json()["url"]).json()
    assert said["problems"] == [
        {"file": "", "row": 2, "problem": "'nobody' is no item of pets: use the path given at import."}
    ]


def test_only_managers(client, annotator_user, project):
    assert client.get(URL).status_code == 401
    client.force_login(annotator_user)
    assert client.get(URL).status_code in (403, 404)
