"""Training, gold items, repeats and the time limit: beside what is needed, logged with their chance."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from annotations.models import Annotator, Item, Project, Trial
from annotations.queue import probes
from annotations.selectors.quality import Quality, quality_by_annotator
from annotations.selectors.trials import own_trial
from annotations.services.answers import Submission, answer_trial, correct_answer, end_trial_out_of_time, skip_trial
from annotations.services.leases import lease_items, return_leases
from annotations.services.projects import create_project, update_settings
from annotations.services.roles import set_role
from mining.adapters import item_table, trial_table
from tests import factories

pytestmark = pytest.mark.django_db
OUT_OF_TIME = [
    {"t": 1000, "kind": "onset"},
    {"t": 1000, "kind": "limit", "ms": 800},
    {"t": 1812, "kind": "out_of_time"},
]
EVENTS = [{"t": 1000, "kind": "onset"}, {"t": 1640, "kind": "decision"}]


@pytest.fixture
def ada(project, annotator_user):
    return factories.make_annotator(project, "Ada", user=annotator_user)


def submission(trial, **fields):
    return Submission(client_key=f"key-{trial.pk:08d}", events=fields.pop("events", EVENTS), **fields)


def take(annotator):
    [lease, *_] = lease_items(annotator_id=annotator.pk, count=1)
    Trial.objects.filter(pk=lease.trial_id).update(issued_at=timezone.now() - timedelta(seconds=10))
    return own_trial(annotator.user, annotator.project.slug, lease.trial_id)


def answer(trial, code=1):
    answer_trial(trial=trial, label_id=trial.project.classes.get(code=code).pk, submission=submission(trial))


def label_all(annotator, at_most=500):
    """Answer everything there is; return the trials in their order."""
    for _ in range(at_most):
        if not lease_items(annotator_id=annotator.pk, count=1):
            break
        answer(take(annotator))
    return list(Trial.objects.filter(annotator=annotator).order_by("position"))


def test_out_of_time_is_stored_with_its_bound_and_the_item_goes_to_somebody_else(project, ada):
    item = factories.make_items(project, 1)[0]
    trial = take(ada)
    end_trial_out_of_time(trial=trial, submission=submission(trial, events=OUT_OF_TIME))
    trial.refresh_from_db()
    item.refresh_from_db()
    assert (trial.state, trial.skip_reason, trial.null_reason) == ("skipped", "out_of_time", "out_of_time")
    assert (trial.response_ms, trial.censored_at_ms) == (None, 800)
    assert (item.taken, item.answered, item.skipped) == (0, 0, 1)
    assert lease_items(annotator_id=ada.pk, count=1) == []
    table = trial_table(project, item_table(project))
    assert table.select("censored", "timed", "censored_at_ms").rows() == [(True, True, 800.0)]


def test_training_items_come_first_in_their_order_and_count_for_nothing(project, ada):
    items = factories.make_items(project, 6)
    assert set_role(project=project, paths=[items[4].path, items[2].path], role="training") == 2
    leases = lease_items(annotator_id=ada.pk, count=3)
    assert [x.item_id for x in leases[:2]] == [items[2].pk, items[4].pk]
    trials = list(Trial.objects.order_by("position"))
    assert [(t.purpose, t.chosen_by) for t in trials[:2]] == [("training", "training")] * 2
    assert (trials[2].purpose, trials[2].chance) == ("", 1 / 4)
    answer(take(ada))
    assert {i.taken for i in Item.objects.filter(role="training")} == {0}
    table = trial_table(project, item_table(project))
    assert table.select("purpose", "timed", "response_ms").rows() == [("training", False, 640.0)]


def test_gold_items_come_to_everybody_once_at_their_share_and_take_nothing(project, annotator_user):
    items = factories.make_items(project, 100, given=[0] * 100)
    project.gold_share, project.overlap = 0.2, 3
    project.save()
    set_role(project=project, paths=[item.path for item in items[:10]], role="gold")
    ada = factories.make_annotator(project, "Ada", user=annotator_user)
    trials = label_all(ada)
    gold = [t for t in trials if t.purpose == "gold"]
    assert len(trials) == 90 + len(gold)
    assert Counter(t.item_id for t in gold) == Counter(item.pk for item in items[:10])
    assert [t.chance for t in gold] == [1 / n for n in range(10, 0, -1)]
    assert all(t.position < 95 for t in gold)
    assert set(Item.objects.filter(role="gold").values_list("taken", "answered")) == {(0, 0)}
    assert set(Item.objects.filter(role="").values_list("taken", "answered")) == {(1, 1)}


def test_repeats_come_at_their_share_to_whom_judged_before_and_take_nothing(project, annotator_user):
    factories.make_items(project, 150)
    project.repeat_share = 0.2
    project.save()
    ada = factories.make_annotator(project, "Ada", user=annotator_user)
    trials = label_all(ada)
    repeats = [t for t in trials if t.purpose == "repeat"]
    first = {t.item_id: t.position for t in trials if not t.purpose}
    assert len(first) == 150
    assert 15 < len(repeats) < 50, "a fifth of about 165 trials"
    assert len({t.item_id for t in repeats}) == len(repeats)
    assert all(t.position - first[t.item_id] >= probes.REPEAT_AFTER for t in repeats)
    assert all(0 < t.chance <= 1 for t in repeats)
    assert set(Item.objects.values_list("taken", "answered")) == {(1, 1)}
    table = trial_table(project, item_table(project))
    assert table.filter("timed").height == 150
    assert Annotator.objects.get().n_answered == len(trials)


def test_gold_and_repeats_say_how_right_and_how_steady_people_are(project, ada, manager_client):
    items = factories.make_items(project, 3, given=[0, 1, 0])
    for item, purpose, code in [(0, "gold", 0), (1, "gold", 0), (2, "", 1), (2, "repeat", 1), (0, "repeat", 1)]:
        trial = factories.make_trial(items[item], ada, label=code, response_ms=500, purpose=purpose)
        assert trial.purpose == purpose
    Annotator.objects.update(n_answered=5)
    assert quality_by_annotator(project) == {ada.pk: Quality(n_gold=2, n_right=1, n_repeats=2, n_same=1)}
    text = manager_client.get(project.get_absolute_url()).content.decode()
    assert text.count("1 of 2") == 2
    assert "Gold items right" in text
    text = manager_client.get(reverse("item", args=[project.slug, items[2].pk])).content.decode()
    assert text.count(">Repeat<") == 1


def test_the_indexes_of_the_few_are_used(project, ada):
    plan = probes._not_had(ada, Item.Role.GOLD).explain()
    # PostgreSQL reads a table this small as a whole, and finds the index by itself where there is more.
    assert connection.vendor != "sqlite" or "item_with_role" in plan


def test_a_probe_that_is_skipped_corrected_or_abandoned_leaves_the_item_alone(project, ada):
    items = factories.make_items(project, 5, given=[0] * 5)
    set_role(project=project, paths=[item.path for item in items[:3]], role="training")
    skipped, _, abandoned = take(ada), None, None
    skip_trial(trial=skipped, reason="other", submission=submission(skipped))
    correct = Submission(client_key="correction-1", events=[])
    correct_answer(trial=skipped, label_id=project.classes.get(code=0).pk, submission=correct)
    abandoned = take(ada)
    Trial.objects.filter(pk=abandoned.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert return_leases() == 1
    assert set(Item.objects.values_list("taken", "answered", "skipped")) == {(0, 0, 0)}
    again = take(ada)
    assert (again.pk, again.times_issued) == (abandoned.pk, 2)


def test_roles_are_refused_as_a_whole_and_taken_back(project):
    items = factories.make_items(project, 3, given=[0, 0, 1])
    Item.objects.filter(pk=items[2].pk).update(given=None)
    with pytest.raises(ValidationError, match=r"No item of the project is called nothing\.png"):
        set_role(project=project, paths=[items[0].path, "nothing.png"], role="gold")
    with pytest.raises(ValidationError, match=r"needs a given label.*image-0002\.png"):
        set_role(project=project, paths=[items[0].path, items[2].path], role="gold")
    assert set(Item.objects.values_list("role", "needed")) == {("", 3)}
    set_role(project=project, paths=[items[0].path], role="gold")
    update_settings(project=project, overlap=5)
    assert list(Item.objects.order_by("ordinal").values_list("role", "needed")) == [("gold", 0), ("", 5), ("", 5)]
    assert set_role(project=project, paths=[items[0].path], role="") == 1
    assert Item.objects.get(pk=items[0].pk).needed == 5
    assert Project.objects.get().n_gold == 0


def test_a_protocol_is_set_when_a_project_is_made_and_refused_where_it_cannot_be():
    made = create_project(name="P", classes=["a"], order="adaptive", time_limit_ms=1500, flash_frames=6, break_after=50)
    assert (made.order, made.time_limit_ms, made.flash_frames, made.break_after) == ("adaptive", 1500, 6, 50)
    with pytest.raises(ValidationError, match="at most 50"):
        create_project(name="Q", classes=["a"], repeat_share=0.3, gold_share=0.3)
    with pytest.raises(ValidationError):
        update_settings(project=made, time_limit_ms=10)
    with pytest.raises(TypeError):
        create_project(name="Q", classes=["a"], colour="red")
    assert Project.objects.count() == 1


def test_chances_follow_when_others_take_what_was_drawn(project, annotator_user):
    project.overlap = 1
    project.save()
    factories.make_items(project, 10)
    ada, bob = factories.make_annotator(project, "Ada"), factories.make_annotator(project, "Bob")
    lease_items(annotator_id=ada.pk, count=1)
    lease_items(annotator_id=bob.pk, count=6)
    held = list(Trial.objects.filter(annotator=ada).values_list("pk", flat=True))
    lease_items(annotator_id=ada.pk, count=3, holding=held)
    last = Trial.objects.filter(annotator=ada).order_by("position").last()
    assert last.chance == 1, "three were left: 1/3, 1/2, 1"
