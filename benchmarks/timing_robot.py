"""How exact the recorded response times are: a robot in a real Chromium, with the browser's own trace as the truth.

The robot presses a key a random time after each image can be answered. From the trace: when the frame with the image
was displayed, and when the browser received the key. From the database: the response time that was recorded. Printed is
recorded minus true, in ms, under four conditions.

    python benchmarks/timing_robot.py --trials 40
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ["HARDNESS_DATA_DIR"] = tempfile.mkdtemp(prefix="timing-robot-")
os.environ["DJANGO_SETTINGS_MODULE"] = "hardness_site.settings.test"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

CONDITIONS = ("plain", "slow network", "throttled six-fold", "hidden")


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
    """Bring another tab to the front for a moment."""
    other = chromium.contexts[0].new_page()
    other.bring_to_front()
    other.wait_for_timeout(150)
    page.bring_to_front()
    other.close()


def run(playwright: Any, address: str, condition: str, n: int) -> list[str]:
    """Label `n` images under the condition; return the lines to print."""
    from annotations.models import Trial
    from tests import factories
    from tests.browser import session_cookie
    from tests.robot import WATCH, Trace, plain_chromium, press_keys, true_response_ms

    user = factories.make_user()
    project = factories.make_project(annotators=[user], classes=[str(i) for i in range(10)])
    factories.make_items(project, n + 5)
    rng = random.Random(1)
    with plain_chromium(playwright.chromium) as chromium:
        chromium.contexts[0].add_cookies([session_cookie(user, address)])
        page = chromium.contexts[0].pages[0]
        page.add_init_script(WATCH)
        disturb(page, condition)
        with Trace(chromium, page) as trace:
            page.goto(f"{address}/projects/{project.slug}/label/")
            for number in range(n):
                if condition == "hidden":
                    page.wait_for_selector('#workbench[data-state="open"]')
                    hide(chromium, page)
                press_keys(page, ["1234567890"[number % 10]], rng=rng)
            page.wait_for_timeout(2500)
    trials = list(Trial.objects.filter(project=project, state="answered").order_by("position"))
    true = true_response_ms(trace)
    if condition == "hidden":
        timed = sum(trial.response_ms is not None for trial in trials)
        reasons = sorted({trial.null_reason for trial in trials})
        return [f"{condition:>20}: {len(trials)} answers, {timed} with a response time, reasons: {', '.join(reasons)}"]
    if len(true) != len(trials):
        return [f"{condition:>20}: {len(trials)} answers but {len(true)} in the trace: run again"]
    pairs = [(t.response_ms, x) for t, x in zip(trials, true, strict=True) if t.response_ms is not None]
    errors = sorted(recorded - x for recorded, x in pairs)
    by_frames = sum("onset_by_frames" in trial.flags for trial in trials)
    frame = statistics.median(t.frame_ms for t in trials if t.frame_ms)
    return [
        f"{condition:>20}: {len(errors)} trials, recorded minus true: median {statistics.median(errors):+.1f} ms, "
        f"5 % to 95 %: {errors[len(errors) // 20]:+.1f} to {errors[-1 - len(errors) // 20]:+.1f}; "
        f"frame {frame:.1f} ms; onset by two frames in {by_frames}"
    ]


def main() -> None:
    """Print one line a condition."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--conditions", nargs="+", choices=CONDITIONS, default=CONDITIONS)
    options = parser.parse_args()
    thread = serve()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        for condition in options.conditions:
            for line in run(playwright, f"http://{thread.host}:{thread.port}", condition, options.trials):
                print(line, flush=True)
    thread.terminate()


if __name__ == "__main__":
    main()
