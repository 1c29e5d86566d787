"""What makes labelling pleasant: looking closely, going back and forth, a remark, a summary; and who hears it all."""

from __future__ import annotations

import pytest

from annotations.models import EventBatch, Trial
from tests.browser import wait_until
from tests.e2e.test_label import OPEN, delivered, digits, press, workbench  # noqa: F401
from tests.looks import shoot, violations

pytestmark = pytest.mark.django_db(transaction=True)

FRAME = '[data-part="frame"]'
PICTURE = '[data-part="picture"]'


def style(page, selector, name):
    return page.locator(selector).evaluate(f"(each) => each.style.{name}")


def test_wheel_keys_and_dragging_enlarge_and_move_the_image_and_the_next_one_is_plain(workbench):  # noqa: F811
    stage = workbench.locator('[data-part="stage"]').bounding_box()
    x, y = stage["x"] + stage["width"] / 4, stage["y"] + stage["height"] / 2
    workbench.mouse.move(x, y)
    workbench.mouse.wheel(0, -400)
    wait_until(workbench, "document.querySelector('[data-part=\"frame\"]').style.transform.includes('scale(2.2')")
    workbench.keyboard.press("-")
    workbench.keyboard.press("+")
    before = style(workbench, FRAME, "transform")
    workbench.mouse.down()
    workbench.mouse.move(x - 60, y - 20, steps=3)
    workbench.mouse.up()
    workbench.keyboard.press("Shift+ArrowRight")
    assert style(workbench, FRAME, "transform") != before
    assert Trial.objects.filter(state="answered").count() == 0, "looking closely is no answer"
    press(workbench, "1")
    workbench.wait_for_selector(OPEN)
    assert style(workbench, FRAME, "transform") == ""
    press(workbench, "2")
    first, second = delivered(workbench, 2)[:2]
    assert "zoom" in first.flags
    assert "zoom" not in second.flags
    assert first.response_ms > 150


def test_light_stays_for_the_next_image_and_is_written_down_for_both(workbench):  # noqa: F811
    workbench.get_by_role("button", name="View").click()
    workbench.get_by_label("Brightness").focus()
    for _ in range(3):
        workbench.keyboard.press("ArrowRight")
    workbench.get_by_role("group", name="View").get_by_role("button", name="Larger").focus()
    workbench.keyboard.press("}")
    assert style(workbench, PICTURE, "filter") == "brightness(130%) contrast(120%)"
    press(workbench, "1")
    press(workbench, "2")
    workbench.wait_for_selector(OPEN)
    workbench.keyboard.press("Home")
    assert style(workbench, PICTURE, "filter") == ""
    press(workbench, "3")
    press(workbench, "4")
    trials = delivered(workbench, 4)[:4]
    assert ["adjusted" in trial.flags for trial in trials] == [True, True, True, False]
    adjusted = [e for e in EventBatch.objects.get(trial=trials[1]).events if e["kind"] == "adjusted"]
    assert [(e["brightness"], e["contrast"]) for e in adjusted] == [(130, 120)]


def test_two_fingers_enlarge(workbench):  # noqa: F811
    fingers = """(apart) => {
      const stage = document.querySelector('[data-part="stage"]');
      stage.setPointerCapture = () => {};
      const { left, top } = stage.getBoundingClientRect();
      const send = (kind, pointerId, x) => stage.dispatchEvent(new PointerEvent(
        kind, { pointerId, pointerType: "touch", clientX: left + x, clientY: top + 100, bubbles: true }));
      send("pointerdown", 11, 200); send("pointerdown", 12, 300);
      send("pointermove", 12, 400);
      send("pointerup", 11, 200); send("pointerup", 12, 400);
    }"""
    workbench.evaluate(fingers)
    assert "scale(2)" in style(workbench, FRAME, "transform")


def test_undo_and_redo_go_one_step_each(workbench):  # noqa: F811
    press(workbench, "1")
    press(workbench, "2")
    workbench.wait_for_selector(OPEN)
    redo = workbench.get_by_role("button", name="Redo")
    assert redo.is_disabled()
    said = workbench.locator('[data-part="correcting"]')
    workbench.keyboard.press("Control+z")
    assert "You said: 1." in said.inner_text()
    workbench.keyboard.press("Control+z")
    assert "You said: 0." in said.inner_text()
    redo.click()
    assert "You said: 1." in said.inner_text()
    workbench.keyboard.press("Control+y")
    workbench.wait_for_selector(OPEN)
    assert [t.annotations.count() for t in delivered(workbench, 2)[:2]] == [1, 1]


def test_a_remark_goes_with_the_answer(workbench):  # noqa: F811
    workbench.keyboard.press(";")
    workbench.get_by_label("Your remark").fill("1 or 7?")
    workbench.keyboard.press("Enter")
    press(workbench, "1")
    press(workbench, "2")
    trials = delivered(workbench, 2)
    assert [t.comment for t in trials[:2]] == ["1 or 7?", ""]
    assert trials[0].annotations.get().label.code == 0


def test_what_a_screen_reader_says(workbench):  # noqa: F811
    said = workbench.get_by_role("status")
    assert said.inner_text() == "Image 1."
    press(workbench, "4")
    workbench.wait_for_selector(OPEN)
    assert said.inner_text() == "3 saved. Image 2."
    workbench.keyboard.press("ArrowLeft")
    assert "Back at image 1. You said: 3." in said.inner_text()


def test_a_break_sums_up_and_asks_for_nothing(workbench):  # noqa: F811
    for key in "123":
        press(workbench, key)
    workbench.wait_for_selector(OPEN)
    workbench.keyboard.press("Escape")
    summary = workbench.locator('[data-part="summary"]').inner_text().split("\n")
    figures = dict(zip(summary[::2], summary[1::2], strict=True))
    assert (figures["Labelled"], figures["Since the last break"], figures["Breaks"]) == ("3", "3", "1")
    assert violations(workbench) == []


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize("key", ["?", ";", "ArrowRight", "/"])
def test_axe_finds_nothing_with_a_dialog_open(workbench, width, theme, key):  # noqa: F811
    workbench.set_viewport_size({"width": width, "height": 844})
    workbench.emulate_media(color_scheme=theme)
    workbench.keyboard.press(key)
    if key != "/":
        workbench.locator("dialog[open]").wait_for()
    assert violations(workbench) == []
    shoot(workbench, f"dialog-{ord(key[0])}-{width}-{theme}")
    assert workbench.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("width", [1280, 390])
def test_the_panel_of_the_view_stands(workbench, width):  # noqa: F811
    workbench.set_viewport_size({"width": width, "height": 844})
    workbench.get_by_role("button", name="View").click()
    assert violations(workbench) == []
    shoot(workbench, f"view-{width}")
    assert workbench.evaluate("document.documentElement.scrollWidth") == width
