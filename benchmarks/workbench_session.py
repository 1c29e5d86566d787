"""What a long session costs the browser: memory over 500 labels, and frames left out at a key.

A robot labels in a real Chromium. Memory is read after a forced collection: the script's heap, DOM nodes (those that
hang nowhere too), listeners; two snapshots of the heap say whose the bytes are that were added. Frames are those of the
trace of the last labels: how long from the key until the next image was presented, beside a page that does nothing but
put the next decoded image in the place of the last one. The same robot presses the keys of both, in turns.

    python benchmarks/workbench_session.py --labels 500
    python benchmarks/workbench_session.py --labels 0       # the frames alone
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.timing_robot import FRAME_MS, KEYS, make_items, photographs, serve

OPEN = '#workbench[data-state="open"]'
PACE_MS = (60, 160)
WARM_UP = 20
DATA = {
    "object", "closure", "array", "string", "concatenated string", "sliced string", "number", "regexp", "symbol",
    "bigint",
}  # fmt: skip
"""Kinds of a heap snapshot that a page's scripts make; the rest is the browser's: compiled code, lists of requests."""
Found = tuple[list[float], list[float]]
"""Of each key: ms to its next image, and ms from placing that image to its presentation."""
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


def held_bytes(page: Any, session: Any) -> dict[str, int]:
    """Return, by a snapshot of the heap, the bytes of what scripts hold, of their compiled code, and of the browser."""
    chunks: list[str] = []

    def keep(message: dict[str, str]) -> None:
        chunks.append(message["chunk"])

    page.wait_for_timeout(600)
    session.on("HeapProfiler.addHeapSnapshotChunk", keep)
    session.send("HeapProfiler.collectGarbage")
    session.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    session.remove_listener("HeapProfiler.addHeapSnapshotChunk", keep)
    found = json.loads("".join(chunks))
    fields, kinds = found["snapshot"]["meta"]["node_fields"], found["snapshot"]["meta"]["node_types"][0]
    held = {"data": 0, "code": 0, "browser": 0}
    width, size = len(fields), fields.index("self_size")
    for start in range(0, len(found["nodes"]), width):
        kind = kinds[found["nodes"][start]]
        held["data" if kind in DATA else "code" if kind == "code" else "browser"] += found["nodes"][start + size]
    return held


def print_held(before: dict[str, int], after: dict[str, int], labels: int) -> None:
    """Print what so many labels added to what is held."""
    words = ", ".join(f"{name} {(after[name] - before[name]) / labels:+,.0f}" for name in before)
    print(f"bytes a label in {labels} labels, by snapshots of the heap: {words} (of {sum(after.values()):,})")


def print_slopes(labels: list[int], found: list[dict[str, float]]) -> None:
    """Print what each label adds, by least squares: after the first reading, and over the second half.

    What is kept on purpose fills at first: the images that can be gone back to and those ahead, the 300 trials of which
    it is remembered whether they were seen, and the browser's own list of 250 requests.
    """
    for words, start in (("after the first stretch", 1), ("over the second half", len(labels) // 2)):
        slopes = {
            name: statistics.linear_regression(labels[start:], [each[name] for each in found[start:]]).slope
            for name in found[0]
        }
        print(f"slope a label, {words}:" + "".join(f"  {name} {slope:+.3f}" for name, slope in slopes.items()))


def frames_at_keys(trace: Any) -> Found:
    """Return ms from each key to its next image, and ms from placing that image to its presentation."""
    keys = trace.times("InputLatency::KeyDown", "b")
    marks = trace.times("image-placed", "IRX")
    latencies, paints = [], []
    for mark, shown in zip(marks, trace.onsets(), strict=True):
        before = [key for key in keys if key <= mark]
        if before and shown is not None:
            latencies.append(shown - before[-1])
            paints.append(shown - mark)
    return latencies, paints


def print_frames(name: str, found: Found, least_ms: float) -> tuple[float, float]:
    """Print how soon the next image is on the screen after a key; return median and 95th percentile.

    In the first frame after the key it is there within a frame and the time that one of the bare page takes at least.
    """
    ordered = sorted(found[0])
    middle, late = statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))]
    within = sum(each <= FRAME_MS + least_ms for each in ordered)
    print(
        f"key to next image on screen, {name:<10} median {middle:5.1f} ms, 95 % {late:5.1f}, most {ordered[-1]:5.1f}; "
        f"from placing it {statistics.median(found[1]):.1f}; "
        f"within a frame ({FRAME_MS:.1f} + {least_ms:.1f} ms to draw it): {within} of {len(ordered)}",
        flush=True,
    )
    return middle, late


class Bare:
    """A page that does nothing but show the next image, in a browser of its own."""

    def __init__(self, chromium: Any, pictures: list[bytes]) -> None:
        from benchmarks.jspsych_page import READY, serve_jspsych

        self.chromium, self.ready = chromium, READY
        self.server = serve_jspsych(pictures)
        self.page = chromium.contexts[0].pages[0]
        self.page.goto(f"http://127.0.0.1:{self.server.server_port}/bare?n={len(pictures)}")
        self.page.wait_for_selector(READY)


def traced(chromium: Any, page: Any, keys: list[str], rng: random.Random, ready: str = OPEN) -> Found:
    """Press the keys and return how soon the next images were on the screen."""
    from tests.robot import Trace, press_keys

    page.bring_to_front()
    page.wait_for_timeout(500)
    with Trace(chromium, page) as trace:
        press_keys(page, keys, rng=rng, after_ms=(150, 400), ready=ready)
        page.wait_for_timeout(1000)
    return frames_at_keys(trace)


def frames(playwright: Any, chromium: Any, page: Any, pictures: list[bytes], options: argparse.Namespace) -> None:
    """Let bare page and workbench take turns, and print how soon the next image is on the screen in each."""
    from tests.robot import plain_chromium

    each = options.traced // options.turns
    keys = [KEYS[i % 10] for i in range(each)]
    rng = random.Random(3)
    found: dict[str, Found] = {"bare page": ([], []), "workbench": ([], [])}
    with plain_chromium(playwright.chromium) as other:
        bare = Bare(other, pictures)
        for turn in range(options.turns):
            for name in ("bare page", "workbench") if turn % 2 else ("workbench", "bare page"):
                new = (
                    traced(other, bare.page, keys, rng, bare.ready)
                    if name == "bare page"
                    else traced(chromium, page, keys, rng)
                )
                for kept, more in zip(found[name], new, strict=True):
                    kept.extend(more)
        bare.server.shutdown()
    least_ms = min(found["bare page"][1])
    limit, own = (print_frames(name, of, least_ms) for name, of in found.items())
    ratios = ", ".join(f"{name} {b / a:.2f}" for name, a, b in zip(("median", "95 %"), limit, own, strict=True))
    print(f"workbench over bare page: {ratios}")


def session(playwright: Any, site: str, options: argparse.Namespace) -> None:
    """Label images and print what it cost."""
    from tests import factories
    from tests.browser import session_cookie
    from tests.robot import WATCH, plain_chromium, press_keys

    n, every = options.labels, options.every
    user = factories.make_user()
    project = factories.make_project(annotators=[user], classes=list(KEYS))
    pictures = photographs((n or WARM_UP) + options.traced + 10)
    make_items(project, pictures)
    rng = random.Random(2)
    with plain_chromium(playwright.chromium) as chromium:
        chromium.contexts[0].add_cookies([session_cookie(user, site)])
        page = chromium.contexts[0].pages[0]
        page.add_init_script(WATCH)
        page.goto(f"{site}/projects/{project.slug}/label/")
        page.bring_to_front()
        if n:
            cdp = page.context.new_cdp_session(page)
            cdp.send("Performance.enable")
            labels, found = [], []
            middle = n // every // 2 + 1
            for done in range(0, n + 1, every):
                if done:
                    press_keys(page, [KEYS[i % 10] for i in range(every)], rng=rng, after_ms=PACE_MS)
                labels.append(done)
                found.append(memory(page, cdp))
                words = "  ".join(f"{name} {value:,.0f}" for name, value in found[-1].items())
                print(f"{done:>5} labels: {words}", flush=True)
                if len(labels) == middle:
                    half, at_half = held_bytes(page, cdp), done
            print_held(half, held_bytes(page, cdp), n - at_half)
            print_slopes(labels, found)
        else:
            press_keys(page, [KEYS[i % 10] for i in range(WARM_UP)], rng=rng, after_ms=PACE_MS)
        frames(playwright, chromium, page, pictures[: options.traced + 6], options)


def main() -> None:
    """Print the memory as labels come in, its slope, and the frames at a key."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labels", type=int, default=500)
    parser.add_argument("--every", type=int, default=50, help="Labels between two readings of the memory.")
    parser.add_argument("--traced", type=int, default=40, help="Labels after them, whose frames are looked at.")
    parser.add_argument("--turns", type=int, default=4, help="Bare page and workbench take turns so often.")
    options = parser.parse_args()
    if options.every < 1 or not 1 <= options.turns <= options.traced:
        parser.error("at least one label between two readings, and one traced label a turn.")
    if 0 < options.labels < 3 * options.every:
        parser.error("a slope needs three readings after the first: --labels of at least three times --every, or 0.")
    thread = serve()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        site = f"http://{thread.host}:{thread.port}"
        session(playwright, site, options)
    thread.terminate()


if __name__ == "__main__":
    main()
