"""How exact the recorded response times are: a robot in a real Chromium, with the browser's own trace as the truth.

The robot presses a key a random time after each image can be answered. From the trace: when the frame with the image
was presented, and when the browser received the key. Recorded are the workbench's response times (from the database)
and those of jsPsych's image-keyboard-response plugin on the same images, in the same run; printed is recorded minus
true, in ms, under four conditions. jsPsych runs with its images preloaded, and without.

    python benchmarks/timing_robot.py --trials 40
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ["HARDNESS_DATA_DIR"] = tempfile.mkdtemp(prefix="timing-robot-")
os.environ["DJANGO_SETTINGS_MODULE"] = "hardness_site.settings.test"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

CONDITIONS = ("plain", "slow network", "throttled six-fold", "hidden")
KEYS = "1234567890"
FRAME_MS = 1000 / 60
HIDDEN_MS = 1000
# What has to hold for the workbench: the median error at most this far from 0.
BOUNDS_MS = {"plain": 4.0, "slow network": 4.0, "throttled six-fold": FRAME_MS}


@dataclass(frozen=True, slots=True)
class Measured:
    """What was recorded for each image that the robot answered, and the truth; ms, None where there is none."""

    recorded: list[float | None]
    true: list[float | None]
    said: str = ""


def serve() -> Any:
    """Return a running server of the site with its static files, on a database of its own."""
    import django
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.management import call_command
    from django.test.testcases import LiveServerThread

    django.setup()
    call_command("migrate", verbosity=0)
    thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait(30)
    if thread.error:
        raise thread.error
    return thread


def photographs(n: int) -> list[bytes]:
    """Return `n` different JPEG files of 800 x 600 noise, the size of a photograph."""
    from PIL import Image

    found = []
    for _ in range(n):
        buffer = BytesIO()
        Image.effect_noise((800, 600), 60).save(buffer, "JPEG", quality=85)
        found.append(buffer.getvalue())
    return found


def make_items(project: Any, pictures: list[bytes]) -> None:
    """Give the project an item for each picture."""
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    from annotations.models import Image, Item

    for i, data in enumerate(pictures):
        sha256 = hashlib.sha256(data).hexdigest()
        name = f"images/{sha256[:2]}/{sha256}.jpg"
        if not default_storage.exists(name):
            default_storage.save(name, ContentFile(data))
        image, _ = Image.objects.get_or_create(
            sha256=sha256,
            defaults={"file": name, "thumbnail": name, "media_type": "image/jpeg", "width": 800, "height": 600,
                      "n_bytes": len(data)},
        )  # fmt: skip
        Item.objects.create(project=project, image=image, ordinal=i, path=f"{i}.jpg", needed=1)
    type(project).objects.filter(pk=project.pk).update(n_items=len(pictures))


def disturb(page: Any, condition: str) -> None:
    """Put the page under the condition."""
    session = page.context.new_cdp_session(page)
    if condition == "slow network":
        session.send("Network.enable")
        limits = {"offline": False, "latency": 500, "downloadThroughput": -1, "uploadThroughput": -1}
        session.send("Network.emulateNetworkConditions", limits)
    if condition == "throttled six-fold":
        session.send("Emulation.setCPUThrottlingRate", {"rate": 6})


def hide(chromium: Any, page: Any) -> None:
    """Bring another tab to the front for a second."""
    other = chromium.contexts[0].new_page()
    other.bring_to_front()
    other.wait_for_timeout(HIDDEN_MS)
    page.bring_to_front()
    other.close()


def answer_all(chromium: Any, page: Any, address: str, condition: str, n: int, ready: str) -> Any:
    """Answer `n` images at the address; return the trace."""
    from tests.robot import Trace, press_keys

    rng = random.Random(1)
    page.bring_to_front()
    disturb(page, condition)
    with Trace(chromium, page) as trace:
        page.goto(address)
        for number in range(n):
            if condition == "hidden":
                page.wait_for_selector(ready)
                hide(chromium, page)
            press_keys(page, [KEYS[number % 10]], rng=rng, ready=ready)
        page.wait_for_timeout(2500)
    return trace


def run_workbench(playwright: Any, site: str, condition: str, pictures: list[bytes], n: int) -> Measured:
    """Label `n` images in the workbench under the condition."""
    from annotations.models import Trial
    from tests import factories
    from tests.browser import session_cookie
    from tests.robot import WATCH, plain_chromium, true_response_ms

    user = factories.make_user()
    project = factories.make_project(annotators=[user], classes=list(KEYS))
    make_items(project, pictures)
    with plain_chromium(playwright.chromium) as chromium:
        chromium.contexts[0].add_cookies([session_cookie(user, site)])
        page = chromium.contexts[0].pages[0]
        page.add_init_script(WATCH)
        address = f"{site}/projects/{project.slug}/label/"
        trace = answer_all(chromium, page, address, condition, n, '#workbench[data-state="open"]')
    trials = list(Trial.objects.filter(project=project, state="answered").order_by("position"))
    reasons = sorted({t.null_reason for t in trials if t.null_reason})
    by_frames = sum("onset_by_frames" in t.flags for t in trials)
    said = f"null because: {', '.join(reasons)}; " if reasons else ""
    return Measured([t.response_ms for t in trials], true_response_ms(trace), f"{said}paint not dated in {by_frames}")


def run_jspsych(playwright: Any, address: str, condition: str, n: int, *, preload: bool) -> Measured:
    """Answer `n` images in jsPsych under the condition."""
    from benchmarks.jspsych_page import READY
    from tests.robot import plain_chromium, true_response_ms

    with plain_chromium(playwright.chromium) as chromium:
        page = chromium.contexts[0].pages[0]
        # One image more than is answered, so that the last one answered has a next one, as in the workbench.
        url = f"{address}/?n={n + 1}{'&preload' if preload else ''}"
        trace = answer_all(chromium, page, url, condition, n, READY)
        recorded = [answer["rt"] for answer in page.evaluate("answers()")]
    return Measured(recorded[:n], true_response_ms(trace))


def line(name: str, condition: str, measured: Measured) -> str:
    """Return what is printed of one run."""
    answers = [(r, t) for r, t in zip(measured.recorded, measured.true, strict=False) if r is not None]
    said = f" ({measured.said})" if measured.said else ""
    if condition == "hidden":
        rest = ""
        if answers:
            times = [recorded for recorded, _ in answers]
            rest = f", median {statistics.median(times):.0f} ms with the {HIDDEN_MS} ms away in them"
        return f"  {name:<24} {len(measured.recorded)} answers, {len(answers)} with a response time{rest}{said}"
    errors = sorted(recorded - true for recorded, true in answers if true is not None)
    if not errors:
        return f"  {name:<24} nothing could be compared{said}"
    low, high = errors[len(errors) // 20], errors[-1 - len(errors) // 20]
    verdict = ""
    if name == "workbench":
        bound = BOUNDS_MS[condition]
        verdict = f"  median {'within' if abs(statistics.median(errors)) <= bound else 'BEYOND'} {bound:.1f} ms"
    middle = f"median {statistics.median(errors):+8.2f}   5 % to 95 %: {low:+8.2f} to {high:+8.2f}   n {len(errors)}"
    return f"  {name:<24} {middle}{verdict}{said}"


def main() -> None:
    """Print a table for each condition: recorded minus true response time, ms."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--conditions", nargs="+", choices=CONDITIONS, default=CONDITIONS)
    options = parser.parse_args()
    thread = serve()
    from playwright.sync_api import sync_playwright

    from benchmarks.jspsych_page import serve_jspsych

    n = options.trials
    pictures = photographs(n + 5)
    rival = serve_jspsych(pictures)
    site, other = f"http://{thread.host}:{thread.port}", f"http://127.0.0.1:{rival.server_port}"
    with sync_playwright() as playwright:
        runs: dict[str, Callable[[str], Measured]] = {
            "workbench": lambda condition: run_workbench(playwright, site, condition, pictures, n),
            "jsPsych, preloaded": lambda condition: run_jspsych(playwright, other, condition, n, preload=True),
            "jsPsych, not preloaded": lambda condition: run_jspsych(playwright, other, condition, n, preload=False),
        }
        for condition in options.conditions:
            print(f"{condition}: recorded minus true response time, ms")
            for name, run in runs.items():
                print(line(name, condition, run(condition)), flush=True)
    rival.shutdown()
    thread.terminate()


if __name__ == "__main__":
    main()
