"""The workbench in a real browser: what people do there, and what is stored of it."""

from __future__ import annotations

import pytest

from annotations.models import Annotation, Annotator, EventBatch, Item, Trial
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

OPEN = '#workbench[data-state="open"]'


@pytest.fixture
def digits(manager, annotator_user):
    project = factories.make_project(
        "Digits", classes=[str(i) for i in range(10)], manager=manager, annotators=[annotator_user], lookahead=3,
        guidelines="Say which digit you see.",
    )  # fmt: skip
    factories.make_items(project, 12)
    return project


@pytest.fixture
def workbench(page, live_server, sign_in, digits, annotator_user):
    """Return the page with the workbench open and its first image to be answered."""
    sign_in(annotator_user)
    page.goto(f"{live_server.url}/projects/digits/label/")
    page.wait_for_selector(OPEN)
    return page


def press(page, key, wait_ms=220):
    """Look for a while, then press and release the key."""
    page.wait_for_selector(OPEN)
    page.wait_for_timeout(wait_ms)
    page.keyboard.press(key)


def delivered(page, n):
    """Wait until the server has `n` answered or skipped trials; return all trials in the order they were shown."""
    for _ in range(100):
        trials = list(Trial.objects.order_by("position"))
        if sum(trial.state in ("answered", "skipped") for trial in trials) >= n:
            return trials
        page.wait_for_timeout(100)
    raise AssertionError(f"{n} answers were not delivered: {[trial.state for trial in trials]}")


def kinds(trial):
    return [event["kind"] for event in EventBatch.objects.get(trial=trial, is_correction=False).events]


def test_ten_digits_are_labelled_by_keys(workbench):
    for digit in range(10):
        press(workbench, "1234567890"[digit])
    trials = delivered(workbench, 10)[:10]
    labels = [t.annotations.get().label.code for t in trials]
    assert labels == list(range(10))
    assert all(150 < t.response_ms < 5000 for t in trials), [(t.response_ms, t.null_reason) for t in trials]
    assert all(t.download_ms > 0 and t.decode_ms and t.paint_ms > 0 and t.key_hold_ms > 0 for t in trials)
    assert all(5 < t.frame_ms < 120 for t in trials)
    assert [t.position for t in trials] == list(range(1, 11))
    assert workbench.locator('[data-part="count"]').inner_text() == "10 labelled"
    assert Annotator.objects.get().n_answered == 10


def test_clicks_and_the_second_half_of_a_double_click(workbench):
    workbench.wait_for_timeout(220)
    workbench.locator('[data-code="4"]').dblclick()
    trials = delivered(workbench, 1)
    workbench.wait_for_timeout(300)
    assert Annotation.objects.count() == 1
    assert trials[0].annotations.get().label.code == 4
    assert {"pointer_down", "pointer_up", "decision"} <= set(kinds(trials[0]))
    assert trials[0].key_hold_ms > 0


def test_undo_corrects_the_last_answer_and_the_image_in_between_loses_its_time(workbench):
    press(workbench, "1")
    workbench.wait_for_selector(OPEN)
    workbench.keyboard.press("ArrowLeft")
    workbench.wait_for_selector('#workbench[data-state="correcting"]')
    assert "You said: 0." in workbench.locator('[data-part="correcting"]').inner_text()
    assert workbench.locator('[data-code="0"]').get_attribute("aria-pressed") == "true"
    workbench.keyboard.press("3")
    press(workbench, "2")
    first, second, *_ = delivered(workbench, 2)
    assert [(a.label.code, a.is_current) for a in first.annotations.order_by("pk")] == [(0, False), (2, True)]
    assert first.response_ms > 150
    assert (second.response_ms, second.null_reason) == (None, "revisited")


def test_skip_asks_why_and_the_item_does_not_come_back(workbench):
    workbench.keyboard.press("ArrowRight")
    workbench.get_by_label("A remark").fill("two digits")
    workbench.get_by_role("button", name="No class fits").click()
    trial = delivered(workbench, 1)[0]
    assert (trial.state, trial.skip_reason, trial.comment) == ("skipped", "no_class_fits", "two digits")
    assert (trial.response_ms, trial.null_reason) == (None, "skipped")
    item = Item.objects.get(pk=trial.item_id)
    assert (item.taken, item.skipped) == (0, 1)


def test_a_held_key_labels_once(workbench):
    workbench.wait_for_timeout(220)
    for _ in range(30):
        workbench.keyboard.down("5")  # the first is a press, the others are repeats
        workbench.wait_for_timeout(20)
    workbench.keyboard.up("5")
    delivered(workbench, 1)
    workbench.wait_for_timeout(300)
    assert Annotation.objects.count() == 1
    press(workbench, "5")
    trials = delivered(workbench, 2)
    assert "repeat" in trials[1].flags


TWO_KEYS_IN_ONE_FRAME = """() => {
  for (const [code, key] of [["Digit1", "1"], ["Digit2", "2"]]) {
    for (const kind of ["keydown", "keyup"]) dispatchEvent(new KeyboardEvent(kind, { key, code, bubbles: true }));
  }
}"""


def test_a_key_before_the_next_image_can_be_seen_is_no_label(workbench):
    workbench.wait_for_timeout(220)
    workbench.evaluate(TWO_KEYS_IN_ONE_FRAME)
    press(workbench, "3")
    first, second, *_ = delivered(workbench, 2)
    assert [t.annotations.get().label.code for t in (first, second)] == [0, 2]
    assert "early_key" not in first.flags
    assert "early_key" in second.flags
    assert (second.null_reason, second.response_ms > 150) == ("", True)


def test_a_key_while_the_image_is_still_fetched_is_no_label(page, live_server, sign_in, digits, annotator_user):
    waiting, held = [], True
    page.route("**/image", lambda route: waiting.append(route) if held else route.continue_())
    sign_in(annotator_user)
    page.goto(f"{live_server.url}/projects/digits/label/")
    while not waiting:
        page.wait_for_timeout(50)
    page.keyboard.press("1")
    page.keyboard.press("2")
    assert not Trial.objects.filter(state="answered").exists()
    held = False
    for route in waiting:
        route.continue_()
    press(page, "3")
    trial = delivered(page, 1)[0]
    assert trial.annotations.get().label.code == 2
    assert "early_key" in trial.flags
    assert trial.response_ms > 150


def test_a_key_that_is_no_answer_gives_none(workbench):
    for key in ("a", "Enter", "Control+1", "F2"):
        workbench.keyboard.press(key)
    workbench.wait_for_timeout(300)
    assert not Annotation.objects.exists()


def test_a_reload_goes_on_with_the_same_image_without_its_time_and_the_others_keep_theirs(workbench):
    workbench.wait_for_timeout(200)
    before = list(Trial.objects.order_by("position").values_list("pk", flat=True))
    workbench.reload()
    for key in "123":
        press(workbench, key)
    trials = delivered(workbench, 3)
    assert [t.pk for t in trials][:3] == before[:3]
    assert [(t.null_reason, t.times_issued) for t in trials][:3] == [("resumed", 2), ("", 2), ("", 2)]


def test_a_lost_network_and_a_closed_tab_lose_nothing(workbench, live_server):
    context = workbench.context
    press(workbench, "1")
    delivered(workbench, 1)
    context.set_offline(True)
    press(workbench, "2")
    press(workbench, "3")
    line = workbench.locator('[data-part="network"]')
    line.wait_for(state="visible")
    assert "2 answers waiting for the network" in line.inner_text()
    workbench.wait_for_timeout(500)
    workbench.close()
    assert Annotation.objects.count() == 1

    context.set_offline(False)
    again = context.new_page()
    again.goto(f"{live_server.url}/projects/digits/label/")
    again.wait_for_selector(OPEN)
    trials = delivered(again, 3)
    assert [t.annotations.get().label.code for t in trials[:3]] == [0, 1, 2]
    assert all(t.response_ms for t in trials[:3])
    assert Annotation.objects.count() == 3


@pytest.mark.long(seconds=25)
def test_two_hundred_labels_with_the_network_cut_twice(page, live_server, sign_in, annotator_user, manager):
    project = factories.make_project("Many", manager=manager, annotators=[annotator_user], lookahead=20)
    factories.make_items(project, 200)
    sign_in(annotator_user)
    fetched = []
    page.on("requestfinished", lambda request: request.url.endswith("/image") and fetched.append(request.url))
    page.goto(f"{live_server.url}/projects/many/label/")
    for number in range(200):
        if number in (60, 130):
            # The one on the screen and twenty ahead are there before the cut, however slow the machine.
            while len(set(fetched)) < number + 21:
                page.wait_for_timeout(20)
            page.context.set_offline(True)
        if number in (75, 142):
            page.context.set_offline(False)
        press(page, "12"[number % 2], wait_ms=0)
    trials = delivered(page, 200)
    assert [t.annotations.get().label.code for t in trials] == [0, 1] * 100
    assert len({t.item_id for t in trials}) == 200
    page.get_by_role("heading", name="That was all for now").wait_for()


def test_a_second_tab_waits_until_it_is_wanted(workbench, live_server):
    second = workbench.context.new_page()
    second.goto(f"{live_server.url}/projects/digits/label/")
    second.get_by_role("heading", name="You are labelling in another tab").wait_for()
    second.get_by_role("button", name="Label here instead").click()
    second.wait_for_selector(OPEN)
    workbench.get_by_role("heading", name="You are labelling in another tab").wait_for()
    press(second, "1")
    trial = delivered(second, 1)[0]
    assert (trial.response_ms, trial.null_reason) == (None, "resumed")


def test_the_end_says_so_and_leads_to_the_own_progress(workbench):
    for _ in range(12):
        press(workbench, "1")
    workbench.get_by_role("heading", name="That was all for now").wait_for()
    delivered(workbench, 12)
    workbench.get_by_role("link", name="Your progress").click()
    workbench.get_by_role("heading", name="Your progress").wait_for()
    assert "of at most 12" in workbench.locator("main").inner_text()


def test_a_phone_labels_by_touch(browser, live_server, digits, annotator_user):
    from tests.browser import session_cookie

    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    try:
        context.add_cookies([session_cookie(annotator_user, live_server.url)])
        page = context.new_page()
        page.goto(f"{live_server.url}/projects/digits/label/")
        page.wait_for_selector(OPEN)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        smallest = page.evaluate("Math.min(...[...document.querySelectorAll('[data-code]')].map(b => b.offsetHeight))")
        assert smallest >= 44
        page.wait_for_timeout(220)
        page.locator('[data-code="7"]').tap()
        trial = delivered(page, 1)[0]
        assert trial.annotations.get().label.code == 7
        assert trial.response_ms > 150
        events = EventBatch.objects.get(trial=trial).events
        assert next(e for e in events if e["kind"] == "decision")["by"] == "touch"
    finally:
        context.close()
