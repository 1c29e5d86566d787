import datetime

import pytest
from django.utils import timezone

from annotations.models import Item
from mining.models import HardSet, HardSetMember, Round, SecondLook
from mining.services.second_look import SecondLookRefused, ask_again
from tests import factories


@pytest.fixture
def hard_set(project):
    """Return a set of two of three items, the second of which looks mislabelled."""
    items = factories.make_items(project, 3)
    Item.objects.filter(project=project).update(taken=3, answered=3)
    round_ = Round.objects.create(project=project, number=1, folder="rounds/x/1", status="succeeded")
    hard_set = HardSet.objects.create(round=round_, strategy="suspicious", sha256="0" * 64, n_members=2)
    for rank, (item, verdict) in enumerate([(items[0], "ambiguous"), (items[2], "mislabelled")], start=1):
        HardSetMember.objects.create(
            hard_set=hard_set, item=item, rank=rank, score=1 / rank, reason="because", verdict=verdict
        )
    return hard_set


def queue(project):
    return list(Item.objects.filter(project=project).order_by("ordinal").values_list("needed", "priority", "look"))


def test_its_items_need_more_judgments_and_come_first(project, hard_set, manager):
    asked = ask_again(hard_set=hard_set, extra_judgments=2, created_by=manager)

    assert queue(project) == [(5, 1, 1), (3, 0, 1), (5, 2, 1)]
    assert (asked.n_items, asked.extra_judgments, asked.same_people, asked.created_by) == (2, 2, False, manager)
    project.refresh_from_db()
    assert project.reopened == 1


def test_the_same_people_get_another_look(project, hard_set):
    ask_again(hard_set=hard_set, same_people=True)

    assert queue(project) == [(4, 1, 2), (3, 0, 1), (4, 2, 2)]


def test_a_double_click_asks_once(project, hard_set, manager):
    first = ask_again(hard_set=hard_set, extra_judgments=2, created_by=manager)
    second = ask_again(hard_set=hard_set, extra_judgments=2, created_by=manager)

    assert first == second
    assert queue(project)[0] == (5, 1, 1)
    assert SecondLook.objects.count() == 1


def test_later_it_can_be_asked_once_more(project, hard_set, manager):
    ask_again(hard_set=hard_set, created_by=manager)
    SecondLook.objects.update(created_at=timezone.now() - datetime.timedelta(minutes=1))
    ask_again(hard_set=hard_set, created_by=manager)

    assert queue(project)[0] == (5, 1, 1)
    assert SecondLook.objects.count() == 2


def test_items_with_more_judgments_than_needed_are_opened_too(project, hard_set):
    Item.objects.filter(project=project).update(taken=10, answered=10, needed=3)

    ask_again(hard_set=hard_set)

    assert queue(project)[0][0] == 11


def test_people_who_had_finished_get_them(project, hard_set, annotator_user):
    from annotations.services.leases import lease_items

    ada = factories.make_annotator(project, "ada", user=annotator_user)
    assert lease_items(annotator_id=ada.pk, count=5) == []

    ask_again(hard_set=hard_set)
    leases = lease_items(annotator_id=ada.pk, count=5)

    suspect, other = hard_set.members.get(verdict="mislabelled"), hard_set.members.get(verdict="ambiguous")
    assert [lease.item_id for lease in leases] == [suspect.item_id, other.item_id]


@pytest.mark.parametrize("extra", [0, -1, 101])
def test_a_number_that_cannot_be_changes_nothing(project, hard_set, extra):
    before = queue(project)

    with pytest.raises(SecondLookRefused, match="Ask for 1 to 100 more judgments"):
        ask_again(hard_set=hard_set, extra_judgments=extra)

    assert queue(project) == before


def test_an_empty_set_is_refused(project, hard_set):
    hard_set.members.all().delete()
    HardSet.objects.update(n_members=0)
    hard_set.refresh_from_db()

    with pytest.raises(SecondLookRefused, match="empty"):
        ask_again(hard_set=hard_set)


def test_a_set_of_any_size_takes_the_same_queries(project, hard_set, django_assert_max_num_queries):
    with django_assert_max_num_queries(10):
        ask_again(hard_set=hard_set)
