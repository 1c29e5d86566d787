"""Rounds that start by themselves: when they are due, one at a time, and nothing lost to a kill."""

import datetime

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from annotations.models import Annotation, Trial
from mining.models import HardSet, Round, RoundSchedule
from mining.selectors.schedules import schedule_in_words
from mining.services.rounds import RoundRefused, start_round
from mining.services.schedules import set_schedule, start_due_rounds
from tests import factories


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch):
    monkeypatch.setattr("mining.services.rounds.queue_job", lambda job: None)


@pytest.fixture
def items(project):
    return factories.make_items(project, 12)


def annotate(project, items, count, name="ada"):
    annotator = project.annotators.filter(name=name).first() or factories.make_annotator(project, name)
    label = project.classes.first()
    for item in items[:count]:
        trial = Trial.objects.create(
            project=project, item=item, annotator=annotator, state="answered", position=1, issued_at=timezone.now()
        )
        Annotation.objects.create(trial=trial, label=label, client_key=f"{name}-{item.pk}")


def end(round_):
    Round.objects.filter(pk=round_.pk).update(status="succeeded")


def test_a_round_starts_after_so_many_new_annotations(project, items):
    set_schedule(project=project, every_annotations=5, every_hours=None)
    annotate(project, items, 4)
    assert start_due_rounds() == 0
    annotate(project, items[4:], 1)

    assert start_due_rounds() == 1

    round_ = Round.objects.get()
    assert (round_.number, round_.status, round_.created_by) == (1, "queued", None)
    end(round_)
    assert start_due_rounds() == 0  # what the round has taken down is not new
    annotate(project, items, 5, name="bob")
    assert start_due_rounds() == 1
    assert Round.objects.count() == 2


def test_a_correction_is_no_new_annotation(project, items):
    set_schedule(project=project, every_annotations=2, every_hours=None)
    annotate(project, items, 1)
    first = Annotation.objects.get()
    Annotation.objects.update(is_current=False)
    Annotation.objects.create(trial=first.trial, label=first.label, client_key="c", supersedes=first)
    assert start_due_rounds() == 0


def test_a_round_starts_after_so_many_hours_if_anything_came(project, items):
    set_schedule(project=project, every_annotations=None, every_hours=24)
    old = start_round(project=project)
    end(old)
    Round.objects.update(created_at=timezone.now() - datetime.timedelta(hours=25))
    assert start_due_rounds() == 0
    annotate(project, items, 1)
    assert start_due_rounds() == 1


def test_the_hours_count_from_the_setting_where_there_was_no_round(project, items):
    set_schedule(project=project, every_annotations=None, every_hours=2)
    annotate(project, items, 1)
    assert start_due_rounds() == 0
    RoundSchedule.objects.update(updated_at=timezone.now() - datetime.timedelta(hours=3))
    assert start_due_rounds() == 1


def test_never_two_at_once(project, items, monkeypatch):
    set_schedule(project=project, every_annotations=1, every_hours=None)
    annotate(project, items, 3)
    start_round(project=project)
    annotate(project, items, 3, name="bob")
    assert start_due_rounds() == 0
    # Somebody starts one between the look and the start: the database turns the second away, without a word.
    monkeypatch.setattr("mining.services.schedules.active_round", lambda project: None)
    assert start_due_rounds() == 0
    assert Round.objects.count() == 1


def test_of_two_people_who_start_at_once_one_is_told(project, items, manager):
    start_round(project=project, created_by=manager)
    with pytest.raises(RoundRefused, match=r"^Round 1 of pets is not over yet: wait for it or cancel it"):
        start_round(project=project, created_by=manager)
    assert Round.objects.count() == 1


def test_a_refusal_is_kept_for_people_and_tried_again_later(project, items, monkeypatch):
    set_schedule(project=project, every_annotations=1, every_hours=None)
    annotate(project, items, 1)

    def refuse(**_):
        raise RoundRefused("no learner")

    with monkeypatch.context() as patch:
        patch.setattr("mining.services.schedules.start_round", refuse)
        assert start_due_rounds() == 0
    schedule = RoundSchedule.objects.get()
    assert schedule.last_message == "A round was due (1 new annotation) but could not start: no learner"
    assert start_due_rounds() == 0
    RoundSchedule.objects.update(tried_at=timezone.now() - datetime.timedelta(minutes=11))
    assert start_due_rounds() == 1
    assert RoundSchedule.objects.get().last_message == ""


def test_a_broken_project_does_not_stop_the_others(project, items, monkeypatch):
    other = factories.make_project("Other", slug="other")
    their = factories.make_items(other, 2)
    for one, mine in ((project, items), (other, their)):
        set_schedule(project=one, every_annotations=1, every_hours=None)
        annotate(one, mine, 1, name=f"ada-{one.slug}")

    def broken(*, project, **_):
        if project.slug == "pets":
            raise RuntimeError("disk")
        return start_round(project=project)

    monkeypatch.setattr("mining.services.schedules.start_round", broken)
    assert start_due_rounds() == 1
    assert Round.objects.get().project == other


def test_settings_are_checked_and_can_be_taken_back(project):
    with pytest.raises(ValidationError):
        set_schedule(project=project, every_annotations=0, every_hours=None)
    assert not RoundSchedule.objects.exists()
    schedule = set_schedule(project=project, every_annotations=1000, every_hours=24)
    assert schedule_in_words(schedule) == "Rounds start by themselves after 1,000 new annotations or every 24 hours."
    assert set_schedule(project=project, every_annotations=None, every_hours=None) is None
    assert schedule_in_words(None) == "Rounds start when you start them."
    assert not RoundSchedule.objects.exists()


def started_by_hand(project, **options):
    round_ = start_round(project=project, **options)
    end(round_)
    return round_


def due_again(project, items, name):
    annotate(project, items, 1, name=name)
    assert start_due_rounds() == 1
    round_ = Round.objects.filter(project=project).order_by("-number").first()
    end(round_)
    return round_


def names(entries):
    return [entry["name"] for entry in entries]


def test_a_scheduled_round_has_the_settings_of_the_last_one_that_somebody_started(project, items):
    set_schedule(project=project, every_annotations=1, every_hours=None)
    first = started_by_hand(
        project, learners=[{"name": "logistic", "params": {"c": 0.5}}], strategies=["band"],
        params={"label_source": "given", "online_strategies": ["ohem"], "noise_gate": False, "seed": 7},
    )  # fmt: skip
    failed = start_round(project=project, learners=["knn"])
    Round.objects.filter(pk=failed.pk).update(status="failed")

    scheduled = due_again(project, items, "ada")

    assert scheduled.params == {**first.params, "scheduled": True}
    assert scheduled.params["learners"][0]["params"]["c"] == 0.5
    # The next one goes by what a person started again, not by the scheduled round in between.
    started_by_hand(project, learners=["random_forest"], strategies=["curriculum"])
    newest = due_again(project, items, "bob")
    assert (names(newest.params["learners"]), names(newest.params["strategies"])) == (["random_forest"], ["curriculum"])
    assert newest.params["online_strategies"] == []
    assert due_again(project, items, "cy").params == newest.params


def test_the_usual_settings_or_those_of_one_round_can_be_asked_for(project, items):
    usual = start_round(project=project)
    end(usual)
    first = started_by_hand(project, learners=["logistic"], strategies=["band"])
    started_by_hand(project, learners=["knn"], strategies=["curriculum"])

    set_schedule(project=project, every_annotations=1, every_hours=None, settings_from="usual")
    assert due_again(project, items, "ada").params == {**usual.params, "scheduled": True}
    set_schedule(project=project, every_annotations=1, every_hours=None, settings_from="round", like_round=first)
    assert due_again(project, items, "bob").params == {**first.params, "scheduled": True}
    first.delete()
    assert due_again(project, items, "cy").params == {**usual.params, "scheduled": True}


def test_earlier_hard_sets_are_not_handed_on_and_the_measure_of_people_is_the_projects(project, items):
    first = started_by_hand(project)
    hard_set = HardSet.objects.create(round=first, strategy="band", n_members=0, sha256="0" * 64)
    second = started_by_hand(project, params={"include_hard_sets": [hard_set.pk], "human_measure": "mean_rank_time"})
    assert second.params["include_hard_sets"]
    set_schedule(project=project, every_annotations=1, every_hours=None)
    params = due_again(project, items, "ada").params
    assert (params["include_hard_sets"], params["human_measure"]) == ([], first.params["human_measure"])


def test_predictions_that_came_since_are_learners_and_removed_ones_are_left_out(project, items, monkeypatch):
    def imported(*named):
        return lambda project: [
            {"name": name, "learner": f"file:{name}", "sha256": name, "imported_at": at.isoformat(timespec="seconds")}
            for name, at in named
        ]

    reads = "mining.selectors.choices.imported_predictions"
    long_ago, soon = (timezone.now() + datetime.timedelta(hours=hours) for hours in (-9, 9))
    monkeypatch.setattr(reads, imported(("old", long_ago), ("unticked", long_ago)))
    started_by_hand(project, learners=["logistic", "file:old"])
    set_schedule(project=project, every_annotations=1, every_hours=None)
    monkeypatch.setattr(reads, imported(("unticked", long_ago), ("new", soon)))
    assert names(due_again(project, items, "ada").params["learners"]) == ["logistic", "file:new"]


def test_a_round_of_another_project_is_refused(project):
    other = factories.make_project("Other", slug="other")
    factories.make_items(other, 2)
    theirs = start_round(project=other)
    for like in (theirs, None):
        with pytest.raises(ValidationError, match="Choose a round of this project"):
            set_schedule(project=project, every_annotations=1, every_hours=None, settings_from="round", like_round=like)
    assert not RoundSchedule.objects.exists()
