"""Health, readiness, figures, and what `check` says."""

import re

import pytest
from django.core.checks import Tags, run_checks
from django.db import DatabaseError

from hardness_site import health, schema
from hardness_site.checks import broker_answers
from hardness_site.jobs.models import Job
from tests import factories

pytestmark = pytest.mark.django_db


def test_alive_without_sign_in_and_for_any_host(client):
    response = client.get("/healthz", headers={"host": "10.0.0.7"})
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_ready_names_every_part(client):
    checks = {"database": "ok", "migrations": "ok", "broker": "ok"}
    assert client.get("/readyz").json() == {"status": "ok", "checks": checks}


def test_not_ready_while_the_broker_is_away_and_no_address_is_given_away(client, settings, tmp_path):
    settings.CELERY_BROKER_URL = f"redis+socket://{tmp_path}/secret-place.sock"
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"] == {"database": "ok", "migrations": "ok", "broker": "ConnectionError"}
    assert "secret-place" not in response.content.decode()


def test_not_ready_without_database(client, monkeypatch):
    def gone():
        raise DatabaseError("password=hidden")

    monkeypatch.setattr(health, "_check_database", gone)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["checks"]["database"]) == (503, "DatabaseError")


def test_not_ready_with_migrations_to_apply(client, monkeypatch):
    monkeypatch.setattr(schema, "_current", set())
    monkeypatch.setattr(schema.MigrationExecutor, "migration_plan", lambda *args: [1, 2])
    response = client.get("/readyz")
    assert response.json()["checks"]["migrations"] == "2 migrations are not applied; run `manage.py migrate`"


def test_health_changes_nothing(client):
    assert client.post("/healthz").status_code == 405


def test_figures(client, project, django_assert_num_queries):
    item = factories.make_items(project, 1)[0]
    trial = factories.make_trial(item, factories.make_annotator(project), label=0, response_ms=700)
    Job.objects.create(kind="k", title="t", scope="s", status=Job.Status.FAILED)
    with django_assert_num_queries(3):
        text = client.get("/metrics").content.decode()
    lines = text.splitlines()
    assert 'hardness_jobs{status="failed"} 1' in lines
    assert 'hardness_jobs{status="running"} 0' in lines
    assert f"hardness_trials_total {trial.pk}" in lines
    assert f"hardness_annotations_total {trial.annotations.get().pk}" in lines
    assert "# TYPE hardness_jobs gauge" in lines


def test_api_is_described_to_everybody_and_works_for_the_signed_in_only(client):
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    assert paths
    path, methods = next(iter(paths.items()))
    address = re.sub(r"\{\w+\}", "1", path)
    assert client.generic(next(iter(methods)).upper(), address).status_code == 401


def test_check_refuses_a_folder_that_cannot_be_written(settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.DATA_DIR = tmp_path / "file"
    assert "hardness_site.E001" in [message.id for message in run_checks(tags=[Tags.files])]


@pytest.mark.parametrize(("key", "refused"), [("x" * 60, True), ("short", True), ("0123456789abcdef" * 3, False)])
def test_check_refuses_a_key_that_can_be_guessed(settings, key, refused):
    settings.SECRET_KEY = key
    assert ("hardness_site.E002" in [m.id for m in run_checks(tags=[Tags.security])]) is refused


def test_check_warns_of_a_broker_that_is_away(settings, tmp_path):
    assert broker_answers() == []
    settings.CELERY_BROKER_URL = f"redis+socket://{tmp_path}/nobody.sock"
    assert [message.id for message in broker_answers()] == ["hardness_site.W001"]
