"""Which items are drawn: only open and unseen ones, each with the same chance, at a cost that does not grow."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.models import Image, Item, Project, Trial
from annotations.queue import CHUNK, draw_items
from annotations.queue import random as random_policy
from tests import factories

pytestmark = pytest.mark.django_db


def bulk_items(project: Project, n: int) -> list[Item]:
    """Return `n` items of images that share a file, as fast as rows can be made."""
    start = Image.objects.count()
    images = Image.objects.bulk_create(
        Image(sha256=f"{start + i:064d}", file="x", thumbnail="x", media_type="image/png", width=8, height=8, n_bytes=1)
        for i in range(n)
    )
    items = Item.objects.bulk_create(
        Item(project=project, image=image, ordinal=i, path=f"{i}", needed=project.overlap)
        for i, image in enumerate(images)
    )
    project.n_items = n
    project.save()
    return items


def had(annotator, items, **fields):
    Trial.objects.bulk_create(
        Trial(project=annotator.project, annotator=annotator, item=item, position=i + 1, issued_at=timezone.now(),
              **{"state": Trial.State.ANSWERED, **fields})
        for i, item in enumerate(items)
    )  # fmt: skip


@pytest.mark.parametrize("n", [30, random_policy.SMALL + 500])
def test_only_items_that_are_open_and_unseen_are_drawn(project, n):
    ada = factories.make_annotator(project)
    items = bulk_items(project, n)
    full, seen, given_back, asked_again = items[0], items[1], items[2], items[3]
    Item.objects.filter(pk=full.pk).update(taken=full.needed)
    had(ada, [seen, asked_again])
    had(ada, [given_back], state=Trial.State.ABANDONED)
    Item.objects.filter(pk=asked_again.pk).update(look=2)
    Item.objects.exclude(pk__in=[i.pk for i in items[:10]]).update(taken=3, needed=3)

    drawn = draw_items(ada, project)

    assert sorted(drawn.ids) == sorted(i.pk for i in items[2:10])
    assert (drawn.by, drawn.of) == ("random", 8)


def test_each_annotator_has_an_order_of_their_own_and_the_same_one_again(project):
    bulk_items(project, 50)
    ada, bob = factories.make_annotator(project), factories.make_annotator(project)
    assert draw_items(ada, project).ids == draw_items(ada, project).ids
    assert draw_items(ada, project).ids != draw_items(bob, project).ids


@pytest.mark.parametrize("by_rejection", [False, True])
def test_every_open_item_has_the_same_chance(project, monkeypatch, by_rejection):
    """600 draws of the first of 40 open items out of 60: chi-squared under its 99.99 % point for 39 degrees (83.7)."""
    if by_rejection:
        monkeypatch.setattr(random_policy, "SMALL", 0)
        monkeypatch.setattr(random_policy, "PROBES", (5, 10, 45))
    items = bulk_items(project, 60)
    Item.objects.filter(ordinal__lt=20).update(taken=3)
    ada = factories.make_annotator(project)
    n = 600
    first: Counter[int] = Counter()
    for seed in range(n):
        ada.seed = seed
        first[draw_items(ada, project).ids[0]] += 1
    assert set(first) <= {i.pk for i in items[20:]}
    expected = n / 40
    assert sum((first[i.pk] - expected) ** 2 / expected for i in items[20:]) < 83.7


def test_the_chance_is_known_from_the_share_of_hits(project):
    bulk_items(project, 5000)
    Item.objects.filter(ordinal__lt=2500).update(taken=3)
    drawn = draw_items(factories.make_annotator(project), project)
    assert len(drawn.ids) == CHUNK
    assert len(set(drawn.ids)) == CHUNK
    assert 2000 < drawn.of < 3000


def test_the_last_open_items_of_many_are_found(project):
    items = bulk_items(project, 9000)
    Item.objects.exclude(pk=items[4321].pk).update(taken=3)
    drawn = draw_items(factories.make_annotator(project), project)
    assert (drawn.ids, drawn.of) == ([items[4321].pk], 1)


def test_a_draw_costs_the_same_number_of_queries_whatever_is_drawn(project):
    ada = factories.make_annotator(project)
    bulk_items(project, 4000)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        draw_items(ada, project)
    assert len(queries) == 2  # urgent items; one set of probes


def test_urgent_items_come_first_the_most_urgent_before_the_others(project):
    items = bulk_items(project, 30)
    Item.objects.filter(pk__in=[i.pk for i in items[5:9]]).update(priority=1)
    Item.objects.filter(pk=items[20].pk).update(priority=2)
    ada = factories.make_annotator(project)
    drawn = draw_items(ada, project)
    assert (drawn.ids, drawn.by, drawn.of) == ([items[20].pk], "priority", 1)
    had(ada, [items[20]])
    drawn = draw_items(ada, project)
    assert (set(drawn.ids), drawn.by, drawn.of) == ({i.pk for i in items[5:9]}, "priority", 4)


def test_fixed_order_goes_on_where_the_annotator_is_and_comes_back_for_what_opened(project):
    items = bulk_items(project, 6)
    project.order = Project.Order.FIXED
    ada = factories.make_annotator(project)
    assert draw_items(ada, project).ids == [i.pk for i in items]
    had(ada, items[1:4])
    assert draw_items(ada, project).ids == [items[4].pk, items[5].pk]
    had(ada, items[4:])
    assert draw_items(ada, project).ids == [items[0].pk]
