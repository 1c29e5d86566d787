"""The Hardness pages: managers only, words where there is nothing yet, figures where there are, freshness told."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from django.urls import reverse

from annotations.models import Annotator, Membership
from hardness_site.jobs.models import Job
from hardness_site.jobs.services import run_job
from mining.hardness.human_measures import HUMAN_MEASURES
from mining.human_words import measure_words
from mining.people_now.stored_trials import people_folder
from mining.services.people_now import PEOPLE_JOB, TITLES, refresh_people
from tests import factories
from tests.mining.small_project import make_striped_project

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("few_splits")]
PAGES = ("hardness", "people_measures", "annotators")


@pytest.fixture
def striped(manager):
    project, _ = make_striped_project(n_items=30, n_annotators=4, kind=Annotator.Kind.SYNTHETIC)
    Membership.objects.create(project=project, user=manager, role=Membership.Role.MANAGER)
    for annotator in project.annotators.all():
        Annotator.objects.filter(pk=annotator.pk).update(n_answered=30)
    for kind in TITLES:
        assert run_job(refresh_people(project=project, kind=kind).pk).status == Job.Status.SUCCEEDED
    return project


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())).replace("&#x27;", "'")


@pytest.mark.parametrize("who", ["annotator_client", "outsider_client"])
def test_only_managers_see_them(request, who, project):
    client = request.getfixturevalue(who)
    assert {client.get(reverse(name, args=[project.slug])).status_code for name in PAGES} == {404}
    assert client.post(reverse("people_refresh", args=[project.slug])).status_code == 404
    assert not Job.objects.exists()


def test_pages_without_figures_say_how_they_come(manager_client, project):
    for name in PAGES:
        assert "Nothing computed yet" in text_of(manager_client.get(reverse(name, args=[project.slug])))


def test_pages_that_give_way_to_a_round_say_so(manager_client, striped):
    people_folder(striped.pk).delete("annotators.json")
    people_folder(striped.pk).delete("measures.json")
    for name in PAGES[1:]:
        words = text_of(manager_client.get(reverse(name, args=[striped.slug])))
        assert "Not computed yet" in words and "come after rounds and imports that are under way" in words
        assert "Compute now" in words


def test_hardness_page(manager_client, striped):
    words = text_of(manager_client.get(reverse("hardness", args=[striped.slug])))
    for part in (
        "Hardest items",
        "Classes that people confuse",
        "Krippendorff's α",
        "Judgments still needed",
        "Synthetic",
    ):
        assert part in words
    assert "from 120 trials." in words
    assert "across/" in words


def test_ten_of_the_hardest_are_shown_until_somebody_asks_for_all(manager_client, striped):
    address = reverse("hardness", args=[striped.slug])
    first, every = (manager_client.get(address + query).context for query in ("", "?all=1"))
    assert [row["item"] for row in first["hardest"]] == [row["item"] for row in every["hardest"]][:10]
    assert len(first["hardest"]) == 10 and len(every["hardest"]) == 25
    assert "The 25 hardest items" in text_of(manager_client.get(address))
    assert "The 25 hardest items" not in text_of(manager_client.get(f"{address}?all=1"))
    # each answer with how many gave it
    said = every["hardest"][0]["said"]
    assert sum(int(count) for count in re.findall(r"\((\d+)\)", said)) == 4


def test_it_says_how_many_trials_have_come_since(manager_client, striped):
    annotator = striped.annotators.first()
    Annotator.objects.filter(pk=annotator.pk).update(n_answered=44)
    assert "14 have come since" in text_of(manager_client.get(reverse("hardness", args=[striped.slug])))


def test_a_page_takes_few_queries_whatever_it_shows(manager_client, striped, django_assert_max_num_queries):
    for name in PAGES:
        with django_assert_max_num_queries(16):
            manager_client.get(reverse(name, args=[striped.slug]))


def test_measures_page_lists_every_measure_the_most_reliable_first(manager_client, striped):
    page = manager_client.get(reverse("people_measures", args=[striped.slug]))
    values = [row["value"] for row in page.context["rows"] if row["value"] is not None]
    assert values == sorted(values, reverse=True)
    assert {row["name"] for row in page.context["rows"]} == set(HUMAN_MEASURES)
    assert set(measure_words()) == set(HUMAN_MEASURES)


def test_annotators_are_described_and_synthetic_ones_marked(manager_client, striped):
    person = factories.make_annotator(striped, "Ada")
    item = striped.items.first()
    factories.make_trial(item, person, label=0, null_reason="hidden")
    for kind in TITLES:
        run_job(refresh_people(project=striped, kind=kind).pk)
    page = manager_client.get(reverse("annotators", args=[striped.slug]))
    words = text_of(page)
    assert page.content.decode().count(">Synthetic</span>") == 6  # the bar, the page, and four of five annotators
    assert "The page was hidden while the image was shown." in words
    assert "Right by given labels" in words


def test_compute_now(manager_client, striped):
    Job.objects.all().delete()
    answer = manager_client.post(reverse("people_refresh", args=[striped.slug]), {"here": "hardness"})
    assert answer["Location"] == reverse("hardness", args=[striped.slug])
    assert Job.objects.get().kind == PEOPLE_JOB
    page = text_of(manager_client.get(reverse("hardness", args=[striped.slug])))
    assert "New figures are being computed" in page


def test_the_pages_load_no_scipy():
    code = (
        "import os, sys, django; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'hardness_site.settings.test');"
        "django.setup(); import mining.views.people, hardness_site.urls;"
        "print([m for m in ('scipy', 'numba', 'sklearn', 'polars') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
