"""Many people at once, each in a thread of its own, on whichever database the tests run."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from django.db import connection, connections

from annotations.models import Annotation, Annotator, Item, Trial
from annotations.selectors.progress import others_hold_items
from annotations.services.answers import Submission, answer_trial, skip_trial
from annotations.services.leases import lease_items, return_leases
from tests import factories

PEOPLE = 8


def in_threads(work, arguments):
    errors: list[BaseException] = []

    def run(argument):
        try:
            work(argument)
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(argument,)) for argument in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert errors == []


def may_come_back(annotator):
    """Whether it is worth asking again, as the workbench does: others hold items, which they may skip, or just did."""
    annotator.refresh_from_db()
    return others_hold_items(annotator) or annotator.finished_at_reopened != annotator.project.reopened


@pytest.mark.django_db(transaction=True)
def test_eight_people_at_once_get_every_item_as_often_as_needed_and_nobody_twice(project):
    items = factories.make_items(project, 30)
    annotators = [factories.make_annotator(project) for _ in range(PEOPLE)]
    label = project.classes.first()
    connection.close()

    def work(annotator):
        number = 0
        while (leases := lease_items(annotator_id=annotator.pk, count=2)) or may_come_back(annotator):
            for lease in leases:
                trial = Trial.objects.select_related("project", "session", "annotator").get(pk=lease.trial_id)
                number += 1
                submission = Submission(client_key=f"{annotator.pk}-{number:08d}")
                if number % 10 == 0:
                    skip_trial(trial=trial, reason="cannot_tell", submission=submission)
                else:
                    answer_trial(trial=trial, label_id=label.pk, submission=submission)
            return_leases()

    in_threads(work, annotators)

    answered = Counter(Trial.objects.filter(state="answered").values_list("item_id", flat=True))
    twice = Counter(Trial.objects.values_list("item_id", "annotator_id"))
    assert max(twice.values()) == 1
    for item in Item.objects.all():
        assert item.taken == item.answered == answered[item.pk] <= item.needed
        assert item.skipped == Trial.objects.filter(item=item, state="skipped").count()
        # With eight people at most five can have skipped it: it was answered by all that were needed.
        assert item.answered == min(item.needed, PEOPLE - item.skipped)
    assert Annotation.objects.count() == sum(answered.values())
    assert sum(Annotator.objects.values_list("n_answered", flat=True)) == sum(answered.values())
    assert items


@pytest.mark.django_db(transaction=True)
def test_one_person_in_two_tabs_gets_nothing_twice_and_one_answer_counts(project):
    factories.make_items(project, 12)
    ada = factories.make_annotator(project)
    label = project.classes.first()
    connection.close()
    refused = []

    def work(tab):
        from annotations.services.answers import AnswerRefused

        number = 0
        while leases := lease_items(annotator_id=ada.pk, count=3):
            for lease in leases:
                trial = Trial.objects.select_related("project", "session", "annotator").get(pk=lease.trial_id)
                number += 1
                try:
                    submission = Submission(client_key=f"tab-{tab}-{number:08d}")
                    answer_trial(trial=trial, label_id=label.pk, submission=submission)
                except AnswerRefused:
                    refused.append(lease.trial_id)

    in_threads(work, [1, 2])

    assert Annotation.objects.count() == Trial.objects.count() == 12
    assert list(Item.objects.values_list("taken", "answered")) == [(1, 1)] * 12
    assert Annotator.objects.get().n_answered == 12


@pytest.mark.django_db(transaction=True)
def test_eight_people_who_get_each_next_item_with_an_answer_get_nothing_twice(project):
    factories.make_items(project, 40)
    annotators = [factories.make_annotator(project) for _ in range(PEOPLE)]
    label = project.classes.first()
    connection.close()

    def work(annotator):
        waiting = lease_items(annotator_id=annotator.pk, count=3)
        number = 0
        while waiting:
            lease, *waiting = waiting
            trial = Trial.objects.select_related("project", "session", "annotator").get(pk=lease.trial_id)
            number += 1
            submission = Submission(
                client_key=f"{annotator.pk}-{number:08d}", holding=[each.trial_id for each in waiting], want=1
            )
            waiting += answer_trial(trial=trial, label_id=label.pk, submission=submission).next

    in_threads(work, annotators)

    assert max(Counter(Trial.objects.values_list("item_id", "annotator_id")).values()) == 1
    assert set(Trial.objects.values_list("state", flat=True)) == {"answered"}
    # All that was needed was answered: whoever found nothing more to have left nothing behind.
    assert set(Item.objects.values_list("taken", "answered")) == {(project.overlap, project.overlap)}
    assert sum(Annotator.objects.values_list("n_answered", flat=True)) == 40 * project.overlap
