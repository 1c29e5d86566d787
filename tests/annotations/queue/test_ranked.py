"""Orders that follow a stored ranking: what is drawn, with which chance, and what comes where there is none."""

from __future__ import annotations

import pytest

from annotations.models import Item, Project, QueueRanking, Trial
from annotations.queue import draw_items, ranked
from annotations.services.leases import lease_items
from tests import factories

pytestmark = pytest.mark.django_db


def ranking(project, order, items):
    project.order = order
    project.save()
    QueueRanking.objects.create(project=project, order=order, item_ids=[item.pk for item in items], n_trials=50)


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


def test_adaptive_chooses_at_random_in_the_head_of_the_ranking_with_that_chance(project, monkeypatch):
    monkeypatch.setattr(ranked, "ADAPTIVE_POOL", 4)
    items = factories.make_items(project, 12)
    ranking(project, Project.Order.ADAPTIVE, items[::-1])
    ada = factories.make_annotator(project)
    lease_items(annotator_id=ada.pk, count=4)
    trials = list(Trial.objects.order_by("position"))
    assert {t.item_id for t in trials} == {item.pk for item in items[-4:]}
    assert [t.chosen_by for t in trials] == ["adaptive"] * 4
    assert [t.chance for t in trials] == [1 / 4, 1 / 3, 1 / 2, 1]
    firsts = set()
    for seed in range(40):
        ada.seed = seed
        firsts.add(draw_items(ada, project).ids[0])
    assert len(firsts) == 4


@pytest.mark.parametrize("order", [Project.Order.HARDEST, Project.Order.ADAPTIVE])
def test_without_a_ranking_or_with_one_of_another_order_items_come_at_random(project, order):
    items = factories.make_items(project, 5)
    ranking(project, Project.Order.HARDEST if order == Project.Order.ADAPTIVE else Project.Order.ADAPTIVE, items)
    project.order = order
    project.save()
    drawn = draw_items(factories.make_annotator(project), project)
    assert (set(drawn.ids), drawn.by, drawn.of) == ({item.pk for item in items}, "random", 5)


def test_few_are_drawn_at_a_time_however_long_the_list(project, django_assert_num_queries):
    items = factories.make_items(project, 30)
    ranking(project, Project.Order.ADAPTIVE, items)
    ada = factories.make_annotator(project)
    with django_assert_num_queries(3):  # urgent items, the ranking, those of it that can be had
        assert len(draw_items(ada, project).ids) == ranked.RANKED_CHUNK
