"""What a newcomer does after `make run`, with nothing but the pages: label, round, comparison, hard set, download."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from tests.site import Site

DEMO_SECONDS = 180
ROUND_SECONDS = 480
LEARNERS = ("HOG + linear SVM", "Logistic regression", "k nearest neighbours")
OPEN = '#workbench[data-state="open"]'


@pytest.fixture
def demo_site(tmp_path):
    """Return the real site with its demo, as the first `make run` starts it on a machine of two cores."""
    site = Site(tmp_path / "data")
    site.start("--port", str(site.port), "--workers", "2")
    yield site
    site.close()


def printed_links(site: Site, page) -> list[str]:
    """Return the sign-in links that the site prints once the demo is made: manager, annotator."""
    for _ in range(DEMO_SECONDS * 2):
        links = re.findall(r"http://\S+sesame\S+", site.output())
        if len(links) >= 2:
            return links
        page.wait_for_timeout(500)
    raise AssertionError(f"no sign-in links:\n{site.output()}")


def open_link(page, link: str) -> None:
    page.goto(link)
    page.get_by_role("heading", name="Projects").wait_for()


@pytest.mark.long(seconds=240)
def test_a_newcomer_goes_round_the_whole_loop(demo_site, browser, page):
    manager_link, annotator_link = printed_links(demo_site, page)

    open_link(page, annotator_link)
    page.get_by_role("link", name="Label").first.click()
    for digit in range(10):
        page.wait_for_selector(OPEN)
        page.wait_for_timeout(250)
        page.keyboard.press(str(digit))
    page.get_by_text("10 labelled").wait_for()
    page.goto(f"{demo_site.url}/projects/demo-digits/me/")
    page.get_by_text("10", exact=True).first.wait_for()
    assert page.goto(f"{demo_site.url}/projects/demo-digits/rounds/").status == 404  # not for annotators

    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    mona = context.new_page()
    mona.set_default_timeout(15_000)
    open_link(mona, manager_link)
    mona.get_by_role("link", name="Digits").click()
    mona.get_by_text("Synthetic", exact=True).first.wait_for()
    mona.get_by_role("link", name="Rounds").first.click()
    # The demo has started the first round by itself; the next can start when that is over.
    mona.get_by_role("link", name="Round 1", exact=True).click()
    mona.get_by_role("link", name="See the comparison").wait_for(timeout=ROUND_SECONDS * 1000)
    mona.get_by_role("link", name="Rounds").first.click()
    mona.get_by_text("Other learners, strategies and numbers").click()
    for learner in LEARNERS:
        mona.get_by_role("checkbox", name=learner).check()
    for field, number in (("Resamples", 200), ("Retraining repetitions", 2)):
        mona.get_by_label(field).fill(str(number))
    mona.get_by_role("button", name="Start with these").click()
    mona.get_by_role("heading", name="Round 2").wait_for()
    mona.get_by_text("Take down labels and times").wait_for()
    mona.get_by_role("link", name="See the comparison").wait_for(timeout=ROUND_SECONDS * 1000)

    mona.get_by_role("link", name="See the comparison").click()
    mona.get_by_role("heading", name="Do people and models agree on what is hard?").wait_for()
    mona.locator(".chart svg, .chart canvas").first.wait_for()
    mona.get_by_role("heading", name="Hard for people and for the model").wait_for()

    mona.get_by_role("link", name="Models", exact=True).click()
    mona.get_by_role("heading", name="What models find hard").wait_for()
    for learner in LEARNERS:
        mona.get_by_role("link", name=learner, exact=True).click()
        mona.locator("[aria-label=Learner] [aria-current=true]", has_text=learner).wait_for()
        mona.get_by_role("heading", name="Probable label errors").wait_for()
    mona.get_by_role("link", name="Classes", exact=True).click()
    mona.get_by_role("heading", name="Confused pairs").wait_for()
    mona.get_by_role("link", name="Reasons", exact=True).click()
    mona.get_by_role("heading", name="Time of people").wait_for()
    mona.get_by_role("link", name="Round 2").first.click()
    mona.get_by_role("link", name="Time-hard").click()
    mona.get_by_role("heading", name="Time-hard").wait_for()
    with mona.expect_download() as download:
        mona.get_by_role("link", name="Download CSV").click()
    with Path(download.value.path()).open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    context.close()
    assert len(rows) > 10
    assert [int(row["rank"]) for row in rows] == list(range(1, len(rows) + 1))
    assert all(row["reason"] for row in rows)

    answered = demo_site.python(
        "from annotations.models import Trial\n"
        "mine = Trial.objects.filter(annotator__user__username='demo-annotator', state='answered')\n"
        "print(mine.count(), mine.filter(response_ms__gt=150).count())"
    )
    assert answered.split() == ["10", "10"]
