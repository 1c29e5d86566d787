"""The Hardness pages in a real browser: wide and narrow, light and dark, with axe."""

from __future__ import annotations

import pytest

from annotations.models import Annotator, Membership, Trial
from hardness_site.jobs.services import run_job
from mining.services.people_now import TITLES, refresh_people
from tests import factories
from tests.looks import wrong_pages
from tests.mining.small_project import make_striped_project

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("few_splits")]


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


def make_judged_scenes(manager):
    """Make an object project of three objects an image, judged by two people who saw them in the same order."""
    project = factories.make_project("Scenes", slug="scenes", classes=("face", "other"), unit="object", manager=manager)
    items = factories.make_items(project, 12)
    for item in items:
        item.image = items[item.ordinal // 3 * 3].image
        item.box_x = item.box_y = 0.1 + 0.2 * (item.ordinal % 3)
        item.box_width = item.box_height = 0.2
        item.save()
    for number in range(2):
        annotator = factories.make_annotator(project, f"Person {number + 1}")
        for item in items:
            ms = 700.0 * (1.03 + 0.1 * number) ** item.ordinal + 13 * (item.ordinal * (number + 3) % 5)
            factories.make_trial(item, annotator, label=(item.ordinal + number) % 4 // 2, response_ms=ms)
        Annotator.objects.filter(pk=annotator.pk).update(n_answered=12)
    for kind in TITLES:
        assert run_job(refresh_people(project=project, kind=kind).pk).status == "succeeded"


def test_hardness_pages_stand(page, live_server, sign_in, judged, manager):
    factories.make_project("Nothing yet", slug="nothing-yet", manager=manager)
    make_judged_scenes(manager)
    sign_in(manager)
    at = f"/projects/{judged.slug}/hardness/"
    addresses = {
        "hardness": at,
        "people_measures": f"{at}measures/",
        "annotators": f"{at}annotators/",
        "annotator": f"{at}annotators/{judged.annotators.get(name='Ada Lovelace').pk}/",
        "annotator_synthetic": f"{at}annotators/{judged.annotators.exclude(name='Ada Lovelace').first().pk}/",
        "consensus_items": f"/projects/{judged.slug}/items/",
        "consensus_item": f"/projects/{judged.slug}/items/{judged.items.first().pk}/",
        "objects_hardness": "/projects/scenes/hardness/",
        "level_settings": f"/projects/{judged.slug}/settings/",
        "empty_hardness": "/projects/nothing-yet/hardness/",
    }
    assert wrong_pages(page, live_server.url, {name: (at, 200) for name, at in addresses.items()}) == {}
