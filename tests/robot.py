"""A robot of known speed in a real Chromium, and the browser's own trace as the truth about it.

Trace events carry the system's monotonic clock. They follow a frame from the page's own work through commit, activation
and submission to the screen, and `InputLatency::KeyDown` says when the browser received a key: from the frame's
presentation to the key is what a response time has to be. The page is tied to the trace by a mark that is set when an
image is put into it: the first work of the page that ended after it made the frame with the image, and the report of
that very frame says when it was presented. (Neither the first frame *displayed* after the mark nor the next *commit*
need be its own: on a busy machine an earlier frame may still be on its way, and that truth is a frame off.)
A frame that was dropped, or whose report is not plain, gives no truth.
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
REPORT, MAIN = "PipelineReporter", "SendBeginMainFrameToCommit"
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
        frames = self._frames(pid)

        def shown(time: float) -> float | None:
            time = max(time, next((start for start, end in worked if end >= time), math.inf))
            made = [frame for frame in frames if frame["asked"] <= time < frame["committed"]]
            return made[0]["presented"] / 1000 if len(made) == 1 else None

        return [shown(mark["ts"]) for mark in marks]

    def _frames(self, pid: int) -> list[dict[str, float]]:
        """Return when the page was asked for each frame that was presented, when it was committed, and presented.

        Reports' names are used again and again: what is said under a name belongs to the report that began last.
        """
        reports: dict[str, list[dict[str, float]]] = {}
        for event in sorted(self._found(REPORT, "b", pid), key=lambda e: e["ts"]):
            is_shown = event["args"]["frame_reporter"]["state"] == "STATE_PRESENTED_ALL"
            reports.setdefault(event["id2"]["local"], []).append({"began": event["ts"], "is_shown": is_shown})
        for name, phase, what in ((MAIN, "b", "asked"), (MAIN, "e", "committed"), (SUBMITTED, "e", "presented")):
            for event in self._found(name, phase, pid):
                # Events of keys have stages of the same names, mostly under names of their own; where they share one,
                # the page may seem to have been asked a moment before the report began.
                latest = event["ts"] + (1000 if what == "asked" else 0)
                own = [each for each in reports.get(event["id2"]["local"], []) if each["began"] <= latest]
                if own:
                    own[-1][what] = event["ts"]
        needed = {"asked", "committed", "presented"}
        return [each for own in reports.values() for each in own if each["is_shown"] and needed <= each.keys()]

    def _found(self, name: str, phases: str, pid: int | None = None) -> list[dict[str, Any]]:
        return [e for e in self.events if e["name"] == name and e["ph"] in phases and pid in (None, e["pid"])]


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
