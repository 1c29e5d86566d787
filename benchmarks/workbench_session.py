"""What a long session costs the browser: memory over 500 labels, and frames left out at a key.

A robot labels in a real Chromium. Memory is read after a forced collection: the script's heap, DOM nodes (those that
hang nowhere too), listeners. Frames are those of the trace of the last labels: how long from the key until the next
image was presented, beside what no page can beat: the wait for the next frame, and the time that a frame itself takes.

    python benchmarks/workbench_session.py --labels 500
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.timing_robot import FRAME_MS, KEYS, make_items, photographs, serve

OPEN = '#workbench[data-state="open"]'
PACE_MS = (60, 160)
ATTACHED = """() => {
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_ALL);
  let n = 1;
  while (walker.nextNode()) n += 1;
  return n;
}"""


def memory(page: Any, session: Any) -> dict[str, float]:
    """Return heap (KB), DOM nodes, those outside the document, and listeners, after a collection."""
    page.wait_for_timeout(600)
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return {
        "heap_kb": metrics["JSHeapUsedSize"] / 1024,
        "nodes": metrics["Nodes"],
        "detached": metrics["Nodes"] - page.evaluate(ATTACHED),
        "listeners": metrics["JSEventListeners"],
    }


def slope(labels: list[int], values: list[float]) -> float:
    """Return the least-squares slope of values over labels."""
    return statistics.linear_regression(labels, values).slope


def frames_at_keys(trace: Any) -> tuple[list[float], list[float], float]:
    """Return ms from each key to its next image, ms from placing that image to its presentation, and the limit's mean.

    The limit: half a frame until the next one begins, and the median time that a frame of this page takes.
    """
    keys = trace.times("InputLatency::KeyDown", "b")
    marks = trace.times("image-placed", "IRX")
    latencies, paints = [], []
    for mark, shown in zip(marks, trace.onsets(), strict=True):
        before = [key for key in keys if key <= mark]
        if before and shown is not None:
            latencies.append(shown - before[-1])
            paints.append(shown - mark)
    return latencies, paints, FRAME_MS / 2 + min(paints, default=0.0)


def session(playwright: Any, site: str, n: int, every: int, traced: int) -> None:
    """Label `n` images and print what it cost."""
    from tests import factories
    from tests.browser import session_cookie
    from tests.robot import WATCH, Trace, plain_chromium, press_keys

    user = factories.make_user()
    project = factories.make_project(annotators=[user], classes=list(KEYS))
    make_items(project, photographs(n + traced + 10))
    rng = random.Random(2)
    with plain_chromium(playwright.chromium) as chromium:
        chromium.contexts[0].add_cookies([session_cookie(user, site)])
        page = chromium.contexts[0].pages[0]
        page.add_init_script(WATCH)
        page.goto(f"{site}/projects/{project.slug}/label/")
        page.bring_to_front()
        cdp = page.context.new_cdp_session(page)
        cdp.send("Performance.enable")
        labels, found = [], []
        for done in range(0, n + 1, every):
            if done:
                press_keys(page, [KEYS[i % 10] for i in range(every)], rng=rng, after_ms=PACE_MS)
            labels.append(done)
            found.append(memory(page, cdp))
            words = "  ".join(f"{name} {value:,.0f}" for name, value in found[-1].items())
            print(f"{done:>5} labels: {words}", flush=True)
        with Trace(chromium, page) as trace:
            press_keys(page, [KEYS[i % 10] for i in range(traced)], rng=rng, after_ms=(150, 400))
            page.wait_for_timeout(1000)
    # The first stretch fills what is kept on purpose: the images that can be gone back to, and those ahead.
    kept = {name: [each[name] for each in found[1:]] for name in found[0]}
    print("slope a label, after the first stretch:", end="")
    print("".join(f"  {name} {slope(labels[1:], values):+.3f}" for name, values in kept.items()))
    latencies, paints, limit = frames_at_keys(trace)
    ordered = sorted(latencies)
    within = sum(each <= FRAME_MS + min(paints) for each in latencies)
    print(
        f"key to next image on screen, {len(ordered)} keys: median {statistics.median(ordered):.1f} ms, "
        f"95 % {ordered[int(0.95 * (len(ordered) - 1))]:.1f}, most {ordered[-1]:.1f}; physical limit {limit:.1f} ms on "
        f"average (half a frame of {FRAME_MS:.1f} ms, and {min(paints):.1f} ms that a frame takes at least)"
    )
    print(f"in the first frame after the key: {within} of {len(ordered)}")


def main() -> None:
    """Print memory at every hundredth label, its slope, and the frames at a key."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labels", type=int, default=500)
    parser.add_argument("--every", type=int, default=100)
    parser.add_argument("--traced", type=int, default=40)
    options = parser.parse_args()
    thread = serve()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        site = f"http://{thread.host}:{thread.port}"
        session(playwright, site, options.labels, options.every, options.traced)
    thread.terminate()


if __name__ == "__main__":
    main()
