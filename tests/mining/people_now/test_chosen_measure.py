"""The measure that a project chose, and the level of its classes: on the pages, in the queue, rounds and exports."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from django.urls import reverse

from annotations.models import Membership, Project
from hardness_site.jobs.models import Job
from hardness_site.jobs.services import run_job
from mining.human_words import DEFAULT_MEASURE, in_text, measure_words
from mining.people import human_facts, judge_items
from mining.people_now.agreement import agreement_of
from mining.services import people_now
from mining.services.human_measure import MeasureRefused, choose_measure
from mining.services.queue_ranking import projects_to_rank, rank_queue
from mining.services.round_params import RoundRefused, checked_params
from tests.mining.people_now.test_refresh import count_trials, refresh
from tests.mining.small_project import make_striped_project

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("few_splits")]


@pytest.fixture
def striped(manager):
    project, truth = make_striped_project(n_items=40, n_annotators=4)
    Membership.objects.create(project=project, user=manager, role=Membership.Role.MANAGER)
    count_trials(project)
    return project, truth


def test_a_manager_chooses_and_the_page_follows(striped, manager_client):
    project, _ = striped
    refresh(project)
    refresh(project, people_now.DETAILS_JOB)
    page = manager_client.get(reverse("people_measures", args=[project.slug]))
    assert page.context["chosen"] == DEFAULT_MEASURE
    address = reverse("people_measure_choose", args=[project.slug])
    assert manager_client.post(address, {"measure": "raw_mean_time"}).status_code == 302
    project.refresh_from_db()
    assert project.human_measure == "raw_mean_time"
    assert Job.objects.get(kind="people").status == Job.Status.QUEUED
    before = manager_client.get(reverse("hardness", args=[project.slug]))
    assert "Another measure was chosen" in before.content.decode()
    run_job(Job.objects.get(kind="people").pk)
    page = manager_client.get(reverse("hardness", args=[project.slug]))
    words = page.content.decode()
    assert "By mean time: plain mean" in words
    assert "Another measure was chosen" not in words
    facts = page.context["facts"]
    assert facts["human"] == {
        "measure": "raw_mean_time", "column": "raw_mean_ms", "title": "Mean time", "unit": "ms",
    }  # fmt: skip
    means = {
        item.pk: np.mean([trial.response_ms for trial in item.trials.all()])
        for item in project.items.prefetch_related("trials")
    }
    worst = max(means, key=means.get)
    assert (facts["hardest"][0]["item"], facts["hardest"][0]["value"]) == (worst, pytest.approx(means[worst]))
    assert facts["hardest"][0]["low"] is None
    assert all(row["low"] < row["value"] < row["high"] for row in facts["classes"])


def test_what_is_no_measure_is_refused(striped, manager_client, annotator_client):
    project, _ = striped
    with pytest.raises(MeasureRefused, match="No measure is called 'speed'; there are time, time_and_labels"):
        choose_measure(project=project, name="speed")
    address = reverse("people_measure_choose", args=[project.slug])
    manager_client.post(address, {"measure": "speed"})
    assert annotator_client.post(address, {"measure": "time"}).status_code == 404
    project.refresh_from_db()
    assert project.human_measure == DEFAULT_MEASURE
    assert not Job.objects.exists()


@pytest.mark.parametrize("name", list(measure_words()))
def test_every_measure_stands_on_the_page_with_its_unit(striped, manager_client, name):
    project, _ = striped
    Project.objects.filter(pk=project.pk).update(human_measure=name)
    project.refresh_from_db()
    facts = refresh(project).read_json("hardness.json")
    assert facts["human"]["measure"] == name
    assert facts["human"]["unit"]
    assert len(facts["hardest"]) == 25
    values = [row["value"] for row in facts["hardest"]]
    assert values == sorted(values, reverse=True)
    words = manager_client.get(reverse("hardness", args=[project.slug])).content.decode()
    assert f"By {in_text(measure_words()[name].title)}:" in words


def test_a_changed_measure_or_level_makes_the_figures_due(striped):
    project, _ = striped
    refresh(project)
    refresh(project, people_now.DETAILS_JOB)
    assert people_now.queue_due() == 0
    Project.objects.filter(pk=project.pk).update(label_level="ordinal")
    assert people_now.queue_due() == 1


def test_the_queue_follows_it(striped):
    project, _ = striped
    project.order, project.overlap = Project.Order.HARDEST, 9
    project.save()
    project.items.update(needed=9)
    first = rank_queue(project_id=project.pk)
    assert first.measure == DEFAULT_MEASURE
    assert projects_to_rank() == []
    Project.objects.filter(pk=project.pk).update(human_measure="disagreement")
    assert projects_to_rank() == [project.pk]
    ranking = rank_queue(project_id=project.pk)
    assert (ranking.measure, len(ranking.item_ids)) == ("disagreement", 40)
    split = project.items.get(pk=ranking.item_ids[0])
    answers = {trial.annotations.get().label_id for trial in split.trials.all()}
    assert len(answers) > 1, "people disagree on the item that comes first"
    Project.objects.filter(pk=project.pk).update(order=Project.Order.ADAPTIVE)
    assert rank_queue(project_id=project.pk).measure == "time", "adaptive needs standard errors"


def test_rounds_keep_the_measure_that_was_chosen_then(striped):
    project, _ = striped
    Project.objects.filter(pk=project.pk).update(human_measure="mean_rank_time")
    project.refresh_from_db()
    asked = checked_params(project=project, learners=[], strategies=[], params={})
    assert asked["human_measure"] == "mean_rank_time"
    with pytest.raises(RoundRefused, match="No measure of people is called 'speed'"):
        checked_params(project=project, learners=[], strategies=[], params={"human_measure": "speed"})


def test_a_round_s_table_has_the_column_of_the_measure():
    items = pl.DataFrame({"item": [5, 6], "ordinal": [0, 1], "path": ["a", "b"], "given": [0, 1]})
    trials = pl.DataFrame({
        "trial": range(8), "item": [0, 1] * 4, "annotator": [0, 0, 1, 1, 2, 2, 3, 3], "look": [1] * 8,
        "purpose": [""] * 8, "position": [1, 2] * 4, "response_ms": [500.0, 900.0] * 4, "censored": [False] * 8,
        "censored_at_ms": [None] * 8, "null_reason": [""] * 8, "label": [0, 1, 0, 1, 0, 1, 0, 0], "timed": [True] * 8,
    }, schema_overrides={"censored_at_ms": pl.Float64, "item": pl.UInt32, "annotator": pl.UInt32})  # fmt: skip
    view = judge_items(items, trials, n_classes=2, measure="mean_rank_time")
    assert view.facts["human"] == human_facts("mean_rank_time", "")
    assert view.table["mean_rank_time"].to_list() == pytest.approx([1 / 3, 2 / 3])
    assert view.table["consensus_confidence"][0] > 0.5


COUNTS = np.array([[3, 0, 0], [0, 3, 0], [0, 0, 3], [2, 1, 0], [0, 2, 1]], dtype=float)


def test_ordered_classes_disagree_less_with_their_neighbours():
    names = ["none", "some", "much"]
    nominal, ordinal = (agreement_of(COUNTS, names, level) for level in ("nominal", "ordinal"))
    assert (nominal["level"], ordinal["level"]) == ("nominal", "ordinal")
    assert nominal["why_level"].startswith("nominal: the project's classes have no order")
    assert ordinal["alpha"]["value"] > nominal["alpha"]["value"]
    assert nominal["alpha"]["low"] <= nominal["alpha"]["value"] <= nominal["alpha"]["high"]
    assert nominal["kappa"] == ordinal["kappa"]


def test_numbers_count_as_they_are_called_and_others_fall_back_to_their_order():
    near, far = agreement_of(COUNTS, ["1", "2", "90"], "interval"), agreement_of(COUNTS, ["1", "2", "3"], "interval")
    assert near["alpha"]["value"] != far["alpha"]["value"]
    said = agreement_of(COUNTS, ["1", "2", "many"], "ratio")
    assert said["level"] == "ordinal"
    assert (
        said["why_level"] == "ordinal: not every class is called like a number, as ratio needs, so their order counts"
    )


def test_agreement_that_is_unknown_says_why():
    assert agreement_of(np.array([[1.0, 0.0]]), ["a", "b"], "nominal")["reason"] == "needs items with two answers"
    alike = agreement_of(np.array([[2.0, 0.0], [3.0, 0.0]]), ["a", "b"], "nominal")
    assert alike["reason"].startswith("all answers are the same class")
