"""Time limit, flash, breaks and training in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from annotations.models import Item, Trial
from annotations.services.roles import set_role
from tests import factories
from tests.e2e.test_label import OPEN, delivered, kinds, press

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def start(page, live_server, sign_in, manager, annotator_user):
    """Return `start(**protocol)`: a project of twelve items with that protocol, open in the workbench."""

    def open_workbench(training=(), **protocol):
        project = factories.make_project(
            "Digits", classes=[str(i) for i in range(10)], manager=manager, annotators=[annotator_user], **protocol
        )
        items = factories.make_items(project, 12)
        if training:
            set_role(project=project, paths=[items[i].path for i in training], role="training")
        sign_in(annotator_user)
        page.goto(f"{live_server.url}/projects/digits/label/")
        page.wait_for_selector(OPEN)
        return page

    return open_workbench


def test_a_trial_without_an_answer_ends_at_the_limit_and_the_next_one_counts(start):
    page = start(time_limit_ms=900)
    expect(page.locator('[data-part="say"]')).to_have_text("Time is up. Image 2.")
    press(page, "3", wait_ms=250)
    first, second, *_ = delivered(page, 2)
    assert (first.state, first.skip_reason, first.null_reason) == ("skipped", "out_of_time", "out_of_time")
    assert (first.response_ms, first.censored_at_ms) == (None, 900)
    assert 900 <= first.paid_ms < 1050, "the limit runs from the painted frame, and no timer is early"
    assert kinds(first)[-2:] in (["out_of_time", "frame"], ["limit", "out_of_time"])
    assert (second.state, second.null_reason) == ("answered", "")
    assert second.response_ms < 900
    assert Item.objects.get(pk=first.item_id).taken == 0


def test_a_dialog_about_an_image_goes_with_it(start):
    page = start(time_limit_ms=1200)
    page.keyboard.press("ArrowRight")
    expect(page.locator("dialog[open]")).to_have_count(1)
    delivered(page, 1)
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert set(Trial.objects.filter(state="skipped").values_list("skip_reason", flat=True)) == {"out_of_time"}


def test_a_flash_gives_way_to_a_mask_and_the_frames_shown_are_stored(start):
    page = start(flash_frames=6)
    page.wait_for_selector(".wb__picture .wb__mask")
    assert page.locator(".wb__picture img").count() == 0
    box = page.locator(".wb__mask").bounding_box()
    assert box["width"] > 500 and box["height"] > 300
    press(page, "2")
    trial = delivered(page, 1)[0]
    assert trial.null_reason == ""
    assert 6 <= trial.exposure_frames <= 20, "more only where the machine left frames out"
    assert 80 <= trial.exposure_ms < 350
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector('#workbench[data-state="correcting"]')
    assert page.locator(".wb__picture img").count() == 0


def test_training_comes_first_and_says_so_and_a_break_is_offered(start):
    page = start(training=[7, 9], break_after=5)
    badge = page.locator('[data-part="training"]')
    expect(badge).to_be_visible()
    press(page, "1")
    press(page, "1")
    expect(badge).to_be_hidden()
    for _ in range(3):
        press(page, "1")
    page.wait_for_selector("text=Time for a break")
    trials = delivered(page, 5)
    assert [t.purpose for t in trials[:5]] == ["training", "training", "", "", ""]
    page.keyboard.press("Escape")
    press(page, "1")
    delivered(page, 6)
