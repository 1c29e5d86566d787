"""Handing out: nothing more often than needed, nobody twice, the same again after a reload, back when abandoned."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from annotations.models import Annotator, Item, Project, Trial
from annotations.services.leases import lease_items, reopen, return_leases
from annotations.services.trials import open_work_session
from tests import factories

pytestmark = pytest.mark.django_db


def lease(annotator, count, **options):
    return lease_items(annotator_id=annotator.pk, count=count, **options)


def test_items_are_handed_out_once_with_position_policy_and_chance(project):
    items = factories.make_items(project, 4)
    ada = factories.make_annotator(project)
    leases = lease(ada, 3)
    assert len({x.item_id for x in leases}) == 3
    assert [x.position for x in leases] == [1, 2, 3]
    trials = Trial.objects.order_by("position")
    assert [t.chosen_by for t in trials] == ["random"] * 3
    assert [t.chance for t in trials] == [1 / 4, 1 / 3, 1 / 2]
    assert all(t.state == "issued" and t.lease_until > timezone.now() for t in trials)
    held = [x.trial_id for x in leases]
    assert len(lease(ada, 3, holding=held)) == 1
    assert sorted(Item.objects.values_list("taken", flat=True)) == [1, 1, 1, 1]
    assert {i.pk for i in items} == set(Trial.objects.values_list("item_id", flat=True))


def test_an_item_goes_to_as_many_people_as_needed_and_no_more(project):
    factories.make_items(project, 1)
    annotators = [factories.make_annotator(project) for _ in range(5)]
    handed_out = [len(lease(a, 1)) for a in annotators]
    assert handed_out == [1, 1, 1, 0, 0]
    assert Item.objects.get().taken == 3


def test_a_lost_reply_brings_the_same_trials_again_without_a_mark(project):
    factories.make_items(project, 5)
    ada = factories.make_annotator(project)
    session = open_work_session(annotator=ada, client_key="tab-1")
    first = lease(ada, 2, session=session)
    again = lease(ada, 2, session=session)
    assert [x.trial_id for x in again] == [x.trial_id for x in first]
    assert not any(x.reissued for x in again)
    assert Trial.objects.count() == 2


def test_a_reload_brings_the_same_trials_again_marked_as_handed_out_before(project):
    factories.make_items(project, 5)
    ada = factories.make_annotator(project)
    first = lease(ada, 2, session=open_work_session(annotator=ada, client_key="tab-1"))
    again = lease(ada, 2, session=open_work_session(annotator=ada, client_key="tab-2"))
    assert [x.trial_id for x in again] == [x.trial_id for x in first]
    assert all(x.reissued for x in again)
    assert set(Trial.objects.values_list("times_issued", "session__client_key")) == {(2, "tab-2")}


def test_what_the_browser_holds_is_not_sent_again(project):
    factories.make_items(project, 5)
    ada = factories.make_annotator(project)
    first = lease(ada, 2)
    more = lease(ada, 2, holding=[x.trial_id for x in first])
    assert not {x.trial_id for x in more} & {x.trial_id for x in first}


def test_nobody_can_hoard(project):
    factories.make_items(project, 80)
    ada = factories.make_annotator(project)
    holding: list[int] = []
    for _ in range(10):
        holding += [x.trial_id for x in lease(ada, 20, holding=holding)]
    assert len(holding) == 60


def test_an_abandoned_lease_goes_to_somebody_else_and_can_come_back(project):
    project.overlap = 1
    project.save()
    item = factories.make_items(project, 1)[0]
    ada, bob = factories.make_annotator(project), factories.make_annotator(project)
    trial_id = lease(ada, 1)[0].trial_id
    assert lease(bob, 1) == []
    assert return_leases() == 0

    Trial.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert return_leases() == 1
    assert return_leases() == 0
    trial, item = Trial.objects.get(), Item.objects.get()
    assert (trial.state, trial.lease_until, item.taken) == ("abandoned", None, 0)

    back = lease(ada, 1)
    assert [(x.trial_id, x.reissued) for x in back] == [(trial_id, True)]
    assert (Trial.objects.get().times_issued, Item.objects.get().taken) == (2, 1)

    Trial.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    return_leases()
    assert [x.item_id for x in lease(bob, 1)] == [item.pk]
    assert lease(ada, 1) == []


def test_leases_of_one_item_that_ran_out_together_are_all_given_back(project):
    factories.make_items(project, 2)
    for _ in range(3):
        lease(factories.make_annotator(project), 2)
    Trial.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert return_leases() == 6
    assert list(Item.objects.values_list("taken", flat=True)) == [0, 0]


def test_who_has_finished_looks_again_only_when_something_opened(project, django_assert_num_queries):
    factories.make_items(project, 1)
    ada = factories.make_annotator(project)
    lease(ada, 1)
    held = [Trial.objects.get().pk]
    assert lease(ada, 1, holding=held) == []
    with django_assert_num_queries(3):  # annotator, outstanding, save: no looking for items
        assert lease(ada, 1, holding=held) == []
    Item.objects.update(look=2, needed=6)
    assert lease(ada, 1, holding=held) == []
    reopen(project_ids=[project.pk])
    assert len(lease(ada, 1, holding=held)) == 1
    assert sorted(Trial.objects.values_list("look", flat=True)) == [1, 2]


def test_reopening_with_redraw_puts_urgent_items_before_what_was_drawn(project):
    items = factories.make_items(project, 9)
    ada = factories.make_annotator(project)
    lease(ada, 1)
    assert len(Annotator.objects.get(pk=ada.pk).drawn) == 8
    urgent = Item.objects.filter(taken=0).first()
    Item.objects.filter(pk=urgent.pk).update(priority=5)
    reopen(project_ids=[project.pk], redraw=True)
    assert [x.item_id for x in lease(ada, 1, holding=Trial.objects.values_list("pk", flat=True))] == [urgent.pk]
    assert Trial.objects.get(item=urgent).chosen_by == "priority"
    assert items


def test_what_others_took_since_the_draw_is_dropped_in_one_query(project):
    factories.make_items(project, 30)
    ada = factories.make_annotator(project)
    held = [x.trial_id for x in lease(ada, 1)]
    left = Annotator.objects.get(pk=ada.pk).drawn
    Item.objects.filter(pk__in=left[1:]).update(taken=3)
    more = lease(ada, 3, holding=held)
    assert [x.item_id for x in more] == [left[0]]
    assert Annotator.objects.get(pk=ada.pk).finished_at_reopened == Project.objects.get().reopened
