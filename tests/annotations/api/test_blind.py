"""Annotators see nothing of what is known about an item before they answer: neither a given label nor any score."""

from __future__ import annotations

import json
import re

import pytest

from annotations.services.roles import set_role
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def items(project):
    """Three items with given labels, one of them gold; another annotator has answered all of them."""
    project.gold_share = 0.5
    project.order = "fixed"
    project.save()
    items = factories.make_items(project, 3, given=[1, 0, 1])
    other = factories.make_annotator(project)
    for item in items:
        factories.make_trial(item, other, label=1, response_ms=900.0)
    set_role(project=project, paths=[items[2].path], role="gold")
    return items


def test_what_is_handed_out_says_where_the_image_is_and_nothing_about_it(annotator_client, items):
    body = {"session": {"key": "sitting-0001", "clock": {}, "screen": {}}, "want": 5}
    reply = annotator_client.post("/api/v1/projects/pets/trials/next", json.dumps(body), "application/json").json()
    assert set(reply) == {"next", "finished", "held_by_others", "progress"}
    assert len(reply["next"]) >= 2
    for lease in reply["next"]:
        assert set(lease) == {
            "trial", "position", "item", "image", "box", "look", "reissued", "training", "draw",
        }  # fmt: skip
        assert lease["image"] == f"/projects/pets/items/{lease['item']}/image", "not its path: folders name classes"
        assert lease["training"] is False, "gold items look like all others"


def test_the_workbench_page_holds_settings_and_classes_only(annotator_client, items):
    page = annotator_client.get("/projects/pets/label/").content.decode()
    config = json.loads(re.search(r'id="workbench-config"[^>]*>(.*?)</script>', page, re.S)[1])
    assert not {"items", "measures", "given", "scores", "hardness"} & set(config)
    assert all(item.path not in page for item in items)


@pytest.mark.parametrize("page", ["", "items/", "items/{item}/", "items/{item}/measures/", "hardness/", "rounds/"])
def test_pages_that_show_scores_are_not_for_annotators(annotator_client, items, page):
    reply = annotator_client.get(f"/projects/pets/{page.format(item=items[0].pk)}")
    if page:
        assert reply.status_code in (403, 404)
    else:
        assert reply.headers["Location"] == "/projects/pets/label/"
