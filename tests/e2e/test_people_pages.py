"""The Hardness pages in a real browser: wide and narrow, light and dark, with axe."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from annotations.models import Annotator, Membership, Trial
from hardness_site.jobs.services import run_job
from mining.services.people_now import TITLES, refresh_people
from tests import factories
from tests.e2e.test_pages import objections_to
from tests.mining.small_project import make_striped_project

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def judged(manager):
    """Return a project with figures: synthetic annotators, a repeat, trials without a time."""
    project, _ = make_striped_project(n_items=60, n_annotators=4, kind=Annotator.Kind.SYNTHETIC)
    Membership.objects.create(project=project, user=manager, role=Membership.Role.MANAGER)
    person = factories.make_annotator(project, "Ada Lovelace")
    for number, item in enumerate(project.items.all()[:20]):
        hidden = number % 5 == 0
        for look, purpose in ((1, ""), (2, "repeat")):
            factories.make_trial(
                item, person, label=0, purpose=purpose, null_reason="hidden" if hidden else "",
                position=number + 1 + 20 * look, response_ms=None if hidden else 900 + 40 * number,
            )  # fmt: skip
    for annotator in project.annotators.all():
        n = Trial.objects.filter(annotator=annotator).count()
        Annotator.objects.filter(pk=annotator.pk).update(n_answered=n)
    for kind in TITLES:
        assert run_job(refresh_people(project=project, kind=kind).pk).status == "succeeded"
    return project


def test_hardness_pages_stand(page, live_server, sign_in, judged, manager, tmp_path):
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    factories.make_project("Nothing yet", slug="nothing-yet", manager=manager)
    sign_in(manager)
    at = f"/projects/{judged.slug}/hardness/"
    addresses = {
        "hardness": at,
        "people_measures": f"{at}measures/",
        "annotators": f"{at}annotators/",
        "empty_hardness": "/projects/nothing-yet/hardness/",
    }
    wrong = {}
    for name, address in addresses.items():
        answer = page.goto(live_server.url + address)
        found = [] if answer.status == 200 else [f"status {answer.status}"]
        found += objections_to(page, name, folder)
        if found:
            wrong[name] = found
    assert wrong == {}
