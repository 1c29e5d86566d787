"""The usual answer is written at once; whatever changed since it was read, it is right all the same."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from annotations.models import Annotation, Annotator, EventBatch, Item, Trial
from annotations.selectors.trials import own_trial
from annotations.services import answers
from annotations.services.answers import Submission, answer_trial
from annotations.services.leases import lease_items, reopen
from annotations.services.trials import open_work_session
from tests import factories

pytestmark = pytest.mark.django_db
EVENTS = [{"t": 1000, "kind": "onset"}, {"t": 1640, "kind": "decision"}]


@pytest.fixture
def ada(project, annotator_user):
    factories.make_items(project, 12)
    return factories.make_annotator(project, "Ada", user=annotator_user)


@pytest.fixture
def session(ada):
    return open_work_session(annotator=ada, client_key="the-only-tab")


@pytest.fixture
def leases(ada, session):
    leases = lease_items(annotator_id=ada.pk, count=3, session=session)
    Trial.objects.update(issued_at=timezone.now() - timedelta(seconds=10))
    return leases


def read(ada, lease):
    return own_trial(ada.user, ada.project.slug, lease.trial_id, label=1)


def answer(trial, leases, number=1, **fields):
    holding = [lease.trial_id for lease in leases if lease.trial_id != trial.pk]
    submission = Submission(
        client_key=f"key-{number:08d}",
        **{"session_key": "the-only-tab", "events": EVENTS, "holding": holding, "want": 1, **fields},
    )
    return answer_trial(trial=trial, label_id=trial.label_id, submission=submission)


def no_long_way(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the usual answer went the long way")

    monkeypatch.setattr(answers, "submit_once", refuse)


def test_a_usual_answer_writes_all_it_has_to(ada, leases, monkeypatch):
    before = Annotator.objects.get()
    no_long_way(monkeypatch)
    trial = read(ada, leases[0])
    saved = answer(trial, leases, comment="blurry")
    trial.refresh_from_db()
    assert (trial.state, trial.response_ms, trial.null_reason, trial.comment) == ("answered", 640, "", "blurry")
    assert (trial.paid_ms, trial.censored_at_ms, trial.lease_until, trial.flags) == (640, None, None, [])
    assert Annotation.objects.values_list("trial", "label__code", "is_current", "client_key").get() == (
        trial.pk, 1, True, "key-00000001",
    )  # fmt: skip
    batch = EventBatch.objects.get()
    assert (batch.events, batch.client_key, batch.is_correction) == (EVENTS, "key-00000001", False)
    assert Item.objects.values_list("taken", "answered").get(pk=trial.item_id) == (1, 1)
    [lease] = saved.next
    new = Trial.objects.get(pk=lease.trial_id)
    assert (new.state, new.position, new.item_id, new.session_id) == ("issued", 4, lease.item_id, trial.session_id)
    assert (new.chosen_by, new.chance, new.times_issued, new.purpose) == ("random", 1 / 9, 1, "")
    assert (new.lease_until - new.issued_at).total_seconds() == ada.project.lease_seconds
    assert Item.objects.values_list("taken", "answered").get(pk=new.item_id) == (1, 0)
    after = Annotator.objects.get()
    assert (after.n_answered, after.last_position, after.drawn_from) == (1, 4, before.drawn_from - 1)
    assert after.drawn == before.drawn[:-1]
    assert after.version == before.version + 1
    assert (saved.annotator.n_answered, saved.repeated) == (1, False)


def test_several_are_handed_out_in_the_order_drawn_and_none_where_none_is_wanted(ada, leases, monkeypatch):
    drawn = Annotator.objects.get().drawn
    no_long_way(monkeypatch)
    saved = answer(read(ada, leases[0]), leases, want=3)
    assert [(lease.position, lease.item_id) for lease in saved.next] == list(enumerate(drawn[:-4:-1], 4))
    held = [lease.trial_id for lease in (*leases[2:], *saved.next)]
    assert answer(read(ada, leases[1]), leases, 2, holding=held, want=0).next == []
    assert Annotator.objects.get().n_answered == 2


def test_what_another_tab_did_since_is_not_lost(ada, leases, session):
    trial = read(ada, leases[0])
    more = lease_items(annotator_id=ada.pk, count=4, holding=[lease.trial_id for lease in leases], session=session)
    assert len(more) == 4
    saved = answer(trial, leases)
    assert (saved.annotator.n_answered, Annotator.objects.get().last_position) == (1, 7)
    assert [lease.trial_id for lease in saved.next] == [lease.trial_id for lease in more], "not held: they come again"
    assert Trial.objects.count() == 7


def test_a_new_draw_that_was_asked_for_since_is_made(ada, project, leases):
    trial = read(ada, leases[0])
    urgent = Item.objects.filter(taken=0).order_by("pk").last()
    Item.objects.filter(pk=urgent.pk).update(priority=1)
    reopen(project_ids={project.pk}, redraw=True)
    assert [lease.item_id for lease in answer(trial, leases).next] == [urgent.pk]


def test_an_item_that_others_took_since_is_passed_over(ada, leases):
    trial = read(ada, leases[0])
    drawn = Annotator.objects.get().drawn
    Item.objects.filter(pk=drawn[-1]).update(taken=F("needed"))
    saved = answer(trial, leases)
    assert [lease.item_id for lease in saved.next] == [drawn[-2]]
    assert Item.objects.get(pk=drawn[-1]).taken == Item.objects.get(pk=drawn[-1]).needed
    assert (Annotation.objects.count(), Annotator.objects.get().n_answered) == (1, 1)


def test_what_the_browser_does_not_hold_comes_before_anything_new(ada, leases):
    saved = answer(read(ada, leases[0]), leases, holding=[leases[1].trial_id])
    assert [lease.trial_id for lease in saved.next] == [leases[2].trial_id]
    assert Trial.objects.count() == 3


def test_an_item_that_the_annotator_had_from_elsewhere_is_not_handed_out_again(ada, project, leases):
    trial = read(ada, leases[0])
    drawn = Annotator.objects.get().drawn
    had = factories.make_trial(Item.objects.get(pk=drawn[-1]), ada, label=0)
    taken = Item.objects.get(pk=drawn[-1]).taken
    saved = answer(trial, leases)
    assert [lease.item_id for lease in saved.next] == [drawn[-2]]
    assert Item.objects.get(pk=had.item_id).taken == taken, "what was refused is not taken"


def test_the_key_of_another_answer_is_refused_and_nothing_is_half_written(ada, leases):
    answer(read(ada, leases[0]), leases)
    before = Annotator.objects.values().get()
    with pytest.raises(answers.AnswerRefused, match="key of another"):
        answer(read(ada, leases[1]), leases, holding=[], want=0)
    assert Annotator.objects.values().get() == before
    assert (Annotation.objects.count(), EventBatch.objects.count()) == (1, 1)
    assert Trial.objects.get(pk=leases[1].trial_id).state == "issued"
