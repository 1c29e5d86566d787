"""The background's ranking: who is due, what is stored, and what is left at random."""

from __future__ import annotations

import numpy as np
import pytest

from annotations.models import Annotator, Item, Project, QueueRanking
from mining.services.queue_ranking import projects_to_rank, rank_queue
from mining.tasks import rank_queue_task, rank_queues_task
from tests import factories

pytestmark = pytest.mark.django_db
HARDEST, ADAPTIVE = Project.Order.HARDEST, Project.Order.ADAPTIVE


@pytest.fixture
def judged(project):
    """Twelve items, the later the slower, each judged by four people; two more that nobody judged."""
    rng = np.random.default_rng(5)
    project.overlap, project.order = 6, HARDEST
    project.save()
    items = factories.make_items(project, 14)
    for person in range(4):
        annotator = factories.make_annotator(project, f"p{person}")
        for number, item in enumerate(items[:12]):
            ms = float(600 * np.exp(0.15 * number + rng.normal(0, 0.08)))
            factories.make_trial(item, annotator, label=0, response_ms=ms)
        Annotator.objects.filter(pk=annotator.pk).update(n_answered=12)
    return items


def test_the_slowest_items_that_want_judgments_stand_first(project, judged):
    Item.objects.filter(pk=judged[10].pk).update(taken=6)
    assert projects_to_rank() == [project.pk]
    ranking = rank_queue(project_id=project.pk)
    assert ranking.item_ids[:3] == [judged[11].pk, judged[9].pk, judged[8].pk]
    assert len(ranking.item_ids) == 11
    assert (ranking.order, ranking.n_trials, ranking.precision) == ("hardest", 48, None)
    assert projects_to_rank() == []


def test_adaptive_asks_for_the_unjudged_then_for_those_at_the_cut_before_the_plain_ones(project, judged):
    project.order, project.hard_share = ADAPTIVE, 3 / 14
    project.save()
    ranking = rank_queue(project_id=project.pk)
    # Four people who agree within .17 SD leave little to learn at the cut; of the unjudged nothing is known yet.
    assert set(ranking.item_ids[:2]) == {judged[12].pk, judged[13].pk}
    assert set(ranking.item_ids[2:4]) == {judged[8].pk, judged[9].pk}
    assert {item.pk for item in judged[:5]} == set(ranking.item_ids[9:])
    assert [pk for pk, _ in ranking.plan[:4]] == ranking.item_ids[:4]
    assert 0.5 < ranking.precision <= 1


def test_judgments_on_their_way_are_not_asked_for_again(project, judged):
    project.order, project.hard_share = ADAPTIVE, 3 / 14
    project.save()
    wanted = dict(rank_queue(project_id=project.pk).plan)
    assert wanted[judged[12].pk] == wanted[judged[13].pk] == 6, "as many as the overlap lets have"
    Item.objects.filter(pk=judged[12].pk).update(taken=5)
    ranking = rank_queue(project_id=project.pk)
    assert ranking.item_ids[0] == judged[13].pk


def test_a_new_ranking_is_followed_at_once_but_what_is_urgent_stays_drawn(project, judged):
    ada, bob = factories.make_annotator(project, "ada"), factories.make_annotator(project, "bob")
    Annotator.objects.filter(pk=ada.pk).update(drawn=[1, 2], drawn_by="random", drawn_from=5)
    Annotator.objects.filter(pk=bob.pk).update(drawn=[3], drawn_by="priority", drawn_from=1)
    rank_queue(project_id=project.pk)
    assert list(Annotator.objects.filter(name__in=("ada", "bob")).values_list("drawn", flat=True)) == [[], [3]]


def test_gold_and_repeats_say_nothing_and_are_not_ranked(project, judged):
    Item.objects.filter(pk=judged[11].pk).update(role="gold", needed=0)
    ranking = rank_queue(project_id=project.pk)
    assert judged[11].pk not in ranking.item_ids


def test_a_new_order_or_enough_new_trials_make_a_project_due(project, judged):
    rank_queue(project_id=project.pk)
    Annotator.objects.filter(name="p0").update(n_answered=31)
    assert projects_to_rank() == []
    Annotator.objects.filter(name="p0").update(n_answered=32)
    assert projects_to_rank() == [project.pk]
    Annotator.objects.filter(name="p0").update(n_answered=12)
    Project.objects.update(order=ADAPTIVE)
    assert projects_to_rank() == [project.pk]
    Project.objects.update(order=Project.Order.RANDOM)
    assert projects_to_rank() == []
    assert rank_queue(project_id=project.pk) is None


def test_without_times_the_list_is_empty_and_is_not_worked_out_again_and_again(project):
    project.order = ADAPTIVE
    project.save()
    item = factories.make_items(project, 2)[0]
    annotator = factories.make_annotator(project)
    factories.make_trial(item, annotator, label=0)
    Annotator.objects.update(n_answered=25)
    ranking = rank_queue(project_id=project.pk)
    assert (ranking.item_ids, ranking.precision) == ([], None)
    assert projects_to_rank() == []


def test_the_timetable_sends_for_what_is_due(project, judged, monkeypatch):
    sent = []
    monkeypatch.setattr(rank_queue_task, "apply_async", lambda args, expires: sent.append((args, expires)))
    rank_queues_task()
    assert sent == [([project.pk], 10)]
    rank_queue_task(project.pk)
    assert QueueRanking.objects.get().n_trials == 48
