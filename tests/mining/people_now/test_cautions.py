"""Every warning that the data deserve, from rows to the page: its words, whom it names, and what to do."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import numpy as np
import pytest
from django.urls import reverse

from annotations.models import Annotation, Annotator, EventBatch, Trial, WorkSession
from tests import factories
from tests.mining.people_now.test_refresh import refresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def judged(manager):
    """Return judge(times, order) -> project: times(person, item) in ms; every person sees the items in an order."""

    def judge(times, *, order=None, n_items=20, people=("Ada", "Bea", "Cid"), seed=0, source="imported", reason=None):
        project = factories.make_project("Pets", classes=("cat", "dog"), slug="pets", manager=manager, overlap=3)
        items = factories.make_items(project, n_items)
        labels = list(project.classes.order_by("code"))
        generator = np.random.default_rng(seed)
        for number, name in enumerate(people):
            annotator = factories.make_annotator(project, name)
            sequence = order(number) if order else generator.permutation(n_items)
            trials = []
            for position, at in enumerate(sequence, start=1):
                ms = times(number, int(at), position, generator)
                if ms is None:
                    continue
                why = reason(number, position) if reason else ""
                trials.append(Trial(
                    project=project, item=items[at], annotator=annotator, source=source, state="answered",
                    position=position, issued_at=project.created_at, response_ms=None if why else ms, null_reason=why,
                ))  # fmt: skip
            Trial.objects.bulk_create(trials)
            Annotation.objects.bulk_create(
                Annotation(trial=trial, label=labels[trial.item.ordinal % 2], client_key=f"{name}{trial.pk}")
                for trial in trials
            )
            Annotator.objects.filter(pk=annotator.pk).update(n_answered=len(trials))
        refresh(project)
        return project

    return judge


def warnings_on(page) -> dict[str, str]:
    """Return name -> words of every warning on the Hardness page."""
    found = re.findall(r'data-caution="(\w+)">(.*?)</li>', page.content.decode(), flags=re.S)
    return {
        name: unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", words.replace("</p>", " ")))) for name, words in found
    }


@pytest.fixture
def told(judged, manager_client):
    def tell(*args, **options):
        project = judged(*args, **options)
        return warnings_on(manager_client.get(reverse("hardness", args=[project.slug])))

    return tell


def ordinary(number, at, position, generator):
    return float(800 * np.exp(0.05 * at + 0.1 * number + generator.normal(0, 0.1)))


def test_ordinary_trials_call_for_none(told):
    assert told(ordinary) == {}


def test_the_same_order_for_all(told):
    words = told(ordinary, order=lambda number: range(20))["fixed_order"]
    assert "practice cannot be told from hardness" in words
    assert "an order of their own (Settings)" in words


def test_times_of_pages(told, manager_client):
    words = told(lambda number, at, position, generator: 5000.0 + 100 * ((position - 1) // 5) + number)
    assert list(words) == ["page_level_times"]
    assert "There is no time hardness" in words["page_level_times"]
    assert "leave response_ms empty" in words["page_level_times"]
    page = manager_client.get(reverse("hardness", args=["pets"]))
    assert page.context["facts"]["agreement"]["n_items"] == 20, "answers count all the same"


def test_one_judgment_an_item(told):
    def one_each(number, at, position, generator):
        return ordinary(number, at, position, generator) if at % 3 == number else None

    words = told(one_each)
    assert "Raise the number of people who judge each item (Settings)." in words["too_few_judgments"]


def test_judgments_that_tell_little(told):
    words = told(lambda number, at, position, generator: float(800 * np.exp(0.03 * at + generator.normal(0, 0.6))))
    assert words["low_reliability"].startswith("The reliability is 0.")
    assert "only groups of them" in words["low_reliability"]


def test_one_annotator_who_gave_most(told):
    def mostly_cid(number, at, position, generator):
        return ordinary(number, at, position, generator) if number == 2 or at < 6 else None

    words = told(mostly_cid)
    assert "Cid gave 62% of the trials." in words["dominant_annotator"]
    assert "Let others judge the same items. See Cid." in words["dominant_annotator"]


def test_only_one_annotator(told):
    assert "Let others judge the same items." in told(ordinary, people=("Ada",))["one_annotator"]


def test_seconds_among_milliseconds(told):
    def in_seconds(number, at, position, generator):
        return ordinary(number, at, position, generator) / (1000 if number == 1 else 1)

    words = told(in_seconds)
    assert "Times of Bea are typically 1." in words["units_differ"]
    assert "See Bea." in words["units_differ"]
    assert words["seconds_as_milliseconds"].startswith("Bea typically answers within")


def test_clocks_that_contradict_the_server(told):
    def bad_clock(number, position):
        return "implausible_span" if number == 0 and position % 4 == 0 else ""

    words = told(ordinary, source="browser", reason=bad_clock)
    assert "In 25% of the trials of Ada the browser's clock contradicts the server's" in words["drifted_clocks"]
    assert "another browser or machine" in words["drifted_clocks"]


def test_times_that_run_away(told):
    def running(number, at, position, generator):
        away = position ** (0.6 if number == 1 else 0.0)
        return float(800 * np.exp(0.02 * at + generator.normal(0, 0.05)) * away)

    words = told(running, n_items=60, people=("Ada", "Bea", "Cid", "Dan", "Eve"))
    assert words["drifting_times"].startswith("Bea changes in speed more than 3-fold against the others")
    assert "practice curves" in words["drifting_times"]


@pytest.mark.usefixtures("few_splits")
def test_a_clock_that_runs_fast(judged, manager_client):
    project = judged(ordinary, source="browser", n_items=40)
    start = project.created_at
    for annotator in project.annotators.all():
        rate = 1.05 if annotator.name == "Bea" else 1.0
        session = WorkSession.objects.create(annotator=annotator, client_key=annotator.name)
        trials = list(annotator.trials.order_by("position"))
        for trial in trials:
            trial.session, trial.received_at = session, start + timedelta(seconds=1.5 * trial.position)
            events = [{"t": 10.0, "kind": "onset"}, {"t": 5000 + rate * 1500 * trial.position, "kind": "decision"}]
            EventBatch.objects.create(trial=trial, events=events)
        Trial.objects.bulk_update(trials, ["session", "received_at"])
    refresh(project, "people_details")
    words = warnings_on(manager_client.get(reverse("hardness", args=["pets"])))
    assert list(words) == ["clock_rate"]
    assert "runs 5.0% fast against the server's" in words["clock_rate"]
    assert words["clock_rate"].endswith("See Bea. ")
