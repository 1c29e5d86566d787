"""The workbench's API: one request a label, clear refusals, a counted number of queries."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from annotations.api.schemas import NextOut, SavedOut
from annotations.models import Annotation, Annotator, EventBatch, Item, Trial, WorkSession
from tests import factories

pytestmark = pytest.mark.django_db
SITTING = {"key": "sitting-0001", "clock": {"time_origin": 1.5}, "screen": {"width": 1280}}
EVENTS = [{"t": 0.0, "kind": "onset", "by": "element"}, {"t": 640.5, "kind": "decision"}]


@pytest.fixture
def post(annotator_client):
    def send(path, body, client=annotator_client, slug="pets"):
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        return client.post(f"/api/v1/projects/{slug}/trials/{path}", data, content_type="application/json")

    return send


@pytest.fixture
def items(project):
    return factories.make_items(project, 8)


def submission(number=1, **fields):
    return {"client_key": f"answer-{number:06d}", "session": "sitting-0001", "events": EVENTS, **fields}


def leased(post, want=3):
    return post("next", {"session": SITTING, "want": want}).json()["next"]


def test_next_opens_a_sitting_and_hands_out_items_with_the_addresses_of_their_images(post, items):
    reply = post("next", {"session": SITTING, "want": 3})
    assert reply.status_code == 200
    assert reply.json()["progress"] == {"answered": 0, "skipped": 0, "items": 8}
    assert reply.json()["finished"] is False
    first = reply.json()["next"][0]
    assert first["image"] == f"/projects/pets/items/{first['item']}/image"
    assert (first["position"], first["box"], first["reissued"]) == (1, None, False)
    session = WorkSession.objects.get()
    assert (session.client_key, session.clock, session.screen) == (
        "sitting-0001", {"time_origin": 1.5}, {"width": 1280},
    )  # fmt: skip
    assert post("next", {"session": SITTING, "want": 3}).json()["next"] == reply.json()["next"]


def test_an_answer_is_saved_and_brings_the_next_item(post, items):
    trials = leased(post)
    held = [t["trial"] for t in trials[1:]]
    minute = [EVENTS[0], {"t": 60_000.0, "kind": "decision"}]
    reply = post(f"{trials[0]['trial']}/answer", submission(label=1, holding=held, want=1, events=minute))
    assert reply.status_code == 200, reply.content
    said = reply.json()
    assert (said["saved"], said["repeated"], said["progress"]["answered"]) == (True, False, 1)
    assert [t["position"] for t in said["next"]] == [4]
    trial = Trial.objects.get(pk=trials[0]["trial"])
    assert (trial.state, trial.annotations.get().label.code) == ("answered", 1)
    assert EventBatch.objects.get().events == minute
    assert trial.null_reason == "implausible_span", "it was handed out a moment ago: a minute cannot have passed"
    again = post(f"{trials[0]['trial']}/answer", submission(label=1, holding=held, want=1)).json()
    assert again == {**said, "repeated": True}


def test_skip_and_correct(post, items):
    first, second, _ = leased(post)
    assert post(f"{first['trial']}/skip", submission(1, reason="poor_image")).json()["progress"]["skipped"] == 1
    assert post(f"{second['trial']}/answer", submission(2, label=0)).status_code == 200
    assert post(f"{second['trial']}/correct", submission(3, label=1)).json()["saved"] is True
    assert Annotation.objects.get(is_current=True).label.code == 1


def test_finished_says_that_nothing_more_is_there(post, items):
    assert post("next", {"session": SITTING, "want": 9}).json()["finished"] is True


def test_finished_says_whether_others_hold_what_may_come_back(post, project, manager_client):
    project.overlap = 1
    project.save()
    factories.make_items(project, 2)
    other = post("next", {"session": {"key": "sitting-0002"}, "want": 2}, client=manager_client).json()["next"]
    assert len(other) == 2
    asked = {"session": SITTING, "want": 2}
    assert [post("next", asked).json()[name] for name in ("finished", "held_by_others")] == [True, True]
    for number, lease in enumerate(other):
        body = submission(number + 1, label=0) | {"session": "sitting-0002"}
        assert post(f"{lease['trial']}/answer", body, client=manager_client).status_code == 200
    assert [post("next", asked).json()[name] for name in ("finished", "held_by_others")] == [True, False]


def test_an_answer_costs_a_counted_number_of_queries(post, items, django_assert_num_queries):
    trials = leased(post)
    held = [t["trial"] for t in trials[1:]]
    # The trial with all that is needed and its user; then everything written by one statement. SQLite makes what that
    # needs, a view and a trigger, once for a connection, and reads what was handed out; PostgreSQL has a savepoint.
    # It does not depend on how much there is.
    with django_assert_num_queries(5 if connection.vendor == "sqlite" else 4):
        post(f"{trials[0]['trial']}/answer", submission(label=1, holding=held, want=1))


@pytest.mark.parametrize("change", ["blocked", "new password", "signed out", "no member"])
def test_who_is_not_signed_in_any_more_writes_nothing(post, items, annotator_client, annotator_user, change):
    trial = leased(post)[0]["trial"]
    if change == "blocked":
        annotator_user.is_active = False
        annotator_user.save()
    elif change == "new password":
        annotator_user.set_password("another one")
        annotator_user.save()
    elif change == "signed out":
        annotator_client.logout()
    else:
        annotator_user.memberships.all().delete()
    for verb, body in (("answer", submission(label=1)), ("skip", submission(reason="poor_image"))):
        assert post(f"{trial}/{verb}", body).status_code == (404 if change == "no member" else 401)
    assert Trial.objects.get(pk=trial).state == "issued"
    assert not EventBatch.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (submission(label=7), 422, "No class of this project has the code 7."),
        (submission(label="cat"), 422, "label"),
        (submission(), 422, "label"),
        (submission(label=0, events=[{"t": 1}]), 422, "event 0 has no kind"),
        (submission(label=0, events=[{"t": "soon", "kind": "onset"}]), 422, "event 0 has no time"),
        (submission(label=0, events=[{"t": 1, "kind": "onset", "by": {"deep": 1}}]), 422, "by"),
        (submission(label=0, events=[{"t": 1, "kind": "onset"}] * 501), 422, "events"),
        (submission(label=0, events="none"), 422, "events"),
        (submission(label=0, client_key="x"), 422, "client_key"),
        (submission(label=0, want=1000), 422, "want"),
        (submission(label=0, comment="a\x00b"), 422, ""),
        (submission(label=0, events=[{"t": 1, "kind": "onset", "b\x00y": 1}]), 422, "key"),
        ('{"label": 0, "client_key": "answer-1", "events": [{"t": NaN, "kind": "onset"}]}', 422, "t"),
        ('{"label": 0, "client_key": "answer-1", "events": [{"t": 1e999, "kind": "onset"}]}', 422, "t"),
        ("{not json", 400, "parse"),
    ],
)
def test_bad_input_is_refused_in_words_and_nothing_is_written(post, items, body, status, words, caplog):
    trial = leased(post)[0]["trial"]
    with caplog.at_level(logging.WARNING):
        reply = post(f"{trial}/answer", body)
    assert reply.status_code == status, reply.content
    assert words in reply.content.decode()
    assert len(caplog.records) == 1, "one line of the log for one refusal"
    assert f"/trials/{trial}/answer" in caplog.text
    assert not Annotation.objects.exists()
    assert not EventBatch.objects.exists()
    assert Trial.objects.get(pk=trial).state == "issued"
    assert Item.objects.filter(answered__gt=0).count() == 0


def test_a_huge_body_is_refused(post, items, caplog):
    trial = leased(post)[0]["trial"]
    with caplog.at_level(logging.WARNING):
        reply = post(f"{trial}/answer", b'{"comment": "' + b"x" * 10_000_000 + b'"}')
    assert reply.status_code == 413
    assert reply.json() == {"detail": "That is more than 2 MB: send less at a time."}
    assert len(caplog.records) == 1
    assert len(caplog.text) < 1000
    assert not EventBatch.objects.exists()


def test_a_trial_that_is_not_ones_own_does_not_exist(post, items, manager_client, outsider_client, caplog):
    trial = leased(post)[0]["trial"]
    with caplog.at_level(logging.WARNING):
        reply = post(f"{trial}/answer", submission(label=0), client=manager_client)
    assert (reply.status_code, reply.json()) == (404, {"detail": "You have no such trial in this project."})
    assert [f"/trials/{trial}/answer" in record.getMessage() for record in caplog.records] == [True]
    assert post("999999/answer", submission(label=0)).status_code == 404
    assert post(f"{10**30}/answer", submission(label=0)).status_code == 404
    assert post("next", {"session": SITTING}, client=outsider_client).status_code == 404
    assert not Annotator.objects.filter(user__username="otto").exists()


def test_another_answer_is_a_conflict(post, items):
    trial = leased(post)[0]["trial"]
    post(f"{trial}/answer", submission(1, label=0))
    reply = post(f"{trial}/answer", submission(2, label=1))
    assert reply.status_code == 409
    assert "correct that answer" in reply.json()["detail"]
    assert post(f"{trial}/skip", submission(3, reason="nonsense")).status_code == 409


def test_nobody_is_let_in_unasked(post, items, client):
    assert post("next", {"session": SITTING}, client=client).status_code == 401
    assert not WorkSession.objects.exists()


WAY = [
    {"t": 100.0, "kind": "issued"}, {"t": 110.0, "kind": "placed"}, {"t": 120.0, "kind": "onset"},
    {"t": 900.0, "kind": "decision"},
]  # fmt: skip


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        (WAY, ""),
        ([], "missing_events"),
        (WAY[:-1], "missing_events"),
        ([*WAY[:2], WAY[3]], "no_onset"),
        ([WAY[1], {"t": 50.0, "kind": "issued"}, *WAY[2:]], "clock_back"),
        ([*WAY, {"t": 901.0, "kind": "clock_back"}], "clock_back"),
        ([*WAY[:3], {"t": 119.0, "kind": "decision"}], "out_of_order"),
        ([*WAY[:2], {"t": 30.0, "kind": "onset"}, WAY[3]], "out_of_order"),
        ([*WAY[:3], {"t": 3_600_000.0, "kind": "decision"}], "implausible_span"),
        ([*WAY, {"t": 110.0, "kind": "assisted"}], "assisted"),
        ([*WAY[:3], {"t": 130.0, "kind": "left"}, WAY[3]], "revisited"),
        ([*WAY[:3], {"t": 200.0, "kind": "decision"}], "too_fast"),
        ([*WAY[:3], {"t": -1e300, "kind": "hidden"}, WAY[3]], ""),
    ],
)
def test_whatever_the_browser_claims_the_label_is_kept_and_only_a_believable_time(post, items, events, reason):
    trial = leased(post)[0]["trial"]
    Trial.objects.filter(pk=trial).update(issued_at=timezone.now() - timedelta(seconds=60))
    assert post(f"{trial}/answer", submission(label=1, events=events)).status_code == 200
    saved = Trial.objects.get(pk=trial)
    assert (saved.state, saved.null_reason, saved.annotations.get().label.code) == ("answered", reason, 1)
    assert saved.response_ms == (None if reason else 780.0)
    # PostgreSQL gives a number without a fraction back as an integer.
    stored = [{**event, "t": float(event["t"])} for event in EventBatch.objects.get().events]
    assert stored == events


def test_an_answer_from_a_tab_that_lost_the_item_keeps_the_label_and_loses_the_time(post, items):
    trial = leased(post)[0]["trial"]
    post("next", {"session": {"key": "sitting-0002"}, "want": 3})
    Trial.objects.filter(pk=trial).update(issued_at=timezone.now() - timedelta(seconds=60))
    unseen = [*WAY[:1], {"t": 101.0, "kind": "unseen"}, *WAY[1:]]
    assert post(f"{trial}/answer", submission(label=1, events=unseen)).status_code == 200
    saved = Trial.objects.get(pk=trial)
    assert (saved.response_ms, saved.null_reason, saved.annotations.get().label.code) == (None, "other_tab", 1)


def test_a_replayed_submission_for_another_trial_is_refused(post, items, caplog):
    first, second, _ = leased(post)
    assert post(f"{first['trial']}/answer", submission(1, label=0)).status_code == 200
    with caplog.at_level(logging.WARNING):
        reply = post(f"{second['trial']}/answer", submission(1, label=0))
    assert reply.status_code == 409
    assert "make a new key for each answer" in reply.json()["detail"]
    assert len(caplog.records) == 1
    assert Trial.objects.get(pk=second["trial"]).state == "issued"
    assert EventBatch.objects.count() == 1
    assert Annotator.objects.get().n_answered == 1


def test_an_answer_after_the_lease_ran_out_is_kept(post, items):
    from annotations.services.leases import return_leases

    trial = leased(post)[0]["trial"]
    Trial.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert return_leases() == 3
    assert post(f"{trial}/answer", submission(label=1)).status_code == 200
    saved = Trial.objects.select_related("item").get(pk=trial)
    assert (saved.state, saved.item.taken, saved.item.answered) == ("answered", 1, 1)


def test_a_remark_is_saved_with_its_answer(post, items):
    trial = leased(post)[0]["trial"]
    post(f"{trial}/answer", submission(label=1, comment="two cats"))
    assert Trial.objects.get(pk=trial).comment == "two cats"


def test_what_is_handed_out_holds_no_score_before_the_answer(post, items):
    """The whole of what the workbench is told of an item: nothing that a model or anybody else said of it."""
    lease = leased(post)[0]
    assert set(lease) == {"trial", "position", "item", "image", "box", "look", "reissued", "training", "draw"}
    reply = post(f"{lease['trial']}/answer", submission(label=1)).json()
    assert set(reply) == {"saved", "repeated", "progress", "next", "finished", "held_by_others"}
    assert set(reply["progress"]) == {"answered", "skipped", "items"}


def test_replies_keep_to_their_schema(post, items):
    """They are sent as they are made: nothing checks them on the way."""
    first = post("next", {"session": SITTING, "want": 2})
    NextOut.model_validate_json(first.content, strict=True)
    assert set(first.json()) == set(NextOut.model_fields)
    lease = first.json()["next"][0]
    reply = post(f"{lease['trial']}/answer", submission(label=1, want=1))
    SavedOut.model_validate_json(reply.content, strict=True)
    assert set(reply.json()) == set(SavedOut.model_fields)
    assert reply["Content-Type"] == "application/json; charset=utf-8"
