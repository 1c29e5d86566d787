"""The workbench's page and the annotator's own progress: who sees them, and what they hold."""

from __future__ import annotations

import json
import re

import pytest
from django.utils import timezone

from annotations.models import Project, WorkSession
from tests import factories

pytestmark = pytest.mark.django_db


def config_of(reply):
    found = re.search(r'<script id="workbench-config" type="application/json">(.*?)</script>', reply.content.decode())
    return json.loads(found[1])


def test_the_workbench_knows_its_classes_and_addresses(annotator_client, project):
    reply = annotator_client.get("/projects/pets/label/")
    assert reply.status_code == 200
    config = config_of(reply)
    assert config["api"] == "/api/v1/projects/pets/trials/"
    assert config["classes"] == [{"code": 0, "name": "cat", "key": "1"}, {"code": 1, "name": "dog", "key": "2"}]
    assert (config["lookahead"], config["idleMs"]) == (4, 60_000)
    assert reply.cookies["csrftoken"].value
    assert 'aria-keyshortcuts="1"' in reply.content.decode()
    assert "style=" not in reply.content.decode()


def test_members_see_it_and_for_others_it_does_not_exist(manager_client, outsider_client, client, project):
    for page in ("label", "me"):
        assert manager_client.get(f"/projects/pets/{page}/").status_code == 200
        assert outsider_client.get(f"/projects/pets/{page}/").status_code == 404
        assert client.get(f"/projects/pets/{page}/").status_code == 302
    Project.objects.update(archived_at=timezone.now())
    assert manager_client.get("/projects/pets/label/").status_code == 404


def test_guidelines_are_text_and_never_markup(annotator_client, project):
    Project.objects.update(guidelines="<script>alert(1)</script> & more")
    body = annotator_client.get("/projects/pets/label/").content.decode()
    assert "&lt;script&gt;alert(1)" in body
    assert "<script>alert(1)" not in body


def test_annotators_never_see_what_models_or_others_said(annotator_client, project):
    items = factories.make_items(project, 2, given=[1, 1])
    factories.make_trial(items[0], factories.make_annotator(project, "Somebody else"), label=1, response_ms=500)
    for page in ("label", "me"):
        assert "Somebody else" not in annotator_client.get(f"/projects/pets/{page}/").content.decode()


def test_own_progress_counts_only_ones_own(annotator_client, project, annotator_user, django_assert_max_num_queries):
    items = factories.make_items(project, 4)
    ada = factories.make_annotator(project, "Ada", user=annotator_user)
    bob = factories.make_annotator(project, "Bob")
    session = WorkSession.objects.create(annotator=ada, client_key="tab-00001")
    now = timezone.now()
    times = {"received_at": now, "session": session}
    factories.make_trial(items[0], ada, label=0, response_ms=800, paid_ms=1000, **times)
    factories.make_trial(items[1], ada, label=1, paid_ms=5000, **times)
    factories.make_trial(items[2], ada, state="skipped", paid_ms=3000, **times)
    factories.make_trial(items[3], bob, label=1, paid_ms=99_000, received_at=now)
    ada.n_answered, ada.n_skipped = 2, 1
    ada.save()
    with django_assert_max_num_queries(10):
        reply = annotator_client.get("/projects/pets/me/")
    progress, [sitting] = reply.context["progress"], reply.context["sittings"]
    assert (progress.n_answered, progress.n_skipped, progress.n_timed, progress.share_timed) == (2, 1, 1, 0.5)
    assert (progress.seconds, sitting.seconds, sitting.seconds_per_item) == (9, 9, 3)
    assert (sitting.n_answered, sitting.n_skipped, sitting.n_timed) == (2, 1, 1)


def test_before_the_first_label_progress_says_so(annotator_client, project):
    assert "Nothing labelled yet" in annotator_client.get("/projects/pets/me/").content.decode()
