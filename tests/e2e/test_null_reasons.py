"""Each thing that can happen in a browser and cost a response time, done in a real one.

`hidden` is in test_label_timing.py, `resumed`, `revisited` and `skipped` are in test_label.py, `out_of_time` in
test_label_protocol.py, `searched` in test_class_picker.py, `interleaved` in
test_drawing.py. What only a forged or broken submission can cause is done to
the request on its way. The last test says that none is left out.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from annotations.models import EventBatch
from annotations.timing import Reason
from tests import factories
from tests.browser import wait_until
from tests.e2e.test_label import OPEN, delivered, press

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def label(page, live_server, sign_in, manager, annotator_user):
    """Return `label(**settings)`, which opens the workbench of a project with these settings."""

    def start(**settings):
        project = factories.make_project("Pets", manager=manager, annotators=[annotator_user], **settings)
        factories.make_items(project, 8)
        sign_in(annotator_user)
        page.goto(f"{live_server.url}/projects/pets/label/")
        page.wait_for_selector(OPEN)
        return page

    return start


def answered(page):
    """Answer the image on the screen and the one after it; return both trials."""
    press(page, "1")
    press(page, "2")
    return delivered(page, 2)[:2]


def assert_only_first_lost_its_time(trials, reason):
    first, second = trials
    assert (first.response_ms, first.null_reason) == (None, reason)
    assert first.annotations.get().label.code == 0
    assert (second.null_reason, second.response_ms is not None) == ("", True)


def test_another_window_has_the_keyboard(label):
    page = label()
    page.evaluate("dispatchEvent(new Event('blur'))")
    page.wait_for_timeout(180)
    page.evaluate("dispatchEvent(new Event('focus'))")
    trials = answered(page)
    assert_only_first_lost_its_time(trials, Reason.BLURRED)
    assert trials[0].paid_ms > 180


@pytest.mark.parametrize("key", ["?", ";", "ArrowRight"])
def test_a_dialog_has_the_keyboard(label, key):
    page = label()
    page.wait_for_timeout(250)
    page.keyboard.press(key)
    page.wait_for_timeout(180)
    page.keyboard.press("Escape")
    trials = answered(page)
    assert_only_first_lost_its_time(trials, Reason.BLURRED)
    assert "aside" in trials[0].flags
    assert trials[0].censored_at_ms > 150


def test_nobody_does_anything_for_a_while(label):
    page = label(idle_ms=400)
    page.wait_for_timeout(700)
    trials = answered(page)
    assert_only_first_lost_its_time(trials, Reason.IDLE)
    at = {event["kind"]: event["t"] for event in EventBatch.objects.get(trial=trials[0]).events}
    assert trials[0].censored_at_ms == pytest.approx(at["idle"] - at["onset"], abs=0.002)
    assert 300 < trials[0].censored_at_ms < trials[0].paid_ms - 150


def test_the_computer_slept(label):
    page = label()
    page.evaluate("(() => { const now = Date.now; Date.now = () => { window.asked = true; return now() + 30000 } })()")
    wait_until(page, "window.asked")
    assert_only_first_lost_its_time(answered(page), Reason.SUSPENDED)


def test_an_answer_faster_than_anybody_can_be(label):
    page = label(floor_ms=1500)
    press(page, "1")
    press(page, "2", wait_ms=1600)
    assert_only_first_lost_its_time(delivered(page, 2)[:2], Reason.TOO_FAST)


def test_a_clock_that_goes_back_is_not_believed_again(label):
    page = label()
    page.evaluate("(() => { const now = performance.now.bind(performance); performance.now = () => now() - 5000 })()")
    first, _ = answered(page)
    assert (first.response_ms, first.null_reason, first.paid_ms) == (None, Reason.CLOCK_BACK, None)
    assert first.annotations.get().label.code == 0


def test_a_break_is_a_second_visit(label):
    page = label()
    page.wait_for_timeout(220)
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="A break").wait_for()
    page.keyboard.press("Escape")
    assert_only_first_lost_its_time(answered(page), Reason.REVISITED)


def test_a_lost_network_is_recorded_and_costs_no_time(label):
    page = label()
    page.context.set_offline(True)
    page.wait_for_timeout(220)
    page.keyboard.press("1")
    page.context.set_offline(False)
    trial = delivered(page, 1)[0]
    assert "offline" in trial.flags
    assert trial.response_ms > 150


def without(kind):
    return lambda body: body | {"events": [e for e in body["events"] if e["kind"] != kind]}


def moved(kind, ms):
    return lambda body: body | {"events": [e | {"t": e["t"] + ms * (e["kind"] == kind)} for e in body["events"]]}


def with_event(**event):
    return lambda body: body | {"events": [*body["events"], {"t": body["events"][-1]["t"], **event}]}


FORGED = [
    (Reason.MISSING_EVENTS, without("decision")),
    (Reason.NO_ONSET, without("onset")),
    (Reason.OUT_OF_ORDER, moved("decision", -60_000)),
    (Reason.IMPLAUSIBLE_SPAN, moved("decision", 3_600_000)),
    (Reason.ASSISTED, with_event(kind="assisted")),
    (Reason.OTHER_TAB, lambda body: body | {"session": "the-tab-of-another"}),
]


@pytest.mark.parametrize(("reason", "forge"), FORGED, ids=[str(reason) for reason, _ in FORGED])
def test_a_submission_that_was_tampered_with_keeps_its_label_and_loses_its_time(label, reason, forge):
    page = label()

    def tamper(route):
        route.continue_(post_data=json.dumps(forge(json.loads(route.request.post_data))))

    page.route("**/answer", tamper, times=1)
    assert_only_first_lost_its_time(answered(page), reason)


def test_every_reason_is_caused_in_a_browser():
    words = "".join(path.read_text() for path in Path(__file__).parent.glob("test_label*.py"))
    for name in ("test_null_reasons.py", "test_class_picker.py", "test_drawing.py"):
        words += Path(__file__).with_name(name).read_text()
    missing = [each for each in Reason if f"Reason.{each.name}" not in words and f'"{each}"' not in words]
    assert missing == []
