"""What the page of one annotator rests on, from rows: gold, hidden repeats, answers too fast, confusions."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from django.urls import reverse

from annotations.models import Annotator, Membership
from mining.people import labels_that_count
from mining.people_now.annotators import annotator_facts, keep_pages
from mining.people_now.consensus import keep_consensus, weigh
from mining.people_now.stored_trials import bring_up_to_date, people_folder
from mining.selectors.consensus import consensus_labels
from mining.selectors.people_now import annotator_of
from tests import factories
from tests.mining.people_now.test_refresh import refresh

pytestmark = pytest.mark.django_db
N = 40


@pytest.fixture
def mixed(manager):
    """Three steady people and Ada: slow, who calls every third dog a cat, with gold items, repeats and one guess."""
    project = factories.make_project("Pets", classes=("cat", "dog"), manager=manager, slug="pets", overlap=4)
    items = factories.make_items(project, N, given=[i % 2 for i in range(N)])
    generator = np.random.default_rng(0)
    for name in ("p1", "p2", "p3", "Ada"):
        annotator = factories.make_annotator(project, name)
        slow = 2 if name == "Ada" else 1
        for number, item in enumerate(items):
            label = number % 2
            if name == "Ada" and label == 1 and number % 3 == 0:
                label = 0
            ms = 800 * slow * np.exp(0.02 * number + generator.normal(0, 0.02))
            guess = name == "Ada" and number == 5
            factories.make_trial(
                item, annotator, label=label, response_ms=None if guess else ms, position=number + 1,
                null_reason="too_fast" if guess else "", purpose="gold" if number < 10 else "",
            )  # fmt: skip
        for number in range(20, 26):
            ms = 700 * slow * np.exp(0.02 * number)
            said = 1 - number % 2 if name == "Ada" and number == 20 else number % 2
            factories.make_trial(
                items[number], annotator, label=said, response_ms=ms, position=100 + number, purpose="repeat"
            )
        Annotator.objects.filter(pk=annotator.pk).update(n_answered=N + 6)
    return project


def facts_of(project):
    stored = bring_up_to_date(project)
    labelled = labels_that_count(stored.trials)
    view = weigh(labelled, len(stored.items), 2)
    keep_consensus(people_folder(project.pk), stored.items, view, {})
    return annotator_facts(stored, labelled, view)


def test_gold_repeats_and_guesses_are_told_apart(mixed):
    facts = facts_of(mixed)
    ada = next(row for row in facts["rows"] if row["id"] == mixed.annotators.get(name="Ada").pk)
    # Of the gold items 0 to 9 the dogs 3 and 9 were called cats; of the others 15, 21, 27, 33 and 39.
    assert (ada["n_gold"], ada["gold_share"], ada["n_given"]) == (10, 0.8, 30)
    assert ada["given_share"] == pytest.approx(25 / 30)
    assert ada["gold_low"] < 0.8 < ada["gold_high"]
    # Repeats 20 to 25: 20 is answered otherwise, and 21 was called a cat the first time.
    assert (ada["n_repeats"], ada["n_labelled"], ada["n_same"]) == (6, 6, 4)
    assert ada["correlation"] > 0.5
    assert ada["log_change"] == pytest.approx(np.log(700 / 800), abs=0.05)
    assert (ada["n_fast"], ada["fast_share"]) == (46, pytest.approx(1 / 46))
    others = [row for row in facts["rows"] if row["id"] != ada["id"]]
    assert ada["median_ms"] / np.median([row["median_ms"] for row in others]) == pytest.approx(2, abs=0.15)
    assert all(row["gold_share"] == 1 and row["n_same"] == 6 for row in others)


def test_the_confusion_matrix_names_what_is_taken_for_what(mixed):
    facts = facts_of(mixed)
    page = facts["pages"][mixed.annotators.get(name="Ada").pk]["confusion"]
    assert (page["largest"][0]["right"], page["largest"][0]["said"]) == (1, 0)
    assert page["largest"][0]["low"] < 7 / 20 < page["largest"][0]["high"]
    assert page["support"] == pytest.approx([20, 20], abs=0.1)
    assert np.sum(page["matrix"], axis=1) == pytest.approx([1, 1], abs=1e-4)
    assert page["agrees"] == pytest.approx(33 / 40, abs=0.01)
    keep_pages(people_folder(mixed.pk), facts["pages"])
    assert annotator_of(mixed, mixed.annotators.get(name="Ada").pk)["confusion"]["n"] == 40
    assert annotator_of(mixed, 0) is None
    json.dumps(annotator_of(mixed, mixed.annotators.get(name="p1").pk), allow_nan=False)


def test_a_hidden_repeat_gives_nobody_a_second_vote(mixed):
    facts_of(mixed)
    items = list(mixed.items.order_by("ordinal"))
    found = consensus_labels(mixed, [items[0].pk, items[20].pk, items[21].pk])
    assert {found[item.pk].n_labels for item in (items[0], items[20], items[21])} == {4}
    assert (found[items[20].pk].name, found[items[21].pk].name) == ("cat", "dog")
    assert 0.9 < found[items[20].pk].confidence <= 1


@pytest.mark.usefixtures("few_splits")
def test_pages_say_every_figure_or_why_it_is_unknown(mixed, manager_client):
    refresh(mixed)
    refresh(mixed, "people_details")
    ada = mixed.annotators.get(name="Ada")
    page = manager_client.get(reverse("annotator", args=["pets", ada.pk]))
    lines = lines_of(page)
    assert (lines["Right on gold items"].value, lines["Right on gold items"].interval) == ("80 %", "49 % to 94 %")
    assert lines["Speed"].note.endswith("times as long as the middle annotator.")
    assert lines["Same answer again"].value == "67 %"
    assert lines["Without a time"].note == "Faster than anybody can see and answer: 1"
    for chart in page.context["charts"]:
        spec = manager_client.get(chart["address"]).json()
        assert spec["data"]["values"]
    assert len(page.context["charts"]) == 4
    assert next(one["right"] for one in page.context["confusions"]) == "dog"
    newcomer = factories.make_annotator(mixed, "Newcomer")
    empty = manager_client.get(reverse("annotator", args=["pets", newcomer.pk])).content.decode()
    assert "Nothing computed yet" in empty
    assert manager_client.get(reverse("annotator_chart", args=["pets", newcomer.pk, "times"])).status_code == 404
    item = mixed.items.order_by("ordinal").first()
    assert (
        "cat, 99\u00a0% sure, from 4 labels"
        in manager_client.get(reverse("item", args=["pets", item.pk])).content.decode()
    )
    assert "cat, 99\u00a0%" in manager_client.get(reverse("items", args=["pets"])).content.decode()


def test_who_has_no_gold_and_no_repeats_is_told_why(manager, manager_client):
    project = factories.make_project("Plain", classes=("a", "b"), manager=manager, slug="plain")
    person = factories.make_annotator(project, "Solo")
    factories.make_trial(factories.make_items(project, 1)[0], person, label=0, null_reason="hidden")
    Annotator.objects.filter(pk=person.pk).update(n_answered=1)
    refresh(project)
    refresh(project, "people_details")
    lines = lines_of(manager_client.get(reverse("annotator", args=["plain", person.pk])))
    assert lines["Speed"].value == "–"
    assert lines["Speed"].note == "None of the trials has a time that can be trusted."
    assert lines["Right on gold items"].note.startswith("No gold item was answered")
    assert lines["Same time again"].note.startswith("No hidden repeats yet")
    assert lines["Without a time"].note == "The page was hidden while the image was shown: 1"


@pytest.mark.parametrize("name", ["annotator", "annotator_chart"])
def test_annotators_of_other_projects_are_not_there(manager_client, manager, mixed, name):
    other = factories.make_project("Other", slug="other")
    stranger = factories.make_annotator(other, "Stranger")
    more = ["times"] if name == "annotator_chart" else []
    for slug in ("pets", "other"):
        assert manager_client.get(reverse(name, args=[slug, stranger.pk, *more])).status_code == 404
    assert Membership.objects.filter(project=other).count() == 0


def lines_of(page):
    """Return title -> line, with ordinary spaces."""
    lines = page.context["lines"]
    return {
        line.title: replace(
            line, **{name: getattr(line, name).replace("\u00a0", " ") for name in ("value", "interval")}
        )
        for line in lines
    }
