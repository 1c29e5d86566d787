"""A real Chromium; `tests.robot.plain_chromium` has tabs that hide each other.

`live_server` (pytest-django) serves the test's own database; `live_site` is the whole `serve`:

def test_label(page, live_server, sign_in, project, annotator_user):
    sign_in(annotator_user)
    page.goto(f"{live_server.url}/projects/pets/label/")
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser import chromium_flags, session_cookie, shell_path


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Return the system's Chromium without tabs and windows, driven by Playwright; one for all tests."""
    from playwright.sync_api import sync_playwright

    # Playwright's loop runs in this thread, where Django would refuse the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shell_path(), args=chromium_flags())
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser) -> Iterator[Any]:
    """Return a page in a fresh context, 1280 x 800. An error in the page's scripts fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    opened = context.new_page()
    opened.set_default_timeout(30_000)  # on two busy cores a page can take long
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on(
        "console",
        lambda message: errors.append(message.text) if "Content Security Policy" in message.text else None,
    )
    yield opened
    context.close()
    assert errors == []


@pytest.fixture
def sign_in(page, live_server) -> Callable[[Any], None]:
    """Return `sign_in(user)`, which signs the page in at `live_server`."""
    return lambda user: page.context.add_cookies([session_cookie(user, live_server.url)])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder."""
    for item in items:
        if "tests/e2e/" in item.nodeid:
            item.add_marker(pytest.mark.e2e)
