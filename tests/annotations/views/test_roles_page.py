"""Training and gold items, made from the pages of items."""

from __future__ import annotations

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from annotations.models import Item, Project
from annotations.services import roles
from tests import factories


def send(client: Client, project: Project, **fields: object):
    return client.post(reverse("items_role", args=[project.slug]), fields)


def said(answer) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def role_of(project: Project) -> list[str]:
    return list(project.items.order_by("ordinal").values_list("role", flat=True))


def test_ticked_items_get_the_role_and_the_page_comes_back(project: Project, manager_client: Client) -> None:
    items = factories.make_items(project, 4, given=[0, 1, 0, 1])
    answer = send(manager_client, project, role="gold", which="selected", item=[items[1].pk, items[3].pk], given="1")
    assert (answer.status_code, answer["Location"]) == (302, f"{reverse('items', args=[project.slug])}?given=1")
    assert said(answer) == "2 items changed to gold: mixed in at the share that the protocol says."
    assert role_of(project) == ["", "gold", "", "gold"]
    project.refresh_from_db()
    assert (project.n_gold, project.n_training) == (2, 0)
    assert list(project.items.filter(role="gold").values_list("needed", flat=True)) == [0, 0]


def test_all_that_match_the_filters(project: Project, manager_client: Client) -> None:
    factories.make_items(project, 4, given=[0, 1, 0, 1])
    send(manager_client, project, role="training", which="filtered", given="0")
    assert role_of(project) == ["training", "", "training", ""]
    send(manager_client, project, role="ordinary", which="filtered", with_role="training", path="0002")
    assert role_of(project) == ["training", "", "", ""]
    page = manager_client.get(reverse("items", args=[project.slug]) + "?with_role=training").content.decode()
    assert "image-0000.png" in page and "image-0001.png" not in page


def test_from_the_items_own_page_and_back_to_it(project: Project, manager_client: Client) -> None:
    item, plain = factories.make_items(project, 1, given=[0])[0], factories.make_items(project, 1)[0]
    address = reverse("item", args=[project.slug, item.pk])
    assert send(manager_client, project, role="gold", item=item.pk, back="item")["Location"] == address
    assert role_of(project) == ["gold", ""]
    assert "Make ordinary" in manager_client.get(address).content.decode()
    # Without a given label there is no right answer: it is not offered.
    assert "Make gold" not in manager_client.get(reverse("item", args=[project.slug, plain.pk])).content.decode()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"role": "gold", "which": "selected"}, "Choose at least one item."),
        ({"role": "", "which": "filtered"}, "Choose a role."),
        ({"role": "silver", "which": "filtered"}, "No role is called silver"),
        ({"role": "gold", "which": "filtered"}, "A gold item needs a given label"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_changed(
    project: Project, manager_client: Client, fields: dict, words: str
) -> None:
    factories.make_items(project, 2, given=[0, 1])
    factories.make_items(project, 1)
    answer = send(manager_client, project, **fields)
    assert words in said(answer)
    assert role_of(project) == ["", "", ""]


def test_too_many_at_once(project: Project, manager_client: Client, monkeypatch) -> None:
    monkeypatch.setattr(roles, "AT_MOST", 2)
    factories.make_items(project, 3)
    assert "more than 2 items" in said(send(manager_client, project, role="training", which="filtered"))
    assert role_of(project) == ["", "", ""]


def test_only_managers_and_only_their_own_items(
    project: Project, manager_client: Client, annotator_client: Client
) -> None:
    factories.make_items(project, 1)
    (foreign,) = factories.make_items(factories.make_project("Other"), 1)
    send(manager_client, project, role="training", which="selected", item=foreign.pk)
    assert send(annotator_client, project, role="training", which="filtered").status_code == 404
    assert not Item.objects.exclude(role="").exists()
