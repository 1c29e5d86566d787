"""The API of drawings: one request saves the boxes and brings the next image; what cannot be is a clear 4xx."""

from __future__ import annotations

import json

import pytest

from annotations.models import DrawnBox, Trial
from tests import factories

pytestmark = pytest.mark.django_db
SITTING = {"key": "sitting-0001"}
EVENTS = [
    {"t": 100.0, "kind": "onset", "by": "element"}, {"t": 900.0, "kind": "box_begin", "box": 1, "by": "mouse"},
    {"t": 1500.0, "kind": "box_end", "box": 1}, {"t": 1900.0, "kind": "box_class", "box": 1, "label": 1},
    {"t": 2500.0, "kind": "decision", "by": "key"},
]  # fmt: skip
BOX = {"number": 1, "x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4, "label": 1}


@pytest.fixture
def scenes(annotator_user):
    project = factories.make_project("Scenes", unit="object", boxes="drawn", annotators=[annotator_user])
    factories.make_items(project, 3)
    return project


@pytest.fixture
def post(annotator_client, scenes):
    def send(path, **body):
        address = f"/api/v1/projects/scenes/trials/{path}"
        return annotator_client.post(address, json.dumps(body), content_type="application/json")

    return send


def submission(number=1, **fields):
    return {"client_key": f"answer-{number:06d}", "session": "sitting-0001", "events": EVENTS, **fields}


def test_images_are_handed_out_for_drawing_and_boxes_bring_the_next(post):
    first, second = post("next", session=SITTING, want=2).json()["next"]
    assert (first["draw"], first["box"]) == (True, None)
    Trial.objects.update(issued_at="2026-01-01T00:00:00Z")
    reply = post(f"{first['trial']}/boxes", **submission(boxes=[BOX], holding=[second["trial"]], want=2))
    assert reply.status_code == 200
    assert reply.json()["saved"] is True
    assert reply.json()["progress"]["answered"] == 1
    assert len(reply.json()["next"]) == 1
    box = DrawnBox.objects.get()
    assert (box.response_ms, box.search_ms, box.label.name) == (1800.0, 800.0, "dog")
    assert post(f"{first['trial']}/boxes", **submission(boxes=[BOX])).json()["repeated"] is True
    corrected = post(f"{first['trial']}/correct_boxes", **submission(2, boxes=[{**BOX, "label": 0}]))
    assert corrected.json()["saved"] is True
    assert DrawnBox.objects.get(is_current=True).label.name == "cat"


def test_what_cannot_be_is_refused_and_changes_nothing(post, scenes):
    trial = post("next", session=SITTING, want=1).json()["next"][0]["trial"]
    outside = post(f"{trial}/boxes", **submission(boxes=[{**BOX, "x": 0.9}]))
    assert (outside.status_code, outside.json()["detail"]) == (
        409, "Box 1 leaves the image: boxes are in shares of it, 0 to 1.",
    )  # fmt: skip
    assert post(f"{trial}/boxes", **submission(boxes=[{**BOX, "number": 0}])).status_code == 422
    assert post(f"{trial}/boxes", **submission(boxes=[{**BOX, "number": n} for n in range(1, 102)])).status_code == 422
    assert post(f"{trial}/boxes", **submission()).status_code == 422
    assert post(f"{trial}/answer", **submission(label=0)).status_code == 409
    assert post("999999/boxes", **submission(boxes=[])).status_code == 404
    many = [{"t": float(t), "kind": "input"} for t in range(2001)]
    assert post(f"{trial}/boxes", **(submission(boxes=[]) | {"events": many})).status_code == 422
    assert (DrawnBox.objects.count(), Trial.objects.get().state) == (0, "issued")


def test_an_object_that_is_asked_again_is_judged_and_not_drawn(post, scenes, annotator_user):
    whole = scenes.items.first()
    item = factories.make_items(scenes, 1)[0]
    item.image, item.needed, item.priority = whole.image, 1, 1
    item.box_x, item.box_y, item.box_width, item.box_height = 0.1, 0.1, 0.5, 0.5
    item.save()
    lease = post("next", session=SITTING, want=1).json()["next"][0]
    assert (lease["item"], lease["draw"], lease["box"]) == (item.pk, False, [0.1, 0.1, 0.5, 0.5])
    assert post(f"{lease['trial']}/boxes", **submission(boxes=[])).status_code == 409
    assert post(f"{lease['trial']}/answer", **submission(2, label=0)).status_code == 200
