"""Orders that follow a stored ranking: what is drawn, with which chance, and what comes where there is none."""

from __future__ import annotations

import pytest

from annotations.models import Item, Project, QueueRanking, Trial
from annotations.queue import draw_items, ranked
from annotations.services.leases import lease_items
from tests import factories

pytestmark = pytest.mark.django_db


def ranking(project, order, items, plan=()):
    """Store a ranking; `plan`: (item, how often it may have been taken)."""
    project.order = order
    project.save()
    QueueRanking.objects.create(
        project=project, order=order, item_ids=[item.pk for item in items], n_trials=50,
        plan=[[item.pk, most] for item, most in plan],
    )  # fmt: skip


def test_hardest_first_follows_the_ranking_and_leaves_nothing_to_chance(project):
    items = factories.make_items(project, 6)
    ranking(project, Project.Order.HARDEST, [items[4], items[0], items[2]])
    Item.objects.filter(pk=items[0].pk).update(taken=3)
    ada = factories.make_annotator(project)
    drawn = draw_items(ada, project)
    assert (drawn.ids, drawn.by, drawn.of) == ([items[4].pk, items[2].pk], "hardest", 0)
    lease_items(annotator_id=ada.pk, count=3)
    trials = list(Trial.objects.order_by("position"))
    assert [(t.item_id, t.chosen_by, t.chance) for t in trials[:2]] == [
        (items[4].pk, "hardest", None), (items[2].pk, "hardest", None),
    ]  # fmt: skip
    assert (trials[2].chosen_by, trials[2].chance) == ("random", 1 / 3)


def test_adaptive_chooses_at_random_in_the_plan_with_that_chance(project):
    items = factories.make_items(project, 12)
    wanted = items[-4:]
    ranking(project, Project.Order.ADAPTIVE, items[::-1], [(wanted[0], 3), *((item, 1) for item in wanted[1:])])
    ada = factories.make_annotator(project)
    lease_items(annotator_id=ada.pk, count=4)
    trials = list(Trial.objects.order_by("position"))
    assert {t.item_id for t in trials} == {item.pk for item in wanted}
    assert [t.chosen_by for t in trials] == ["adaptive"] * 4
    assert [t.chance for t in trials] == [1 / 4, 1 / 3, 1 / 2, 1]
    bob, firsts = factories.make_annotator(project), set()
    Item.objects.update(taken=0)
    for seed in range(40):
        bob.seed = seed
        firsts.add(draw_items(bob, project).ids[0])
    assert firsts == {item.pk for item in wanted}


def test_what_others_have_taken_of_the_plan_is_not_taken_again(project):
    items = factories.make_items(project, 6)
    ranking(project, Project.Order.ADAPTIVE, items, [(items[0], 1), (items[1], 2), (items[2], 1)])
    lease_items(annotator_id=factories.make_annotator(project).pk, count=3)
    drawn = draw_items(factories.make_annotator(project), project)
    assert (drawn.ids, drawn.by, drawn.of) == ([items[1].pk], "adaptive", 1)


def test_who_finds_nothing_in_the_plan_gets_the_items_after_it(project, monkeypatch):
    monkeypatch.setattr(ranked, "ADAPTIVE_POOL", 2)
    items = factories.make_items(project, 6)
    ranking(project, Project.Order.ADAPTIVE, items[::-1], [(items[5], 9), (items[4], 9)])
    ada = factories.make_annotator(project)
    for item in items[4:]:
        factories.make_trial(item, ada, label=0)
    drawn = draw_items(ada, project)
    assert (set(drawn.ids), drawn.by, drawn.of) == ({items[3].pk, items[2].pk}, "adaptive", 2)


@pytest.mark.parametrize("order", [Project.Order.HARDEST, Project.Order.ADAPTIVE])
def test_without_a_ranking_or_with_one_of_another_order_items_come_at_random(project, order):
    items = factories.make_items(project, 5)
    ranking(project, Project.Order.HARDEST if order == Project.Order.ADAPTIVE else Project.Order.ADAPTIVE, items)
    project.order = order
    project.save()
    drawn = draw_items(factories.make_annotator(project), project)
    assert (set(drawn.ids), drawn.by, drawn.of) == ({item.pk for item in items}, "random", 5)


def test_the_best_of_the_plan_are_drawn_and_what_is_not_handed_out_is_put_back(project, monkeypatch):
    """Else people who come later judge again what waits for somebody."""
    monkeypatch.setattr(ranked, "ADAPTIVE_POOL", 3)
    items = factories.make_items(project, 8)
    ranking(project, Project.Order.ADAPTIVE, items, [(item, 1) for item in items])
    ada = factories.make_annotator(project)
    drawn = draw_items(ada, project)
    assert (set(drawn.ids), drawn.of) == ({item.pk for item in items[:3]}, 3)
    lease_items(annotator_id=ada.pk, count=1)
    ada.refresh_from_db()
    assert (ada.drawn, ada.draws) == ([], 1)
    assert list(Trial.objects.values_list("chosen_by", "chance")) == [("adaptive", 1 / 3)]
    for _ in range(7):
        lease_items(annotator_id=factories.make_annotator(project).pk, count=1)
    assert Trial.objects.values("item").distinct().count() == 8


def test_who_has_had_the_whole_plan_goes_on_with_the_items_after_it(project, monkeypatch):
    monkeypatch.setattr(ranked, "ADAPTIVE_BATCH", 3)
    items = factories.make_items(project, 6)
    ranking(project, Project.Order.ADAPTIVE, [items[5], items[5], items[4], items[3], items[2]])
    ada = factories.make_annotator(project)
    for item in items[4:]:
        factories.make_trial(item, ada, label=0)
    drawn = draw_items(ada, project)
    assert (set(drawn.ids), drawn.by, drawn.of) == ({items[3].pk, items[2].pk}, "adaptive", 2)


@pytest.mark.parametrize(
    ("order", "chunk"),
    [(Project.Order.HARDEST, ranked.RANKED_CHUNK), (Project.Order.ADAPTIVE, ranked.ADAPTIVE_CHUNK)],
)
def test_few_are_drawn_at_a_time_however_long_the_list(project, django_assert_num_queries, order, chunk):
    items = factories.make_items(project, 30)
    ranking(project, order, items, [(item, 1) for item in items])
    ada = factories.make_annotator(project)
    with django_assert_num_queries(3):  # urgent items, the ranking, those of it that can be had
        assert len(draw_items(ada, project).ids) == chunk
