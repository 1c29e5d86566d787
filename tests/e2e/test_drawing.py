"""Drawing boxes in a real browser: with the mouse, by keyboard alone, by touch, and with the network cut."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from annotations.models import DrawnBox, EventBatch, Item, Trial
from tests import factories
from tests.browser import session_cookie

pytestmark = pytest.mark.django_db(transaction=True)

OPEN = '#workbench[data-state="open"][data-task="draw"]'
LAYER = f"{OPEN} .a9s-annotationlayer"


@pytest.fixture
def scenes(manager, annotator_user):
    project = factories.make_project(
        "Scenes", classes=["cat", "dog"], manager=manager, annotators=[annotator_user], unit="object", boxes="drawn",
        lookahead=2, order="fixed",
    )  # fmt: skip
    factories.make_items(project, 3, size=(400, 200))
    return project


@pytest.fixture
def workbench(page, live_server, sign_in, scenes, annotator_user):
    """Return the page with the first image open for drawing."""
    sign_in(annotator_user)
    page.goto(f"{live_server.url}/projects/scenes/label/")
    page.wait_for_selector(LAYER)
    return page


def drag(page, start, end, *, steps=6, wait_ms=60):
    """Draw from one place to another, given as shares of the image."""
    box = page.locator(LAYER).bounding_box()
    (x0, y0), (x1, y1) = ((box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end))
    page.mouse.move(x0, y0)
    page.mouse.down()
    page.wait_for_timeout(wait_ms)
    page.mouse.move(x1, y1, steps=steps)
    page.mouse.up()


def delivered(page, n):
    """Wait until the server has `n` trials that are over; return them in the order they were shown."""
    for _ in range(150):
        trials = list(Trial.objects.filter(state__in=("answered", "skipped")).order_by("position"))
        if len(trials) >= n:
            return trials
        page.wait_for_timeout(100)
    raise AssertionError(f"{n} answers were not delivered, only {len(trials)}")


def test_boxes_are_drawn_with_the_mouse_and_each_has_its_times(workbench):
    page = workbench
    page.wait_for_timeout(300)
    drag(page, (0.1, 0.2), (0.3, 0.6), wait_ms=100)
    page.wait_for_selector(".wb__tag.is-unnamed")
    page.wait_for_timeout(150)
    page.keyboard.press("1")
    page.wait_for_timeout(200)
    drag(page, (0.6, 0.1), (0.9, 0.5))
    page.wait_for_timeout(150)
    page.keyboard.press("2")
    page.wait_for_timeout(150)
    page.keyboard.press("Enter")
    trial = delivered(page, 1)[0]
    first, second = DrawnBox.objects.filter(trial=trial)
    assert first.shares == pytest.approx((0.1, 0.2, 0.2, 0.4), abs=0.01)
    assert second.shares == pytest.approx((0.6, 0.1, 0.3, 0.4), abs=0.01)
    assert [first.label.name, second.label.name] == ["cat", "dog"]
    for box in (first, second):
        assert (box.null_reason, box.drawn_by, box.n_edits) == ("", "mouse", 0)
        assert box.response_ms == pytest.approx(box.search_ms + box.draw_ms + box.class_ms, abs=0.01)
    assert first.search_ms >= 200
    assert first.draw_ms >= 100
    assert first.class_ms >= 150
    assert second.search_ms >= 150
    assert trial.response_ms > first.response_ms + second.response_ms


def test_a_box_that_was_left_for_another_and_named_later_has_no_time(workbench):
    page = workbench
    drag(page, (0.1, 0.2), (0.3, 0.6))
    page.wait_for_selector(".wb__tag.is-unnamed")
    drag(page, (0.6, 0.1), (0.9, 0.5))
    expect(page.locator(".wb__tag")).to_have_count(2)
    page.keyboard.press("2")
    layer = page.locator(LAYER)
    box = layer.bounding_box()
    layer.click(position={"x": 0.2 * box["width"], "y": 0.4 * box["height"]})
    page.wait_for_selector(".wb__tag.is-selected.is-unnamed")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    first, second = DrawnBox.objects.filter(trial=delivered(page, 1)[0])
    assert (first.label.name, first.response_ms, first.null_reason) == ("cat", None, "interleaved")
    assert (second.label.name, second.null_reason) == ("dog", "")


def test_by_keyboard_alone_boxes_are_made_moved_resized_deleted_and_named(workbench):
    page = workbench
    said = page.locator('[data-part="say"]')
    page.wait_for_timeout(250)
    page.keyboard.press("Space")
    expect(said).to_contain_text("New box: 38 from left, 38 from top, 25 wide, 25 high")
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowRight")
    expect(said).to_contain_text("36 from left")
    page.wait_for_timeout(100)
    page.keyboard.press("2")
    expect(said).to_contain_text("dog. 1 box.")
    page.keyboard.press("Space")
    page.keyboard.press("1")
    page.keyboard.press(",")
    page.keyboard.press(",")
    expect(page.locator(".wb__tag.is-selected")).to_have_text("dog")
    page.keyboard.press("ArrowDown")
    page.keyboard.press(".")
    page.keyboard.press("Delete")
    expect(said).to_contain_text("Box deleted. 1 box.")
    expect(page.get_by_role("button", name="Done: 1 box")).to_be_visible()
    page.wait_for_timeout(100)
    page.keyboard.press("Enter")
    trial = delivered(page, 1)[0]
    box = DrawnBox.objects.get(trial=trial)
    assert box.shares == pytest.approx((0.355, 0.38, 0.255, 0.25), abs=1e-6)
    assert (box.label.name, box.drawn_by, box.n_edits, box.null_reason) == ("dog", "key", 1, "")
    assert box.search_ms >= 200
    assert box.draw_ms > 0
    assert box.class_ms >= 90


def test_nothing_here_is_an_answer(workbench):
    page = workbench
    page.wait_for_timeout(250)
    page.get_by_role("button", name="Nothing here").click()
    trial = delivered(page, 1)[0]
    assert (trial.state, trial.null_reason, trial.boxes.count()) == ("answered", "", 0)
    assert trial.response_ms >= 200


def test_a_box_without_a_class_is_pointed_at_and_nothing_is_sent(workbench):
    page = workbench
    drag(page, (0.1, 0.1), (0.5, 0.5))
    page.wait_for_selector(".wb__tag.is-unnamed")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This box has no class yet.").first).to_be_visible()
    assert not Trial.objects.exclude(state="issued").exists()
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    assert delivered(page, 1)[0].boxes.count() == 1


def test_boxes_are_reshaped_with_the_mouse_and_taken_back(workbench):
    page = workbench
    drag(page, (0.2, 0.2), (0.5, 0.6))
    page.keyboard.press("1")
    layer = page.locator(LAYER)
    box = layer.bounding_box()
    layer.click(position={"x": 0.3 * box["width"], "y": 0.4 * box["height"]})
    page.wait_for_selector(".wb__tag.is-selected")
    drag(page, (0.35, 0.4), (0.45, 0.5))
    expect(page.locator(".wb__tag")).to_have_attribute("style", re.compile(r"left: (30|29\.9|30\.0)"))
    # From beside the selected box a drag begins another one.
    drag(page, (0.7, 0.1), (0.9, 0.4))
    expect(page.locator(".wb__tag")).to_have_count(2)
    page.keyboard.press("Control+z")
    expect(page.locator(".wb__tag")).to_have_count(1)
    page.keyboard.press("Enter")
    trial = delivered(page, 1)[0]
    stored = DrawnBox.objects.get(trial=trial)
    assert stored.shares == pytest.approx((0.3, 0.3, 0.3, 0.4), abs=0.01)
    assert stored.n_edits == 1
    assert stored.edit_ms > 0
    edit = next(event for event in EventBatch.objects.get(trial=trial).events if event["kind"] == "box_edit")
    assert edit["what"] == "move"


def test_going_back_shows_the_boxes_and_a_correction_keeps_their_times(workbench):
    page = workbench
    drag(page, (0.1, 0.1), (0.3, 0.5))
    page.keyboard.press("1")
    page.wait_for_timeout(100)
    page.keyboard.press("Enter")
    delivered(page, 1)
    before = DrawnBox.objects.get()
    page.wait_for_selector(LAYER)
    expect(page.locator(".wb__tag")).to_have_count(0)
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector('#workbench[data-state="correcting"] .wb__tag')
    page.keyboard.press(".")
    page.keyboard.press("2")
    page.keyboard.press("Space")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    for _ in range(100):
        if DrawnBox.objects.filter(is_current=True).count() == 2:
            break
        page.wait_for_timeout(100)
    first, second = DrawnBox.objects.filter(is_current=True).order_by("number")
    assert (first.label.name, first.response_ms, first.null_reason) == ("dog", before.response_ms, "")
    assert (second.label.name, second.response_ms, second.null_reason) == ("dog", None, "revisited")
    assert DrawnBox.objects.get(pk=before.pk).is_current is False


def test_the_network_cut_during_a_drawing_costs_no_box_and_no_time(workbench):
    page = workbench
    page.wait_for_timeout(250)
    page.context.set_offline(True)
    drag(page, (0.1, 0.1), (0.3, 0.5), wait_ms=100)
    page.keyboard.press("1")
    page.wait_for_timeout(200)
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 answer waiting for the network")).to_be_visible()
    page.wait_for_selector(LAYER)
    page.wait_for_timeout(200)
    page.keyboard.press("Enter")
    page.context.set_offline(False)
    trials = delivered(page, 2)
    assert [trial.boxes.count() for trial in trials[:2]] == [1, 0]
    box = DrawnBox.objects.get()
    assert box.null_reason == ""
    assert box.response_ms > 300
    assert EventBatch.objects.filter(trial=trials[0]).count() == 1


def test_a_drawing_outlives_a_reload_but_has_no_times_then(workbench):
    page = workbench
    drag(page, (0.1, 0.1), (0.3, 0.5))
    page.keyboard.press("1")
    expect(page.locator(".wb__tag")).to_have_text("cat")
    page.reload()
    page.wait_for_selector(LAYER)
    expect(page.locator(".wb__tag")).to_have_text("cat")
    page.keyboard.press("Enter")
    trial = delivered(page, 1)[0]
    box = DrawnBox.objects.get(trial=trial)
    assert (box.response_ms, box.null_reason) == (None, "resumed")


def test_fingers_draw(browser, live_server, scenes, annotator_user):
    context = browser.new_context(viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True)
    context.add_cookies([session_cookie(annotator_user, live_server.url)])
    page = context.new_page()
    page.goto(f"{live_server.url}/projects/scenes/label/")
    page.wait_for_selector(LAYER)
    page.wait_for_timeout(250)
    box = page.locator(LAYER).bounding_box()
    touch = page.context.new_cdp_session(page)

    def finger(kind, x=None, y=None):
        points = [] if x is None else [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    finger("touchStart", 0.2, 0.2)
    for step in range(1, 6):
        finger("touchMove", 0.2 + 0.1 * step, 0.2 + 0.1 * step)
        page.wait_for_timeout(50)  # faster, and Chromium takes it for a flick and swallows the next tap
    finger("touchEnd")
    page.wait_for_selector(".wb__tag.is-unnamed")
    page.locator('[data-code="1"]').tap()
    expect(page.locator(".wb__tag")).to_have_text("dog")
    page.get_by_role("button", name="Done: 1 box").tap()
    trial = delivered(page, 1)[0]
    drawn = DrawnBox.objects.get(trial=trial)
    assert drawn.shares == pytest.approx((0.2, 0.2, 0.5, 0.5), abs=0.02)
    assert (drawn.drawn_by, drawn.null_reason, drawn.label.name) == ("touch", "", "dog")
    context.close()


def test_an_object_that_is_judged_is_brought_close_and_back(page, live_server, sign_in, manager, annotator_user):
    project = factories.make_project(
        "Parts", classes=["cat", "dog"], manager=manager, annotators=[annotator_user], unit="object"
    )
    items = factories.make_items(project, 2, size=(400, 200))
    Item.objects.filter(pk__in=[item.pk for item in items]).update(
        box_x=0.7, box_y=0.6, box_width=0.1, box_height=0.2, path="x#1"
    )  # fmt: skip
    sign_in(annotator_user)
    page.goto(f"{live_server.url}/projects/parts/label/")
    page.wait_for_selector('#workbench[data-state="open"][data-task="choose"]')
    frame, stage = page.locator('[data-part="box"]'), page.locator('[data-part="stage"]').bounding_box()
    before = frame.bounding_box()
    page.keyboard.press("*")
    button = page.get_by_role("button", name="Closer")
    expect(button).to_have_attribute("aria-pressed", "true")
    close = frame.bounding_box()
    # The object fills the stage but for .35 of its sides around it.
    shown = max(close["width"] / stage["width"], close["height"] / stage["height"])
    assert shown == pytest.approx(1 / 1.7, abs=0.02)
    # It stays so with the next image.
    page.wait_for_timeout(200)
    page.keyboard.press("1")
    trial = delivered(page, 1)[0]
    assert {"zoom", "adjusted"} <= set(trial.flags)
    assert trial.response_ms is not None
    page.wait_for_selector('#workbench[data-state="open"]')
    assert frame.bounding_box() == pytest.approx(close, abs=1)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert frame.bounding_box() == pytest.approx(before, abs=1)
