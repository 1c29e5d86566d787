"""From a finished round to "ask again", labels, the next round, and what came of it; and a version with a reason."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from annotations.models import Item, Membership, Trial
from mining.models import HardSet, Round
from mining.services.round_params import DEFAULTS
from mining.services.rounds import run_round_here, start_round
from tests.browser import session_cookie
from tests.e2e.test_label import OPEN
from tests.looks import objections_to
from tests.mining.small_project import QUICK, make_striped_project

pytestmark = pytest.mark.django_db(transaction=True)

N_ASKED = 3


@pytest.fixture
def finished(manager, annotator_user, monkeypatch):
    """Return a project with a finished round and a hard set of three items; the annotator has judged nothing yet."""
    monkeypatch.setattr("mining.stages.comparison.RESAMPLED_TRIALS", 1)
    # What a form starts is as quick as the rest of the test.
    for name, value in QUICK.items():
        monkeypatch.setitem(DEFAULTS, name, value)
    project, _ = make_striped_project(n_annotators=3)
    Membership.objects.create(project=project, user=manager, role=Membership.Role.MANAGER)
    Membership.objects.create(project=project, user=annotator_user)
    hardest = [{"name": "time_hard", "params": {"limit": N_ASKED}}]
    round_ = start_round(project=project, params=QUICK, strategies=hardest, in_process=True, created_by=manager)
    finish(round_)
    return project


def finish(round_):
    for _ in run_round_here(round_):
        pass
    assert round_.status == "succeeded", [stage.result for stage in round_.stages.all()]


def wait_answered(page, user, n):
    """Wait until the server has this many answers of the user."""
    for _ in range(150):
        if Trial.objects.filter(annotator__user=user, state="answered").count() >= n:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{n} answers were not delivered")


def test_items_go_back_to_people_and_the_next_round_says_what_came_of_it(
    page, browser, live_server, sign_in, finished, manager, annotator_user
):
    site = f"{live_server.url}/projects/stripes"
    hard_set = HardSet.objects.get(strategy="time_hard")
    asked = list(hard_set.members.order_by("rank").values_list("item_id", flat=True))
    sign_in(manager)
    page.goto(f"{site}/rounds/1/")
    page.get_by_role("link", name="Time-hard", exact=True).click()
    page.get_by_label("More judgments an item").fill("1")
    page.get_by_role("button", name="Ask people again").click()
    expect(page.get_by_text("3 items go to the front of the queue, for 1 more judgment each.")).to_be_visible()
    expect(page.get_by_text("The next round says what came of it")).to_be_visible()

    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies([session_cookie(annotator_user, live_server.url)])
    people = context.new_page()
    people.set_default_timeout(15_000)
    people.goto(f"{site}/label/")
    for done in range(1, N_ASKED + 1):
        people.wait_for_selector(OPEN)
        people.wait_for_timeout(250)
        people.keyboard.press("1")
        wait_answered(people, annotator_user, done)
    answered = Trial.objects.filter(annotator__user=annotator_user, state="answered").order_by("pk")
    assert sorted(answered.values_list("item_id", flat=True)) == sorted(asked)
    assert not Item.objects.filter(pk__in=asked, taken__lt=4).exists()
    context.close()

    page.goto(f"{site}/rounds/")
    page.get_by_role("button", name="Start a round").click()
    expect(page.get_by_role("heading", name="Round 2")).to_be_visible()
    finish(Round.objects.get(number=2))
    page.goto(f"{site}/rounds/2/")
    expect(page.get_by_role("heading", name="What came of asking again")).to_be_visible()
    told = page.locator("#second-looks")
    expect(told).to_contain_text("Time-hard of round 1: 3 items, 1 more judgment each")
    expect(told).not_to_contain_text("Still waiting")
    expect(told.locator(".outcome__items a")).to_have_count(N_ASKED)
    wrong = objections_to(page, "round-asked-again")

    told.get_by_role("link", name="Time-hard").click()
    expect(page.get_by_role("heading", name="What came of it")).to_be_visible()
    expect(page.get_by_text("As of round 2, with 1 more judgment asked for.")).to_be_visible()
    page.goto(f"{site}/rounds/2/report/")
    expect(page.get_by_text("What came of asking again")).to_be_visible()

    # A manager takes one item out, with a reason: a new version, and the old one stays.
    page.goto(f"{live_server.url}{hard_set.get_absolute_url()}")
    page.get_by_role("checkbox", name="Drop").first.check()
    page.get_by_label("Reason").fill("Out of focus")
    page.get_by_role("button", name="Drop them").click()
    expect(page.get_by_text("1 item is dropped. This is version 2; the old one stays.")).to_be_visible()
    expect(page.get_by_text("“Out of focus”")).to_be_visible()
    wrong += objections_to(page, "hard-set-versions")
    assert HardSet.objects.get(version=2, strategy="time_hard", parent=hard_set).n_members == N_ASKED - 1

    page.goto(f"{site}/rounds/")
    expect(page.get_by_role("heading", name="Is another round worth it?")).to_be_visible()
    expect(page.get_by_text("Too early to say")).to_be_visible()
    wrong += objections_to(page, "rounds-learning")
    page.goto(f"{site}/settings/")
    page.get_by_label("New annotations").fill("200")
    page.get_by_role("button", name="Save schedule").click()
    expect(page.get_by_text("Saved. Rounds start by themselves after 200 new annotations.")).to_be_visible()
    expect(page.get_by_label("New annotations")).to_have_value("200")
    wrong += objections_to(page, "settings-schedule")
    assert wrong == []
