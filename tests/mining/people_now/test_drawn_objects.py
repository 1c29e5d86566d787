"""The Hardness page of a project whose objects are drawn: matched when it is brought up to date, by image as well."""

from __future__ import annotations

import numpy as np
import pytest

from annotations.models import DrawnBox, Item
from hardness_site.jobs.services import run_job
from mining.people_now.stored_trials import people_folder
from mining.services import people_now
from tests.mining.drawn_project import make_drawn_project
from tests.mining.people_now.test_refresh import count_trials, refresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def drawn(monkeypatch):
    monkeypatch.setattr(people_now, "queue_job", lambda job: None)
    project, truth = make_drawn_project(n_images=6, n_annotators=5)
    count_trials(project)
    return project, truth


def test_objects_are_found_judged_and_rolled_up_to_their_images(drawn):
    project, truth = drawn
    facts = refresh(project).read_json("hardness.json")
    assert (facts["n_items"], facts["n_annotators"], facts["has_synthetic"]) == (18, 5, True)
    items = {item.pk: item for item in Item.objects.filter(box_width__isnull=False)}
    found = [truth.of(items[row["item"]]) for row in facts["hardest"]]
    assert np.corrcoef([row["value"] for row in facts["hardest"]], truth.hardness[found])[0, 1] > 0.8
    assert len(facts["images"]) == 6
    assert all(row["n_items"] == 3 for row in facts["images"])
    by_image = truth.hardness.reshape(6, 3).mean(axis=1)
    numbers = [int(items[row["hardest"]].path[6:8]) for row in facts["images"]]
    assert np.corrcoef([row["value"] for row in facts["images"]], by_image[numbers])[0, 1] > 0.8


@pytest.mark.usefixtures("few_splits")
def test_a_corrected_drawing_makes_the_page_due_and_changes_what_it_says(drawn):
    project, _ = drawn
    refresh(project)
    for job in project_jobs(project):
        run_job(job.pk)
    while people_now.queue_due():
        for job in project_jobs(project):
            run_job(job.pk)
    box = DrawnBox.objects.first()
    Item.objects.filter(pk=box.trial.item_id).update(unmatched=True)
    DrawnBox.objects.filter(pk=box.pk).update(is_current=False)
    before = people_folder(project.pk).read_json("hardness.json")
    assert people_now.queue_due() == 1
    for job in project_jobs(project):
        run_job(job.pk)
    after = people_folder(project.pk).read_json("hardness.json")
    assert after["n_trials"] == before["n_trials"] == 18 * 5
    assert after["n_timed"] == before["n_timed"] - 1
    assert not Item.objects.filter(unmatched=True).exists()


def project_jobs(project):
    from hardness_site.jobs.models import Job

    return Job.objects.filter(scope=project.scope, status="queued")
