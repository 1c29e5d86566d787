"""The jobs behind the Hardness pages: right after new trials, corrections and late answers, and never twice at once."""

from __future__ import annotations

import numpy as np
import pytest
from django.utils import timezone

from annotations.models import Annotation, Annotator, Project, Trial
from hardness_site.jobs.models import Job
from hardness_site.jobs.services import claim_job, run_job
from mining.people import labels_that_count
from mining.people_now import estimates, run
from mining.people_now.stored_trials import bring_up_to_date, people_folder, read_stored
from mining.selectors.consensus import consensus_labels
from mining.services import people_now
from tests import factories
from tests.mining.small_project import make_striped_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def striped():
    project, truth = make_striped_project(n_items=60, n_annotators=5)
    count_trials(project)
    return project, truth


def count_trials(project):
    for annotator in project.annotators.all():
        annotator.n_answered = annotator.trials.filter(state="answered").count()
        annotator.save(update_fields=["n_answered"])


def refresh(project, kind=people_now.PEOPLE_JOB):
    job = people_now.refresh_people(project=project, kind=kind)
    done = run_job(job.pk)
    assert done.status == Job.Status.SUCCEEDED, done.error
    return people_folder(project.pk)


def test_the_page_has_the_hardest_items_classes_pairs_and_agreement(striped):
    project, truth = striped
    facts = refresh(project).read_json("hardness.json")
    assert (facts["n_items"], facts["n_trials"], facts["n_annotators"], facts["n_judged"]) == (60, 300, 5, 60)
    ids = list(project.items.order_by("ordinal").values_list("pk", flat=True))
    hardest = [ids.index(row["item"]) for row in facts["hardest"][:10]]
    assert truth[hardest].mean() > truth.mean() + truth.std()
    assert all(row["low"] < row["value"] < row["high"] for row in facts["hardest"])
    assert {row["n_items"] for row in facts["classes"]} <= set(range(15, 26))
    assert facts["agreement"]["alpha"]["low"] < facts["agreement"]["alpha"]["value"] < 1
    assert facts["pairs"][0]["n_items"] > 0
    assert facts["scale"] in ("log-seconds", "annotator SDs")
    assert facts["seen"]["n"] == 300


def test_only_what_is_new_is_read_again(striped, django_assert_max_num_queries):
    project, _ = striped
    bring_up_to_date(project)
    item = project.items.first()
    factories.make_trial(item, factories.make_annotator(project), label=1, response_ms=900)
    with django_assert_max_num_queries(12):
        stored = bring_up_to_date(project)
    assert len(stored.base) == 300
    assert stored.new["response_ms"].to_list() == [900.0]
    assert len(stored.trials) == 301


def test_an_answer_to_an_older_trial_and_a_correction_arrive(striped, monkeypatch):
    project, _ = striped
    monkeypatch.setattr("mining.people_now.stored_trials.OVERLAP", 0)
    late = factories.make_trial(project.items.first(), factories.make_annotator(project))
    factories.make_trial(project.items.last(), factories.make_annotator(project), label=0, response_ms=700)
    assert len(bring_up_to_date(project).trials) == 301
    Trial.objects.filter(pk=late.pk).update(state="skipped", null_reason="skipped", received_at=timezone.now())
    old = Annotation.objects.filter(trial__project=project).order_by("pk").first()
    other = project.classes.exclude(pk=old.label_id).first()
    Annotation.objects.filter(pk=old.pk).update(is_current=False)
    Annotation.objects.create(trial=old.trial, label=other, client_key="corrected", supersedes=old)
    trials = bring_up_to_date(project).trials
    assert len(trials) == 302
    assert trials.filter(trial=late.pk)["null_reason"].to_list() == ["skipped"]
    assert trials.filter(trial=old.trial_id)["label"].to_list() == [other.code]


def test_a_deleted_annotator_means_that_everything_is_read_again(striped):
    project, _ = striped
    bring_up_to_date(project)
    project.annotators.order_by("pk").first().trials.all().delete()
    project.annotators.order_by("pk").first().delete()
    stored = bring_up_to_date(project)
    assert (len(stored.trials), stored.trials["annotator"].max()) == (240, 3)


def test_in_a_large_project_new_trials_go_on_top_of_the_last_fit(striped, monkeypatch):
    project, _ = striped
    monkeypatch.setattr(estimates, "WHOLE_UP_TO", 100)
    first = refresh(project).read_json("hardness.json")
    item, annotator = project.items.first(), project.annotators.first()
    factories.make_trial(item, annotator, label=1, response_ms=60_000, look=2, position=61)
    Trial.objects.filter(look=2).update(look=3)
    stored = bring_up_to_date(project)
    assert estimates.update(
        people_folder(project.pk), stored.base.filter("timed"), stored.new.filter("timed"), 60
    ).whole is False  # fmt: skip
    again = refresh(project).read_json("hardness.json")
    assert (first["whole"], again["whole"], again["n_trials"]) == (True, False, 301)
    newcomer = factories.make_annotator(project)
    factories.make_trial(item, newcomer, label=1, response_ms=60_000)
    assert refresh(project).read_json("hardness.json")["whole"] is True


@pytest.mark.usefixtures("few_splits")
def test_in_a_large_project_new_labels_are_in_the_consensus_before_all_are_weighed_anew(striped, monkeypatch):
    project, _ = striped
    monkeypatch.setattr(estimates, "WHOLE_UP_TO", 100)
    monkeypatch.setattr(run, "WHOLE_UP_TO", 100)
    refresh(project)
    folder = refresh(project, people_now.DETAILS_JOB)
    items = list(project.items.order_by("ordinal"))
    ids = [item.pk for item in items]
    before = consensus_labels(project, ids)
    assert before[ids[0]].n_labels == 5
    again = Annotation.objects.filter(trial__item=items[0], is_current=True).order_by("pk")
    other = project.classes.exclude(pk=again.first().label_id).first()
    for number, old in enumerate(list(again)):
        Annotation.objects.filter(pk=old.pk).update(is_current=False)
        Annotation.objects.create(trial=old.trial, label=other, client_key=f"again-{number}", supersedes=old)
    newcomer = factories.make_annotator(project)
    factories.make_trial(items[1], newcomer, label=0, response_ms=800)
    refresh(project)
    after = consensus_labels(project, ids)
    assert (after[ids[0]].name, after[ids[0]].n_labels) == (other.name, 5)
    assert after[ids[1]].n_labels == before[ids[1]].n_labels + 1
    assert {pk: after[pk] for pk in ids[2:]} == {pk: before[pk] for pk in ids[2:]}
    facts = folder.read_json("consensus.json")
    assert (facts["n_items"], facts["n_labels"]) == (60, 301)
    # the slower job weighs everything anew, and says much the same
    refresh(project, people_now.DETAILS_JOB)
    whole = consensus_labels(project, ids)
    assert {pk: one.name for pk, one in whole.items()} == {pk: one.name for pk, one in after.items()}
    assert max(abs(whole[pk].confidence - after[pk].confidence) for pk in ids) < 0.1


@pytest.mark.usefixtures("few_splits")
@pytest.mark.parametrize("meanwhile", ["on top of the last fit", "a whole new fit"])
def test_weighing_all_labels_does_not_put_back_what_has_come_meanwhile(striped, monkeypatch, meanwhile):
    project, _ = striped
    monkeypatch.setattr(estimates, "WHOLE_UP_TO", 100)
    monkeypatch.setattr(run, "WHOLE_UP_TO", 100)
    refresh(project)
    item = project.items.first()
    weigh = run.weigh

    def slowly(*columns):
        view = weigh(*columns)
        if meanwhile == "a whole new fit":
            factories.make_trial(item, factories.make_annotator(project), label=1, response_ms=800)
        else:
            factories.make_trial(item, project.annotators.first(), label=1, response_ms=800, look=2, position=61)
        facts = refresh(project).read_json("hardness.json")
        assert facts["whole"] is (meanwhile == "a whole new fit")
        return view

    monkeypatch.setattr(run, "weigh", slowly)
    before = read_stored(project)
    folder = refresh(project, people_now.DETAILS_JOB)
    added = 1 if meanwhile == "a whole new fit" else 0  # a second look replaces the first one's label
    assert consensus_labels(project, [item.pk])[item.pk].n_labels == 5 + added
    everything = weigh(labels_that_count(read_stored(project).trials), 60, 3)
    assert folder.read_json("consensus.json")["n_labels"] == 300 + added
    assert len(read_stored(project).trials) == len(before.trials) + 1
    assert everything.n_labels[0] == 5 + added


def test_labels_that_are_gone_leave_no_consensus(striped):
    project, _ = striped
    refresh(project)
    assert len(consensus_labels(project, list(project.items.values_list("pk", flat=True)))) == 60
    Annotation.objects.all().delete()
    Trial.objects.all().delete()
    Annotator.objects.filter(project=project).delete()
    folder = refresh(project)
    assert consensus_labels(project, list(project.items.values_list("pk", flat=True))) == {}
    assert folder.read_json("consensus.json")["n_items"] == 0


@pytest.mark.usefixtures("few_splits")
def test_a_job_is_queued_when_trials_have_come_and_only_once(striped, django_capture_on_commit_callbacks):
    project, _ = striped
    with django_capture_on_commit_callbacks():
        assert people_now.queue_due() == 1
        assert people_now.queue_due() == 0
    job = Job.objects.get(kind="people")
    claim_job(job.pk)
    assert people_now.refresh_people(project=project) is None
    Job.objects.filter(pk=job.pk).update(status="queued", claim="")
    run_job(job.pk)
    assert people_now.queue_due() == 1, "the details, now that the trials are read"
    run_job(Job.objects.get(kind="people_details").pk)
    assert people_now.queue_due() == 0
    Annotator.objects.filter(project=project).update(n_answered=100)
    Job.objects.update(started_at=None)
    assert people_now.queue_due() == 1
    assert Job.objects.count() == 2


@pytest.mark.usefixtures("few_splits")
def test_annotators_and_measures_give_way_to_a_round_but_not_for_ever(striped):
    project, _ = striped
    refresh(project)
    stage = Job.objects.create(kind="round.features", scope=project.scope, status="queued", title="Features")
    assert people_now.queue_due() == 0
    Project.objects.filter(pk=project.pk).update(created_at=timezone.now() - people_now.DETAILS_GIVE_WAY * 2)
    assert people_now.queue_due() == 1
    Job.objects.filter(kind="people_details").delete()
    Project.objects.filter(pk=project.pk).update(created_at=timezone.now())
    assert people_now.queue_due() == 0
    Job.objects.filter(pk=stage.pk).update(status="succeeded", finished_at=timezone.now())
    assert people_now.queue_due() == 1


def test_a_failed_job_is_not_tried_again_at_once(striped):
    Job.objects.create(
        kind="people", scope=striped[0].scope, status="failed", finished_at=timezone.now(), title="Hardness"
    )
    assert people_now.queue_due() == 0


def test_annotators_and_measures(striped):
    project, _ = striped
    refresh(project)
    folder = refresh(project, people_now.DETAILS_JOB)
    rows = folder.read_json("annotators.json")["rows"]
    assert [row["n_trials"] for row in rows] == [60] * 5
    assert rows[0]["given_share"] > 0.9
    assert rows[0]["n_gold"] == rows[0]["n_repeats"] == 0
    assert rows[0]["curve"][0]["place"] == 1
    measures = {row["name"]: row for row in folder.read_json("measures.json")["rows"]}
    assert measures["time"]["value"] > 0.5
    assert len(measures) == 9


def test_a_project_without_times_or_answers_says_so(db):
    project: Project = factories.make_project(classes=("a", "b"))
    factories.make_items(project, 3)
    facts = refresh(project).read_json("hardness.json")
    assert [entry["what"] for entry in facts["missing"]] == [
        "No response time can be used, so there is no time hardness.",
        "Nobody has labelled anything yet, so there is no consensus.",
    ]
    refresh(project, people_now.DETAILS_JOB)


def test_objects_roll_up_to_their_image(db):
    project = factories.make_project(classes=("a", "b"), unit="object")
    items = factories.make_items(project, 4)
    for item in items[1:]:
        item.box_x = item.box_y = 0.1
        item.box_width, item.box_height = 0.2, 0.2 + item.ordinal / 10
        item.image = items[1].image
        item.save()
    generator = np.random.default_rng(0)
    for number in range(4):
        annotator = factories.make_annotator(project, f"p{number}")
        for item in items:
            ms = 800 * np.exp(item.ordinal / 2 + generator.normal(0, 0.1))
            factories.make_trial(item, annotator, label=0, response_ms=ms)
    rows = refresh(project).read_json("hardness.json")["images"]
    assert [(row["n_items"], row["hardest"]) for row in rows] == [(3, items[3].pk), (1, items[0].pk)]
