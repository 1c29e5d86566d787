"""The page that takes predictions of a model from elsewhere."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from hardness_site.jobs.models import Job
from hardness_site.jobs.services import run_job
from mining.selectors.choices import imported_predictions
from tests import factories

pytestmark = pytest.mark.django_db
PAGE = "/projects/pets/predictions/"
CSV = b"item,cat,dog\nimage-0000.png,0.9,0.1\nimage-0001.png,0.25,0.75\n"


@pytest.fixture
def items(project):
    return factories.make_items(project, 2)


def form(**fields):
    return {"name": "resnet", "uploads": SimpleUploadedFile("p.csv", CSV), "honesty": "out_of_fold", **fields}


def test_files_become_a_job_and_then_a_learner(manager_client, project, items):
    answer = manager_client.post(PAGE, form())
    job = Job.objects.get()
    assert answer["Location"] == f"/jobs/{job.pk}/"
    run_job(job.pk)
    page = manager_client.get(f"/jobs/{job.pk}/").content.decode()
    assert "Start a round with them" in page
    assert imported_predictions(project)[0]["out_of_fold"] is True
    assert "resnet" in manager_client.get(PAGE).content.decode()
    assert "Imported: resnet" in manager_client.get("/projects/pets/rounds/").content.decode()


def test_in_sample_is_marked(manager_client, project, items):
    manager_client.post(PAGE, form(honesty="in_sample"))
    run_job(Job.objects.get().pk)
    assert '<span class="badge badge--warn">In-sample</span>' in manager_client.get(PAGE).content.decode()


def test_whether_they_are_out_of_fold_must_be_said(manager_client, project, items):
    answer = manager_client.post(PAGE, form(honesty=""))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["honesty"]
    answer = manager_client.post(PAGE, form(honesty=""), headers={"Accept": "application/json"})
    assert answer.json() == {"problems": ["How were they made?: This field is required."]}
    assert not Job.objects.exists()


def test_problems_are_listed_with_their_rows(manager_client, project, items):
    manager_client.post(PAGE, form(uploads=SimpleUploadedFile("p.csv", b"item,cat,dog\nnowhere.png,1,0\n")))
    job = Job.objects.get()
    run_job(job.pk)
    page = manager_client.get(f"/jobs/{job.pk}/").content.decode()
    assert "Nothing was stored: 1 problem." in page
    assert "row 2" in page
    assert "nowhere.png" in page
    assert "Send them again" in page


def test_several_files_want_a_word(manager_client, project, items):
    files = [SimpleUploadedFile(f"{number}.csv", CSV) for number in range(2)]
    answer = manager_client.post(PAGE, form(uploads=files))
    assert answer.status_code == 422
    assert "Say what the 2 files are" in answer.content.decode()


def test_removing_ends_it(manager_client, project, items):
    manager_client.post(PAGE, form())
    run_job(Job.objects.get().pk)
    manager_client.post(f"{PAGE}resnet/remove/")
    assert imported_predictions(project) == []


def test_it_is_for_managers(annotator_client, outsider_client, project, items):
    for client in (annotator_client, outsider_client):
        assert client.get(PAGE).status_code == 404
        assert client.post(PAGE, form()).status_code == 404
        assert client.post(f"{PAGE}resnet/remove/").status_code == 404
    assert not Job.objects.exists()
