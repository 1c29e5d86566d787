"""What a response time is worth, in a Chromium that can hide its tabs, against the browser's own trace."""

from __future__ import annotations

import random
import statistics

import pytest

from annotations.models import Trial
from tests import factories
from tests.browser import session_cookie
from tests.e2e.test_label import OPEN, delivered, press
from tests.robot import WATCH, Trace, plain_chromium, press_keys, true_response_ms

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tab(browser, live_server, manager, annotator_user):
    """Return (browser, page) with the workbench of ten classes open, in a Chromium without emulation."""
    project = factories.make_project(
        "Digits", classes=[str(i) for i in range(10)], manager=manager, annotators=[annotator_user]
    )
    factories.make_items(project, 20)
    with plain_chromium(browser.browser_type) as chromium:
        context = chromium.contexts[0]
        context.add_cookies([session_cookie(annotator_user, live_server.url)])
        page = context.pages[0]
        page.add_init_script(WATCH)
        page.goto(f"{live_server.url}/projects/digits/label/")
        page.wait_for_selector(OPEN)
        yield chromium, page


def test_a_robot_of_known_speed_is_timed_within_a_frame(tab):
    chromium, page = tab
    press(page, "1")  # the page is warm; the next image's frame falls into the trace
    page.wait_for_timeout(100)
    page.wait_for_selector(OPEN)
    press(page, "1")
    with Trace(chromium, page) as trace:
        press_keys(page, ["2"] * 9, rng=random.Random(7))
    recorded = [t.response_ms for t in delivered(page, 11) if t.state == "answered"][3:]
    true = true_response_ms(trace)
    errors = [r - t for r, t in zip(recorded, true[-len(recorded) :], strict=True)]
    assert abs(statistics.median(errors)) <= 8, errors
    assert sum(abs(error) <= 17 for error in errors) >= len(errors) - 1, errors


def test_a_hidden_tab_gives_no_time_and_the_next_image_does(tab):
    chromium, page = tab
    other = chromium.contexts[0].new_page()
    other.bring_to_front()
    other.wait_for_timeout(300)
    assert page.evaluate("document.hidden") is True
    page.bring_to_front()
    page.wait_for_timeout(300)
    press(page, "1")
    press(page, "2")
    first, second, *_ = delivered(page, 2)
    assert (first.response_ms, first.null_reason) == (None, "hidden")
    assert "hidden" in first.flags
    assert first.paid_ms > 300
    assert second.response_ms is not None
    assert not Trial.objects.filter(response_ms=0).exists()
