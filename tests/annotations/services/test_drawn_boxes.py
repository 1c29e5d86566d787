"""Answers in boxes: what is stored, what is refused, and that objects follow from them."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from annotations.models import Annotation, DrawnBox, EventBatch, Item, Trial
from annotations.selectors.progress import progress_of
from annotations.selectors.projects import project_cards, project_overview
from annotations.selectors.trials import own_trial
from annotations.services.answers import AnswerRefused, Submission, answer_trial, skip_trial
from annotations.services.drawn_boxes import Box, answer_with_boxes, correct_boxes
from annotations.services.drawn_objects import update_objects
from annotations.services.leases import lease_items
from annotations.services.projects import create_project, update_settings
from annotations.services.trials import recompute_timing
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def scenes(manager):
    project = factories.make_project("Scenes", manager=manager, unit="object", boxes="drawn", overlap=2)
    factories.make_items(project, 2)
    return project


def events(*numbers, start=1000.0):
    found = [{"t": start, "kind": "onset", "by": "element"}]
    for place, number in enumerate(numbers):
        t = start + 2000 * place
        found += [
            {"t": t + 900, "kind": "box_begin", "box": number, "by": "mouse"},
            {"t": t + 1500, "kind": "box_end", "box": number},
            {"t": t + 1900, "kind": "box_class", "box": number, "label": 0},
        ]
    return [*found, {"t": start + 2000 * len(numbers) + 500, "kind": "decision", "by": "key"}]


def leased(project, name="ada"):
    user = factories.make_user(name)
    project.memberships.create(user=user, role="annotator")
    annotator = factories.make_annotator(project, name, user=user)
    leases = lease_items(annotator_id=annotator.pk, count=5)
    trials = [own_trial(user, project.slug, lease.trial_id) for lease in leases]
    for trial in trials:
        Trial.objects.filter(pk=trial.pk).update(issued_at="2026-01-01T00:00:00Z")
    return annotator, [own_trial(user, project.slug, trial.pk) for trial in trials]


def send(trial, *boxes, key="answer-0001", of=None, **more):
    submission = Submission(client_key=key, events=events(*(box.number for box in boxes)) if of is None else of, **more)
    return answer_with_boxes(trial=trial, boxes=boxes, submission=submission)


def test_boxes_are_stored_with_their_times_and_an_answer_is_one_however_often_it_comes(scenes):
    annotator, (trial, _) = leased(scenes)
    boxes = Box(1, 0.1, 0.1, 0.2, 0.3, 0), Box(2, 0.5, 0.5, 0.5, 0.5, 1)
    saved = send(trial, *boxes)
    assert saved.repeated is False
    assert send(trial, *boxes).repeated is True
    rows = DrawnBox.objects.values_list("number", "x", "width", "label__name", "response_ms", "search_ms", "draw_ms")
    assert list(rows) == [(1, 0.1, 0.2, "cat", 1900.0, 900.0, 600.0), (2, 0.5, 0.5, "dog", 2000.0, 1000.0, 600.0)]
    stored = Trial.objects.get(pk=trial.pk)
    assert (stored.state, stored.response_ms, stored.annotations.count()) == ("answered", 4500.0, 0)
    item = Item.objects.get(pk=trial.item_id)
    assert (item.answered, item.taken, item.unmatched) == (1, 1, True)
    annotator.refresh_from_db()
    assert annotator.n_answered == 1
    with pytest.raises(AnswerRefused, match="answered already"):
        send(trial, key="another-0001")


@pytest.mark.parametrize(
    ("box", "words"),
    [
        (Box(1, 0.5, 0.5, 0.6, 0.2, 0), "Box 1 leaves the image"),
        (Box(1, 0.5, 0.5, 0.0, 0.2, 0), "Box 1 has no area"),
        (Box(1, float("nan"), 0.5, 0.1, 0.2, 0), "Box 1: its sides are numbers"),
        (Box(3, 0.5, 0.5, 0.1, 0.2, 7), "Box 3: no class of this project has the code 7"),
    ],
)
def test_a_box_that_cannot_be_is_named_and_nothing_is_written(scenes, box, words):
    _, (trial, _) = leased(scenes)
    with pytest.raises(AnswerRefused, match=words):
        send(trial, Box(2, 0, 0, 1, 1, 0), box)
    assert (DrawnBox.objects.count(), EventBatch.objects.count()) == (0, 0)
    assert Trial.objects.get(pk=trial.pk).state == "issued"


def test_a_drawing_takes_no_class_and_an_object_no_boxes(scenes):
    _, (trial, _) = leased(scenes)
    with pytest.raises(AnswerRefused, match="send them to …/boxes"):
        answer_trial(trial=trial, label_id=scenes.classes.first().pk, submission=Submission(client_key="answer-0002"))
    plain = factories.make_project("Plain")
    factories.make_items(plain, 1)
    _, (other,) = leased(plain, "bob")
    with pytest.raises(AnswerRefused, match="asks for a class"):
        send(other)


def test_objects_of_two_annotators(scenes):
    ada, (first, second) = leased(scenes)
    bob, theirs = leased(scenes, "bob")
    same = next(trial for trial in theirs if trial.item_id == first.item_id)
    send(first, Box(1, 0.1, 0.1, 0.2, 0.2, 0), Box(2, 0.6, 0.6, 0.3, 0.3, 1), key="answer-0001")
    send(same, Box(1, 0.62, 0.6, 0.3, 0.3, 0), key="answer-0002")
    summary = update_objects(project=scenes)
    assert (summary.n_images, summary.n_new) == (1, 2)
    path = Item.objects.get(pk=first.item_id).path
    one, two = Item.objects.filter(box_width__isnull=False).order_by("ordinal")
    assert (one.path, one.answered, one.skipped, one.taken, one.needed) == (f"{path}#1", 1, 1, 1, 1)
    assert (two.path, two.answered, two.skipped) == (f"{path}#2", 2, 0)
    assert [two.box_x, two.box_y, two.box_width, two.box_height] == pytest.approx([0.61, 0.6, 0.3, 0.3])
    said = {trial.annotator.name: trial for trial in two.trials.all()}
    assert said["ada"].annotations.get().label.name == "dog"
    assert said["bob"].annotations.get().label.name == "cat"
    assert said["bob"].response_ms == 1900.0
    missed = one.trials.get(annotator=bob)
    assert (missed.state, missed.skip_reason, missed.null_reason, missed.response_ms) == (
        "skipped", "not_drawn", "not_drawn", None,
    )  # fmt: skip
    # Objects are handed out to nobody, and count as nobody's work.
    scenes.refresh_from_db()
    assert scenes.n_items == 4
    assert second.item_id not in {one.pk, two.pk}
    assert leased(scenes, "cleo")[1] == []
    ada.refresh_from_db()
    assert (progress_of(ada).n_answered, progress_of(ada).n_timed, progress_of(ada).n_items) == (1, 1, 2)
    overview = project_overview(scenes)
    assert (overview.n_items, overview.n_done, overview.n_objects) == (2, 2, 2)
    card = project_cards(scenes.memberships.get(role="manager").user)[0]
    assert (card.n_items, card.n_done) == (2, 2)
    update_settings(project=scenes, overlap=3)
    assert sorted(Item.objects.values_list("needed", flat=True)) == [1, 2, 3, 3]


def test_a_correction_keeps_times_makes_none_up_and_moves_the_objects(scenes):
    _, (trial, _) = leased(scenes)
    send(trial, Box(1, 0.1, 0.1, 0.2, 0.2, 0), Box(2, 0.6, 0.6, 0.3, 0.3, 1))
    update_objects(project=scenes)
    again = Submission(client_key="correct-0001")
    boxes = [Box(1, 0.1, 0.1, 0.2, 0.25, 1), Box(3, 0.7, 0.0, 0.2, 0.2, 0)]
    for _ in range(2):
        correct_boxes(trial=trial, boxes=boxes, submission=again)
    now = DrawnBox.objects.filter(is_current=True).values_list("number", "label__name", "response_ms", "null_reason")
    assert list(now) == [(1, "dog", 1900.0, ""), (3, "cat", None, "revisited")]
    assert DrawnBox.objects.filter(is_current=False).count() == 2
    summary = update_objects(project=scenes)
    assert (summary.n_images, summary.n_new) == (1, 1)
    assert summary.n_rewritten == 2
    path = Item.objects.get(pk=trial.item_id).path
    objects = {item.path: item for item in Item.objects.filter(box_width__isnull=False)}
    assert {name: (item.answered, item.skipped) for name, item in objects.items()} == {
        f"{path}#1": (1, 0), f"{path}#2": (0, 1), f"{path}#3": (1, 0),
    }  # fmt: skip
    history = Annotation.objects.filter(trial__item=objects[f"{path}#1"]).order_by("pk")
    assert [(entry.label.name, entry.is_current) for entry in history] == [("cat", False), ("dog", True)]
    assert not Annotation.objects.filter(trial__item=objects[f"{path}#2"], is_current=True).exists()


def test_who_judged_an_object_before_they_saw_its_image_keeps_that_trial(scenes):
    _, (first, _) = leased(scenes)
    send(first, Box(1, 0.1, 0.1, 0.2, 0.2, 0))
    update_objects(project=scenes)
    item = Item.objects.get(box_width__isnull=False)
    # The object is sent back to people: Bob is asked for its class, and only then sees the whole image.
    Item.objects.filter(pk=item.pk).update(needed=2, priority=1)
    bob, trials = leased(scenes, "bob")
    asked = next(trial for trial in trials if trial.item_id == item.pk)
    cat = scenes.classes.get(code=0)
    answer_trial(trial=asked, label_id=cat.pk, submission=Submission(client_key="answer-0007"))
    same = next(trial for trial in trials if trial.item_id == first.item_id)
    send(same, Box(1, 0.1, 0.1, 0.2, 0.2, 1), key="answer-0008")
    update_objects(project=scenes)
    assert Item.objects.get(box_width__isnull=False).pk == item.pk
    assert [t.annotations.get().label for t in Trial.objects.filter(item=item, annotator=bob)] == [cat]
    item.refresh_from_db()
    assert (item.answered, item.taken, item.needed) == (2, 2, 2)


def test_a_skipped_image_is_answered_by_boxes(scenes):
    annotator, (trial, _) = leased(scenes)
    skip_trial(trial=trial, reason="other", submission=Submission(client_key="skip-000001"))
    correct_boxes(
        trial=trial, boxes=[Box(1, 0, 0, 0.5, 0.5, 0)], submission=Submission(client_key="correct-0001")
    )  # fmt: skip
    annotator.refresh_from_db()
    assert (annotator.n_answered, annotator.n_skipped) == (1, 0)
    item = Item.objects.get(pk=trial.item_id)
    assert (item.answered, item.skipped, item.taken, item.unmatched) == (1, 0, 1, True)


def test_changed_rules_derive_the_times_of_boxes_again(scenes):
    _, (trial, _) = leased(scenes)
    send(trial, Box(1, 0.1, 0.1, 0.2, 0.2, 0))
    update_objects(project=scenes)
    DrawnBox.objects.update(response_ms=77.0)
    Trial.objects.filter(pk=trial.pk).update(timing_version=1)
    assert list(recompute_timing(project=scenes)) == []
    assert DrawnBox.objects.get().response_ms == 1900.0
    assert Item.objects.get(pk=trial.item_id).unmatched


def test_a_protocol_that_cannot_go_with_drawing_is_refused(capsys):
    for field, value in (("time_limit_ms", 2000), ("flash_frames", 5)):
        with pytest.raises(ValidationError, match="boxes are drawn"):
            create_project(name="No", classes=["a"], unit="object", boxes="drawn", **{field: value})
    with pytest.raises(ValidationError, match="unit must be object"):
        create_project(name="No", classes=["a"], boxes="drawn")
    call_command("create_project", "Yes", "--classes", "a,b", "--unit", "object", "--boxes", "drawn")
    assert capsys.readouterr().out.splitlines()[-1] == "yes"
