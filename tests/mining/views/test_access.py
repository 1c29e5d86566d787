"""Pages of rounds are for the managers of the project; for everybody else there are none."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests import factories

ROUND_PAGES = ["round", "round_progress", "comparison", "retraining", "report"]
ROUND_VERBS = ["round_cancel"]


def addresses(project, round_, hard_set):
    slug, number = project.slug, round_.number
    pages = [reverse("rounds", args=[slug]), *(reverse(name, args=[slug, number]) for name in ROUND_PAGES)]
    pages += [
        reverse("round_chart", args=[slug, number, "time_and_loss"]),
        reverse("hard_set", args=[slug, hard_set.pk]),
        reverse("hard_set_export", args=[slug, hard_set.pk, "csv"]),
    ]
    verbs = [
        reverse("round_start", args=[slug]),
        reverse("round_cancel", args=[slug, number]),
        reverse("stage_retry", args=[slug, number, "features"]),
        reverse("ask_again", args=[slug, hard_set.pk]),
    ]
    return pages, verbs


def test_managers_open_every_page(manager_client, project, done_round, hard_set):
    pages, _ = addresses(project, done_round, hard_set)
    assert [manager_client.get(page).status_code for page in pages] == [200] * len(pages)


@pytest.mark.parametrize("who", ["annotator_client", "outsider_client"])
def test_nobody_else_opens_any(request, who, project, done_round, hard_set):
    client = request.getfixturevalue(who)
    pages, verbs = addresses(project, done_round, hard_set)
    assert {client.get(page).status_code for page in pages} == {404}
    assert {client.post(verb).status_code for verb in verbs} == {404}
    assert project.rounds.count() == 1
    assert hard_set.second_looks.count() == 0


def test_visitors_are_sent_to_sign_in(client, project, done_round, hard_set):
    pages, _ = addresses(project, done_round, hard_set)
    assert {client.get(page)["Location"].split("?")[0] for page in pages} == {reverse("login")}


def test_rounds_and_hard_sets_of_another_project_are_not_there(manager, manager_client, done_round, hard_set):
    other = factories.make_project("Other", manager=manager)
    pages, verbs = addresses(other, done_round, hard_set)
    assert {manager_client.get(page).status_code for page in pages[1:]} == {404}
    assert {manager_client.post(verb).status_code for verb in verbs[1:]} == {404}


def test_what_changes_something_needs_a_post(manager_client, project, done_round, hard_set):
    _, verbs = addresses(project, done_round, hard_set)
    assert {manager_client.get(verb).status_code for verb in verbs} == {405}
