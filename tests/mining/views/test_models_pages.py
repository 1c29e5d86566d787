"""Pages of models, classes and reasons, and the measures of an item, show what the files of a round say."""

from __future__ import annotations

import pytest
from django.urls import reverse

from mining.artifacts import Folder
from mining.hardness.registry import DESCRIPTIONS
from tests.mining.done_round import interval

PAGES = ("models", "classes", "reasons")


def page_of(client, name):
    return client.get(reverse(name, args=["pets", 1])).content.decode()


@pytest.fixture
def round_with_models(done_round):
    ids = list(done_round.project.items.order_by("ordinal").values_list("pk", flat=True))
    suspicious = {
        "threshold": 0.5, "n": 30, "n_known": 60, "n_resolved": 30, "n_labelled": 28, "accuracy_argmax": 0.75,
        "accuracy_neighbours": 0.5, "difference": {"value": -0.25, "low": -0.4, "high": -0.1},
        "verdict": "argmax better",
        "items": [{"item": ids[0], "top": 0.36, "argmax": 1, "neighbours": 0, "label": 1}],
    }  # fmt: skip
    errors = {
        "n": 1, "n_known": 60, "reason": "",
        "items": [{"item": ids[1], "label": 0, "label_from": "given", "predicted": 1, "p_label": 0.01}],
    }  # fmt: skip
    rows = [
        {"code": code, "n_items": 3, "time": interval(0.5 * code, 0.1, 0.9), "differing": interval(0.125, 0.05, 0.3),
         "loss": interval(1.0 + code, 0.5, 2.5), "wrong": interval(0.333, 0.1, 0.6), "items": ids[:2]}
        for code in (0, 1)
    ]  # fmt: skip
    pairs = [{"first": 0, "second": 1, "people": interval(0.08, 0.01, 0.2), "model": interval(0.4, 0.2, 0.6),
              "items": ids[2:4]}]  # fmt: skip
    folder = Folder(done_round.folder)
    folder.write_json(
        "model.json",
        {"version": 1, "learners": [
            {"name": "hog_svm", "in_sample": False, "suspicious": suspicious, "label_errors": errors},
            {"name": "file:resnet", "in_sample": True, "suspicious": {**suspicious, "n": 0, "items": []},
             "label_errors": {"n": None, "n_known": 0, "items": [], "reason": "one class only"}}],
         "classes": {"learner": "hog_svm", "rows": rows, "pairs": pairs, "n_sampled": None}},
    )  # fmt: skip
    attributes = [
        {"name": "brightness", "title": "Brightness: mean grey level", "alone": interval(-0.4, -0.6, -0.2),
         "beside_others": interval(0.01, -0.1, 0.12)},
        {"name": "image_size", "title": "Size of the image: log of its pixels",
         "alone": interval(None, reason="the second score is the same for all items"),
         "beside_others": interval(None, reason="the attribute is the same for all items")},
        {"name": "clutter", "title": "Clutter: share", "alone": interval(0.35, 0.2, 0.5),
         "beside_others": interval(0.3, 0.2, 0.4)},
    ]  # fmt: skip
    folder.write_json(
        "reasons.json",
        {"version": 1, "n_items": 60, "n_scored": 900,
         "targets": [{"measure": "time_hardness", "title": "Time of people", "attributes": attributes}],
         "duplicates": {"n_groups": 1, "n_items": 2, "groups": [{"size": 2, "items": ids[:2]}]}},
    )  # fmt: skip
    return done_round


@pytest.mark.parametrize("name", PAGES)
def test_a_round_without_the_file_says_so(manager_client, done_round, name):
    assert "See how far the round is" in page_of(manager_client, name)
    assert manager_client.get(reverse(name, args=["pets", 1])).status_code == 200


def test_suspicious_items_come_with_the_paired_interval(manager_client, round_with_models):
    page = page_of(manager_client, "models")
    assert "\u22120.25" in page
    assert "95 % interval \u22120.40 to \u22120.10, paired: argmax better" in page
    assert "model: dog (36\u00a0%); neighbours: cat" in page
    assert "The 1 least certain of 30." in page
    assert "model: dog" in page


def test_another_learner_can_be_chosen(manager_client, round_with_models):
    page = manager_client.get(reverse("models", args=["pets", 1]) + "?learner=file:resnet").content.decode()
    assert "The model has an opinion on every item." in page
    assert "Not known: one class only" in page
    assert "learnt wrong labels by heart" in page
    assert manager_client.get(reverse("models", args=["pets", 1]) + "?learner=nothing").status_code == 200


def test_classes_stand_with_people_and_model_beside_each_other(manager_client, round_with_models):
    answer = manager_client.get(reverse("classes", args=["pets", 1]))
    assert [row["name"] for row in answer.context["rows"]] == ["dog", "cat"]
    page = answer.content.decode()
    assert "cat and dog" in page
    assert "8.0\u00a0%" in page and "40.0\u00a0%" in page and "20.0\u00a0% to 60.0\u00a0%" in page


def test_reasons_are_said_as_associations(manager_client, round_with_models):
    page = page_of(manager_client, "reasons")
    assert "association, not cause" in page
    assert "An association: the less of it, the harder. Beside the other attributes none is shown." in page
    assert "Nothing can be said: the attribute is the same for all items." in page
    assert "An association: the more of it, the harder. Beside the other attributes it holds." in page
    assert "over 60 items drawn at random from 900" in page
    assert "1 group with 2 items" in page


def test_an_item_says_what_every_measure_says(manager_client, done_round):
    item = done_round.project.items.first()
    address = reverse("item_measures", args=["pets", item.pk])
    part = manager_client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert 'title="-ln p_y"' in part and "2.345" in part
    assert "HOG + linear SVM: says cat" in part
    assert "Cross-entropy of the given label, in nats." in part
    assert "<html" in manager_client.get(address).content.decode()
    assert address in manager_client.get(reverse("item", args=["pets", item.pk])).content.decode()


def test_an_item_without_a_round_says_what_to_do(manager_client, project):
    from tests import factories

    (item,) = factories.make_items(project, 1)
    page = manager_client.get(reverse("item_measures", args=["pets", item.pk])).content.decode()
    assert "No finished round has this item yet" in page
    assert manager_client.get(reverse("item_measures", args=["pets", 10**9])).status_code == 404


def test_every_measure_is_explained(manager_client, db):
    page = manager_client.get(reverse("measures_explained")).content.decode()
    assert all(f'id="{name}"' in page for name in DESCRIPTIONS)


def test_they_are_for_managers(annotator_client, done_round):
    item = done_round.project.items.first()
    for name in PAGES:
        assert annotator_client.get(reverse(name, args=["pets", 1])).status_code == 404
    assert annotator_client.get(reverse("item_measures", args=["pets", item.pk])).status_code == 404
