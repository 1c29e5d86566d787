"""A robot of known speed in a real Chromium, and the browser's own trace as the truth about it.

Trace events carry the system's monotonic clock. They follow a frame from the page's own work through commit, activation
and submission to the screen, and `InputLatency::KeyDown` says when the browser received a key: from the frame's
presentation to the key is what a response time has to be. The page is tied to the trace by a mark that is set when an
image is put into it: the first work of the page that ended after it made the frame with the image. (The first frame
*displayed* after the mark may be an earlier one still on its way: on a busy machine that truth is a frame off.)
"""

from __future__ import annotations

import math
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

CATEGORIES = ["blink.user_timing", "benchmark", "latencyInfo", "cc"]
MARK = "image-placed"
MAIN_THREAD = "ProxyMain::BeginMainFrame"
COMMITTED, ACTIVATED = "EndCommitToActivation", "Activation"
SUBMITTED = "SubmitCompositorFrameToPresentationCompositorFrame"

WATCH = """
addEventListener("DOMContentLoaded", () => {
  const picture = document.querySelector('[data-part="picture"]');
  if (!picture) return;
  new MutationObserver((changes) => {
    const added = changes.flatMap((change) => [...change.addedNodes]);
    if (added.some((node) => node.nodeName === "IMG")) {
      performance.mark("image-placed");
      performance.clearMarks(); // the trace has it; the page shall not keep it
    }
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

    def onsets(self) -> list[float | None]:
        """Return when each image that was put into the page reached the screen; None where the trace does not say."""
        marks = sorted(self._found(MARK, "IRX"), key=lambda e: e["ts"])
        if not marks:
            return []
        pid = marks[0]["pid"]
        worked = sorted((e["ts"], e["ts"] + e.get("dur", 0)) for e in self._found(MAIN_THREAD, "X", pid))
        committed, activated = self._stages(COMMITTED, "b", pid), self._stages(ACTIVATED, "e", pid)
        submitted, presented = self._stages(SUBMITTED, "b", pid), self._stages(SUBMITTED, "e", pid)

        def shown(time: float) -> float | None:
            # The commit begins before the page's work is said to be over, so its start is what it comes after.
            time, report = max(time, next((start for start, end in worked if end >= time), math.inf)), ""
            for stage in (committed, activated, submitted):
                time, report = next((each for each in stage if each[0] >= time), (math.inf, ""))
            return next((at / 1000 for at, of in presented if at >= time and of == report), None)

        return [shown(mark["ts"]) for mark in marks]

    def _found(self, name: str, phases: str, pid: int | None = None) -> list[dict[str, Any]]:
        return [e for e in self.events if e["name"] == name and e["ph"] in phases and pid in (None, e["pid"])]

    def _stages(self, name: str, phase: str, pid: int) -> list[tuple[float, str]]:
        """Return (time, report of a frame) of each begin or end of a stage. Reports' names are used again and again."""
        return sorted((e["ts"], e["id2"]["local"]) for e in self._found(name, phase, pid))


def press_keys(
    page: Any,
    keys: list[str],
    *,
    rng: random.Random,
    after_ms: tuple[int, int] = (250, 600),
    ready: str = '#workbench[data-state="open"]',
) -> None:
    """Label one image after the other, a random time after each can be answered (`ready`, a selector)."""
    for key in keys:
        page.wait_for_selector(ready)
        page.wait_for_timeout(rng.uniform(*after_ms))
        page.keyboard.down(key)
        page.wait_for_timeout(40)
        page.keyboard.up(key)


def true_response_ms(trace: Trace) -> list[float | None]:
    """Return, for each image put into the page, the time from its frame to the first key; None where there is none."""
    keys = trace.times("InputLatency::KeyDown", "b")
    onsets = trace.onsets()
    found: list[float | None] = []
    for i, onset in enumerate(onsets):
        later = [each for each in onsets[i + 1 :] if each is not None]
        until = later[0] if later else float("inf")
        pressed = [] if onset is None else [key for key in keys if onset < key < until]
        found.append(pressed[0] - onset if onset is not None and pressed else None)
    return found
