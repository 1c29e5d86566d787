"""The admin: every list and page opens, no list asks the database once a row, what people did stays."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotations.models import Annotation, EventBatch, ItemAlias, Membership, Project, Trial, WorkSession
from hardness_site.jobs.models import Job
from tests import factories

MODELS = [model for model in admin.site._registry if model._meta.app_label in ("annotations", "jobs")]


@pytest.fixture
def staff_client(db) -> Client:
    user = get_user_model().objects.create_superuser("root", password="x")
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def fill(project: Project, n: int) -> None:
    """Add `n` rows of everything, of people the project does not have yet."""
    for item in factories.make_items(project, n):
        user = factories.make_user()
        Membership.objects.create(project=project, user=user)
        annotator = factories.make_annotator(project, user=user)
        session = WorkSession.objects.create(annotator=annotator, client_key=f"tab-{annotator.pk}")
        trial = factories.make_trial(item, annotator, label=0, response_ms=500.0, session=session)
        EventBatch.objects.create(trial=trial, events=[{"t": 1, "kind": "shown"}])
        ItemAlias.objects.create(project=project, item=item, path=f"alias-{item.pk}")
        Job.objects.create(kind="import_images", title="Import", scope=project.scope, created_by=user)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_list_opens_with_the_same_queries_however_many_rows(
    staff_client: Client, project: Project, model
) -> None:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    counts = []
    for n in (2, 6):
        fill(project, n)
        with CaptureQueriesContext(connection) as queries:
            assert staff_client.get(address).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_page_and_every_search_opens(staff_client: Client, project: Project, model) -> None:
    fill(project, 1)
    names = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    row = model._default_manager.first()
    assert staff_client.get(reverse(f"{names}_change", args=[row.pk])).status_code == 200
    assert staff_client.get(reverse(f"{names}_changelist"), {"q": "a"}).status_code == 200


def test_what_people_did_cannot_be_changed_or_deleted(staff_client: Client, project: Project) -> None:
    fill(project, 1)
    for model in (Trial, Annotation):
        name = f"admin:annotations_{model._meta.model_name}"
        row = model.objects.get()
        assert staff_client.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
        assert staff_client.post(reverse(f"{name}_change", args=[row.pk]), {}).status_code == 403
        assert staff_client.get(reverse(f"{name}_add")).status_code == 403
    assert staff_client.post(reverse("admin:annotations_project_delete", args=[project.pk])).status_code == 403
    assert (Trial.objects.count(), Annotation.objects.count()) == (1, 1)


def test_a_new_overlap_moves_what_items_need(staff_client: Client, project: Project) -> None:
    factories.make_items(project, 2)
    address = reverse("admin:annotations_project_change", args=[project.pk])
    inline = {"classes-TOTAL_FORMS": 0, "classes-INITIAL_FORMS": 0}
    data = {"name": "Animals", "guidelines": "", "overlap": 5, "order": "random", "lookahead": 4,
            "hard_share": 0.1, "label_level": "nominal", "repeat_share": 0, "gold_share": 0,
            "lease_seconds": 900, "floor_ms": 150, "idle_ms": 60000, **inline}  # fmt: skip
    assert staff_client.post(address, data).status_code == 302
    project.refresh_from_db()
    assert (project.name, project.overlap, list(project.items.values_list("needed", flat=True))) == (
        "Animals",
        5,
        [5, 5],
    )


def test_the_last_manager_stays(staff_client: Client, project: Project) -> None:
    own = project.memberships.get(role="manager")
    staff_client.post(reverse("admin:annotations_membership_delete", args=[own.pk]), {"post": "yes"})
    staff_client.post(reverse("admin:annotations_membership_change", args=[own.pk]), {"role": "annotator"})
    assert project.memberships.get(pk=own.pk).role == "manager"


def test_an_archived_project_is_gone_until_it_is_restored(
    staff_client: Client, manager_client: Client, project: Project
) -> None:
    address = reverse("admin:annotations_project_changelist")
    for action, status in (("archive", 404), ("restore", 200)):
        staff_client.post(address, {"action": action, "_selected_action": [project.pk]})
        assert manager_client.get(project.get_absolute_url()).status_code == status


def test_the_admin_is_for_staff(manager_client: Client, project: Project) -> None:
    assert manager_client.get(reverse("admin:annotations_project_changelist")).status_code == 302
