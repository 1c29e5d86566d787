"""Answers, skips and corrections: all written or nothing, once, and nothing that people did is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from annotations.models import Annotation, Annotator, EventBatch, Item, Project, Trial
from annotations.selectors.trials import NoSuchTrial, own_trial
from annotations.services.answers import AnswerRefused, Submission, answer_trial, correct_answer, skip_trial
from annotations.services.leases import lease_items, return_leases
from annotations.services.trials import open_work_session
from annotations.timing import VERSION
from tests import factories

pytestmark = pytest.mark.django_db

EVENTS = [{"t": 1000, "kind": "onset"}, {"t": 1640, "kind": "decision"}]


@pytest.fixture
def ada(project, annotator_user):
    factories.make_items(project, 6)
    return factories.make_annotator(project, "Ada", user=annotator_user)


@pytest.fixture
def session(ada):
    return open_work_session(annotator=ada, client_key="the-only-tab")


def lease(ada, session, count=1):
    [first, *_] = lease_items(annotator_id=ada.pk, count=count, session=session)
    # Long enough ago for the events above to have happened since.
    Trial.objects.filter(pk=first.trial_id).update(issued_at=timezone.now() - timedelta(seconds=10))
    return own_trial(ada.user, ada.project.slug, first.trial_id)


def submission(key="key-00000001", **fields):
    return Submission(**{"client_key": key, "session_key": "the-only-tab", "events": EVENTS, **fields})


def label(project, code):
    return project.classes.get(code=code).pk


def test_an_answer_writes_trial_events_annotation_and_counts(project, ada, session):
    trial = lease(ada, session)
    saved = answer_trial(trial=trial, label_id=label(project, 1), submission=submission(comment="blurry"))
    trial.refresh_from_db()
    assert (trial.state, trial.response_ms, trial.null_reason, trial.comment) == ("answered", 640, "", "blurry")
    assert (trial.paid_ms, trial.timing_version, trial.lease_until) == (640, VERSION, None)
    annotation = Annotation.objects.get()
    assert (annotation.trial, annotation.label.code, annotation.is_current) == (trial, 1, True)
    assert EventBatch.objects.get().events == EVENTS
    item = Item.objects.get(pk=trial.item_id)
    assert (item.taken, item.answered) == (1, 1)
    assert (saved.annotator.n_answered, saved.next, saved.repeated) == (1, [], False)


def test_the_reply_brings_the_next_items(project, ada, session):
    trial = lease(ada, session)
    saved = answer_trial(trial=trial, label_id=label(project, 0), submission=submission(want=2))
    assert [x.position for x in saved.next] == [2, 3]


def test_the_same_submission_again_changes_nothing_and_gets_the_same_items(project, ada, session):
    trial = lease(ada, session)
    sent = submission(want=2)
    first = answer_trial(trial=trial, label_id=label(project, 0), submission=sent)
    again = answer_trial(trial=trial, label_id=label(project, 0), submission=sent)
    assert (first.repeated, again.repeated) == (False, True)
    assert [x.trial_id for x in again.next] == [x.trial_id for x in first.next]
    assert Annotation.objects.count() == EventBatch.objects.count() == 1
    assert Item.objects.get(pk=trial.item_id).answered == 1
    assert Annotator.objects.get().n_answered == 1


def test_another_answer_to_an_answered_trial_is_refused_and_changes_nothing(project, ada, session):
    trial = lease(ada, session)
    answer_trial(trial=trial, label_id=label(project, 0), submission=submission())
    with pytest.raises(AnswerRefused, match="answered already"):
        answer_trial(trial=trial, label_id=label(project, 1), submission=submission("key-00000002"))
    with pytest.raises(AnswerRefused, match="answered already"):
        skip_trial(trial=trial, reason="other", submission=submission("key-00000003"))
    assert Annotation.objects.get().label.code == 0
    assert EventBatch.objects.count() == 1


def test_the_key_of_another_trials_answer_is_refused_and_nothing_is_half_written(project, ada, session):
    trial = lease(ada, session)
    answer_trial(trial=trial, label_id=label(project, 0), submission=submission())
    second = lease(ada, session)
    with pytest.raises(AnswerRefused, match="key of another"):
        answer_trial(trial=second, label_id=label(project, 0), submission=submission())
    second.refresh_from_db()
    assert (second.state, EventBatch.objects.count()) == ("issued", 1)
    assert Annotator.objects.get().n_answered == 1


def test_a_late_answer_to_a_lease_that_was_given_back_is_kept(project, ada, session):
    trial = lease(ada, session)
    Trial.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    return_leases()
    assert Item.objects.get(pk=trial.item_id).taken == 0
    saved = answer_trial(trial=trial, label_id=label(project, 0), submission=submission())
    assert saved.annotator.n_answered == 1
    item = Item.objects.get(pk=trial.item_id)
    assert (item.taken, item.answered) == (1, 1)
    assert Trial.objects.get(pk=trial.pk).response_ms == 640


def test_a_skip_frees_the_place_for_somebody_else_and_never_comes_back(project, ada, session):
    project.overlap = 1
    Item.objects.update(needed=1)
    Item.objects.exclude(pk=Item.objects.first().pk).update(taken=1)
    bob = factories.make_annotator(project)
    trial = lease(ada, session)
    assert lease_items(annotator_id=bob.pk, count=1) == []
    reopened = Project.objects.get().reopened

    saved = skip_trial(trial=trial, reason="cannot_tell", submission=submission(want=1))

    trial.refresh_from_db()
    assert (trial.state, trial.skip_reason) == ("skipped", "cannot_tell")
    assert (trial.response_ms, trial.null_reason, trial.paid_ms) == (None, "skipped", 640)
    item = Item.objects.get(pk=trial.item_id)
    assert (item.taken, item.answered, item.skipped) == (0, 0, 1)
    assert saved.next == []
    assert Project.objects.get().reopened == reopened + 1
    assert [x.item_id for x in lease_items(annotator_id=bob.pk, count=1)] == [item.pk]
    assert saved.annotator.n_skipped == 1


def test_a_skip_again_changes_nothing_and_an_unknown_reason_is_refused(project, ada, session):
    trial = lease(ada, session)
    with pytest.raises(AnswerRefused, match="cannot_tell, no_class_fits"):
        skip_trial(trial=trial, reason="bored", submission=submission())
    skip_trial(trial=trial, reason="other", submission=submission())
    assert skip_trial(trial=trial, reason="other", submission=submission()).repeated
    assert Item.objects.get(pk=trial.item_id).skipped == 1


def test_a_correction_supersedes_and_the_time_stays_that_of_the_first_answer(project, ada, session):
    trial = lease(ada, session)
    answer_trial(trial=trial, label_id=label(project, 0), submission=submission())
    correction = submission("key-00000002", events=[{"t": 9000, "kind": "decision"}])
    correct_answer(trial=trial, label_id=label(project, 1), submission=correction)
    assert correct_answer(trial=trial, label_id=label(project, 1), submission=correction).repeated
    old, new = Annotation.objects.order_by("pk")
    assert (old.is_current, new.is_current, new.supersedes, new.label.code) == (False, True, old, 1)
    trial.refresh_from_db()
    assert trial.response_ms == 640
    assert (Item.objects.get(pk=trial.item_id).answered, Annotator.objects.get().n_answered) == (1, 1)
    assert list(EventBatch.objects.values_list("is_correction", flat=True)) == [False, True]


def test_a_skip_can_be_corrected_into_an_answer_without_a_time(project, ada, session):
    trial = lease(ada, session)
    events = [{"t": 1000, "kind": "onset"}, {"t": 1640, "kind": "skip"}]
    skip_trial(trial=trial, reason="other", submission=submission(events=events))
    correct_answer(trial=trial, label_id=label(project, 1), submission=submission("key-00000002"))
    trial.refresh_from_db()
    assert (trial.state, trial.skip_reason, trial.response_ms, trial.null_reason) == ("answered", "", None, "skipped")
    item = Item.objects.get(pk=trial.item_id)
    assert (item.taken, item.answered, item.skipped) == (1, 1, 0)
    ada = Annotator.objects.get()
    assert (ada.n_answered, ada.n_skipped) == (1, 0)


def test_what_has_no_answer_yet_cannot_be_corrected(project, ada, session):
    trial = lease(ada, session)
    with pytest.raises(AnswerRefused, match="no answer yet"):
        correct_answer(trial=trial, label_id=label(project, 1), submission=submission())
    assert not Annotation.objects.exists()


def test_a_span_longer_than_the_servers_loses_its_time_and_keeps_its_label(project, ada, session):
    trial = lease(ada, session)
    forged = [{"t": 0, "kind": "onset"}, {"t": 3_600_000, "kind": "decision"}]
    answer_trial(trial=trial, label_id=label(project, 0), submission=submission(events=forged))
    trial.refresh_from_db()
    assert (trial.response_ms, trial.null_reason, trial.paid_ms) == (None, "implausible_span", None)
    assert Annotation.objects.get().trial == trial


def test_an_answer_from_a_tab_that_no_longer_holds_the_item_loses_its_time(project, ada, session):
    trial = lease(ada, session)
    other = open_work_session(annotator=ada, client_key="a-second-tab")
    lease_items(annotator_id=ada.pk, count=1, session=other)
    trial = own_trial(ada.user, project.slug, trial.pk)
    unseen = [{"t": 0, "kind": "unseen"}, *EVENTS]
    answer_trial(trial=trial, label_id=label(project, 0), submission=submission(events=unseen))
    trial.refresh_from_db()
    assert (trial.response_ms, trial.null_reason, trial.flags) == (None, "other_tab", ["other_tab"])


def test_a_trial_handed_out_again_only_counts_where_the_browser_knows_it_was_not_seen(project, ada, session):
    trial = lease(ada, session)
    Trial.objects.update(times_issued=2)
    trial = own_trial(ada.user, project.slug, trial.pk)
    answer_trial(trial=trial, label_id=label(project, 0), submission=submission())
    trial.refresh_from_db()
    assert (trial.response_ms, trial.null_reason) == (None, "resumed")


def test_a_trial_of_somebody_else_does_not_exist(project, ada, session, outsider, manager):
    trial = lease(ada, session)
    for user, slug in ((outsider, project.slug), (manager, project.slug), (ada.user, "another")):
        with pytest.raises(NoSuchTrial):
            own_trial(user, slug, trial.pk)
    project.memberships.filter(user=ada.user).delete()
    with pytest.raises(NoSuchTrial):
        own_trial(ada.user, project.slug, trial.pk)
