"""A project with a thousand classes: the class is found by typing, by keyboard alone, by touch, or with the mouse."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from annotations.models import LabelClass
from annotations.services.projects import create_project
from annotations.timing import Reason
from tests import factories
from tests.e2e.test_label import OPEN, delivered, press
from tests.looks import violations

pytestmark = pytest.mark.django_db(transaction=True)
KINDS = ("wren", "robin", "heron", "egret", "crane", "owl", "gull", "tern", "Höckerschwan", "tit")
BIRDS = [f"{kind} {n}" for n in range(100) for kind in KINDS]


@pytest.fixture
def birds(page, live_server, sign_in, manager):
    """Return the page with the workbench of a thousand classes open."""
    project = create_project(name="Birds", classes=BIRDS, created_by=manager)
    factories.make_items(project, 8)
    sign_in(manager)
    page.goto(f"{live_server.url}/projects/birds/label/")
    page.wait_for_selector(OPEN)
    return page


def given(trial):
    return trial.annotations.get(is_current=True).label.name


def test_typing_finds_the_class_and_enter_gives_it(birds):
    expect(birds.locator(".wb__answer")).to_have_count(10)
    birds.wait_for_timeout(220)
    birds.keyboard.type("ho")
    search = birds.get_by_role("combobox", name="Which class is it?")
    expect(search).to_have_value("ho")
    birds.keyboard.type("cker 42")
    expect(birds.get_by_role("option")).to_have_text(["Höckerschwan 42"])
    birds.keyboard.press("Enter")
    expect(search).to_be_hidden()
    # The next one, chosen with the arrows among the last given; the one after it by its digit.
    birds.wait_for_selector(OPEN)
    birds.wait_for_timeout(220)
    birds.keyboard.press(".")
    expect(birds.get_by_role("option").first).to_have_text("Höckerschwan 42")
    expect(birds.get_by_text("1000 classes, the first 50 shown")).to_be_visible()
    birds.keyboard.press("ArrowDown")
    expect(birds.get_by_role("option").nth(1)).to_have_attribute("aria-selected", "true")
    birds.keyboard.press("Enter")
    press(birds, "3")
    first, second, third = delivered(birds, 3)[:3]
    assert [given(first), given(second), given(third)] == ["Höckerschwan 42", "wren 0", "heron 0"]
    # Searching is typing as much as deciding: no time, but it is known that it took at least until the search began.
    assert (first.response_ms, first.null_reason) == (None, Reason.SEARCHED)
    assert first.censored_at_ms >= 200
    assert first.paid_ms > first.censored_at_ms
    assert (third.null_reason, third.response_ms is not None) == ("", True)


def test_escape_goes_back_to_the_image_and_a_click_chooses(birds):
    birds.keyboard.press(".")
    birds.keyboard.press("Escape")
    expect(birds.get_by_role("dialog")).to_have_count(0)
    birds.get_by_role("button", name="All 1000 classes").click()
    birds.keyboard.type("egret 7")
    birds.get_by_role("option", name="egret 77").click()
    assert given(delivered(birds, 1)[0]) == "egret 77"


def test_an_answer_is_corrected_by_search(birds):
    press(birds, "1")
    birds.wait_for_selector(OPEN)
    birds.keyboard.press("ArrowLeft")
    birds.wait_for_selector('#workbench[data-state="correcting"]')
    birds.keyboard.type("owl 99")
    birds.keyboard.press("Enter")
    birds.wait_for_selector(OPEN)
    first = delivered(birds, 1)[0]
    for _ in range(50):
        if given(first) == "owl 99":
            break
        birds.wait_for_timeout(100)
    assert given(first) == "owl 99"
    assert first.null_reason == ""


def test_nothing_is_called_like_that_and_the_dialog_is_accessible(birds):
    birds.keyboard.type("qqq")
    expect(birds.get_by_text("No class is called like that.")).to_be_visible()
    birds.keyboard.press("Enter")
    expect(birds.get_by_role("dialog")).to_be_visible()
    birds.keyboard.press("Control+a")
    birds.keyboard.type("tit")
    expect(birds.get_by_role("option").first).to_have_text("tit 0")
    assert violations(birds) == []
    assert LabelClass.objects.filter(key=None).count() == 990
