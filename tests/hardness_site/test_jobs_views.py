"""The page of a job: what it shows, who may see it, what its buttons do."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from annotations.models import Membership, Project
from hardness_site.jobs.models import Job, JobMessage
from hardness_site.jobs.registry import job_handler

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return Project.objects.create(slug="digits", name="Digits")


@pytest.fixture
def manager(django_user_model, project):
    user = django_user_model.objects.create_user("mary")
    Membership.objects.create(project=project, user=user, role=Membership.Role.MANAGER)
    return user


@pytest.fixture
def annotator(django_user_model, project):
    user = django_user_model.objects.create_user("ann")
    Membership.objects.create(project=project, user=user)
    return user


def make_job(project, **fields):
    return Job.objects.create(kind="import", title="Import of scans", scope=project.scope, **fields)


def test_job_page_counts_refusals_and_shows_each_with_its_reason(client, project, manager):
    job = make_job(project, status="succeeded", started_at=timezone.now(), result={"n_read": 1797, "n_refused": 2})
    JobMessage.objects.create(job=job, level="refused", subject="a/broken.png", text="Not an image.")
    JobMessage.objects.create(job=job, level="refused", subject="b/<script>.png", text="Too large.")
    JobMessage.objects.create(job=job, level="info", text="Read 2 folders.")
    client.force_login(manager)
    page = client.get(reverse("job", args=[job.pk]))
    text = page.content.decode()
    assert page.context["result_figures"] == [("Read", 1797), ("Refused", 2)]
    assert page.context["levels"] == [("info", "Note", 1), ("refused", "Refused", 2)]
    assert "a/broken.png" in text and "Not an image." in text
    assert "b/<script>.png" not in text and "b/&lt;script&gt;.png" in text
    assert "Read 2 folders." in text
    only_refused = client.get(reverse("job", args=[job.pk]), {"level": "refused"}).content.decode()
    assert "Not an image." in only_refused
    assert "Read 2 folders." not in only_refused


def test_log_is_paged_so_that_ten_thousand_refusals_cost_one_page(
    client, project, manager, django_assert_max_num_queries
):
    job = make_job(project, status="succeeded", started_at=timezone.now())
    JobMessage.objects.bulk_create(
        JobMessage(job=job, level="refused", subject=f"{n}.png", text="Not an image.") for n in range(10_000)
    )
    client.force_login(manager)
    with django_assert_max_num_queries(8):
        page = client.get(reverse("job", args=[job.pk]), {"page": 200})
    text = page.content.decode()
    assert text.count("Not an image.") == 50
    assert "9999.png" in text
    assert "9,951–10,000 of 10,000" in text


def test_running_job_polls_and_finished_one_reloads_the_page(client, project, manager):
    job = make_job(project, status="running", started_at=timezone.now(), progress_done=30, progress_total=120)
    client.force_login(manager)
    address = reverse("job_progress", args=[job.pk])
    running = client.get(address)
    assert f'hx-get="{address}"' in running.content.decode()
    assert 'value="25" max="100"' in running.content.decode()
    assert "HX-Refresh" not in running
    Job.objects.filter(pk=job.pk).update(status="succeeded")
    finished = client.get(address)
    assert "hx-get" not in finished.content.decode()
    assert finished["HX-Refresh"] == "true"


def test_failed_job_says_why_and_runs_again(client, project, manager, monkeypatch):
    monkeypatch.setattr("hardness_site.jobs.registry._HANDLERS", {})
    job_handler("import")(lambda run: None)
    job = make_job(project, status="failed", error="The folder is empty. Choose another.", attempts=1)
    client.force_login(manager)
    assert "The folder is empty. Choose another." in client.get(reverse("job", args=[job.pk])).content.decode()
    assert client.post(reverse("job_retry", args=[job.pk])).status_code == 302
    job.refresh_from_db()
    assert (job.status, job.error) == ("queued", "")


def test_finished_job_is_not_run_again(client, project, manager):
    job = make_job(project, status="succeeded")
    client.force_login(manager)
    page = client.post(reverse("job_retry", args=[job.pk]), follow=True)
    assert "Only a job that failed or was cancelled can be run again." in page.content.decode()
    job.refresh_from_db()
    assert job.status == "succeeded"


def test_cancel_ends_a_waiting_job_and_asks_a_running_one(client, project, manager):
    waiting, running = make_job(project), make_job(project, status="running", started_at=timezone.now())
    client.force_login(manager)
    client.post(reverse("job_cancel", args=[waiting.pk]))
    client.post(reverse("job_cancel", args=[running.pk]))
    waiting.refresh_from_db()
    running.refresh_from_db()
    assert waiting.status == "cancelled"
    assert (running.status, running.cancel_requested) == ("running", True)
    assert "Stopping" in client.get(reverse("job", args=[running.pk])).content.decode()


@pytest.mark.parametrize("name", ["job", "job_progress", "job_cancel", "job_retry"])
def test_nobody_else_learns_that_the_job_exists(client, project, annotator, django_user_model, name):
    job = make_job(project, status="failed")
    address = reverse(name, args=[job.pk])
    send = client.get if name in ("job", "job_progress") else client.post
    for user in (annotator, django_user_model.objects.create_user("stranger")):
        client.force_login(user)
        assert send(address).status_code == 404
    client.logout()
    assert send(address).status_code == 302
    job.refresh_from_db()
    assert job.status == "failed"


def test_job_without_a_known_scope_does_not_exist(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("root", is_staff=True))
    for scope in ("", "project:", "project:abc", "planet:1"):
        job = Job.objects.create(kind="import", title="Odd", scope=scope)
        assert client.get(reverse("job", args=[job.pk])).status_code == 404
