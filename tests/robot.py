"""A robot of known speed in a real Chromium, and the browser's own trace as the truth about it.

Trace events carry the system's monotonic clock. `Display::FrameDisplayed` says when a frame reached the screen, and
`InputLatency::KeyDown` when the browser received a key: their difference is what a response time has to be. The page is
tied to the trace by a mark that it sets in the animation frame in which an image is first painted.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.browser import chromium_flags, chromium_path

CATEGORIES = ["blink.user_timing", "viz", "benchmark", "latencyInfo", "input", "cc"]

WATCH = """
addEventListener("DOMContentLoaded", () => {
  const picture = document.querySelector('[data-part="picture"]');
  if (!picture) return;
  new MutationObserver((changes) => {
    if (!changes.some((change) => change.addedNodes.length > 0)) return;
    requestAnimationFrame(() => performance.mark("image-frame"));
  }).observe(picture, { childList: true });
});
"""


@contextmanager
def plain_chromium(chromium: Any) -> Iterator[Any]:
    """Yield a browser of Playwright's type `chromium`, started by us.

    Playwright's own launch emulates focus: its tabs can never be hidden.
    """
    with tempfile.TemporaryDirectory() as profile:
        flags = [*chromium_flags(), "--remote-debugging-port=0", f"--user-data-dir={profile}"]
        process = subprocess.Popen(
            [chromium_path(), *flags, "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield chromium.connect_over_cdp(_address(Path(profile)), no_defaults=True)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)
            time.sleep(0.3)


def _address(profile: Path) -> str:
    port_file = profile / "DevToolsActivePort"
    for _ in range(200):
        if port_file.exists() and (text := port_file.read_text().strip()):
            return f"http://127.0.0.1:{text.split()[0]}"
        time.sleep(0.1)
    raise RuntimeError("Chromium did not start.")


class Trace:
    """Records the browser's trace between entering and leaving; times are ms on the system's monotonic clock."""

    def __init__(self, browser: Any, page: Any) -> None:
        self.session = browser.new_browser_cdp_session()
        self.page = page
        self.events: list[dict[str, Any]] = []
        self.complete = False
        self.session.on("Tracing.dataCollected", lambda message: self.events.extend(message["value"]))
        self.session.on("Tracing.tracingComplete", lambda _: setattr(self, "complete", True))

    def __enter__(self) -> Trace:
        config = {"includedCategories": CATEGORIES, "recordMode": "recordUntilFull"}
        self.session.send("Tracing.start", {"transferMode": "ReportEvents", "traceConfig": config})
        return self

    def __exit__(self, *_: object) -> None:
        self.session.send("Tracing.end")
        while not self.complete:
            self.page.wait_for_timeout(50)

    def times(self, name: str, phases: str = "IRXb") -> list[float]:
        return sorted(e["ts"] / 1000 for e in self.events if e["name"] == name and e["ph"] in phases)


def press_keys(page: Any, keys: list[str], *, rng: random.Random, after_ms: tuple[int, int] = (250, 600)) -> None:
    """Label one image after the other, a random time after each can be answered."""
    for key in keys:
        page.wait_for_selector('#workbench[data-state="open"]')
        page.wait_for_timeout(rng.uniform(*after_ms))
        page.keyboard.down(key)
        page.wait_for_timeout(40)
        page.keyboard.up(key)


def true_response_ms(trace: Trace) -> list[float]:
    """Return, for each image that was painted and answered in the trace, the time from its frame to the key."""
    frames = trace.times("Display::FrameDisplayed")
    keys = trace.times("InputLatency::KeyDown", "b")
    onsets = [next(t for t in frames if t >= mark) for mark in trace.times("image-frame") if frames[-1] >= mark]
    found = []
    for i, onset in enumerate(onsets):
        until = onsets[i + 1] if i + 1 < len(onsets) else float("inf")
        pressed = [key for key in keys if onset < key < until]
        if pressed:
            found.append(pressed[0] - onset)
    return found
