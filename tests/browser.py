"""The system's Chromium for tests, and signing a page in without the form.

Most tests run in Chromium's headless shell: the same engine, without tabs and windows, for three fifths of the work.
What hides a tab or measures frames has the whole browser (`tests.robot.plain_chromium`).
"""

from __future__ import annotations

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SHELL = "chromium-headless-shell"
FLAGS = [
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def chromium_path() -> str:
    """Return the system's Chromium (CHROMIUM names another); RuntimeError says what to install."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    raise RuntimeError("No Chromium found. Install it (Debian: apt-get install chromium) or name it in CHROMIUM.")


def shell_path() -> str:
    """Return Chromium's headless shell, of the same source; where there is none, Chromium itself."""
    return shutil.which(SHELL) or chromium_path()


def chromium_flags() -> list[str]:
    """Return the flags for a quiet headless browser; its sandbox does not work for root."""
    return [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else list(FLAGS)


def session_cookie(user, base_url: str) -> dict[str, str]:
    """Return the cookie of a session in which `user` is signed in, for Playwright's `context.add_cookies`."""
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return {
        "name": settings.SESSION_COOKIE_NAME,
        "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
        "url": base_url,
    }


def wait_until(page, expression):
    """Wait until it holds in the page. Playwright's own way looks again by `eval`, which the site's policy forbids."""
    for _ in range(500):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"It never came to {expression}.")
