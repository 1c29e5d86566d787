"""A page in a real browser in every look: wide and narrow, light and dark, with axe, charts drawn, nothing sideways.

Screenshots go to the folder that SCREENSHOTS names, and are taken only then; look at them with care.
"""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings

AXE = settings.BASE_DIR / "node_modules" / "axe-core" / "axe.min.js"
LOOKS = [(1280, "light"), (1280, "dark"), (390, "dark"), (390, "light")]
COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules of axe that a theme can break: the rest is the same document."""
END_TRANSITIONS = """() => document.getAnimations().forEach((each) => {
  if (each.effect.getComputedTiming().endTime !== Infinity) each.finish();
})"""
WORKBENCH = "label"
"""Pages of this name fill the screen and have no heading of their own."""


def draw_charts(page, least: int = 0) -> None:
    """Bring every chart into sight and wait until it is drawn; there must be at least so many."""
    figures = page.locator("figure[data-chart]")
    assert figures.count() >= least, f"{page.url} has {figures.count()} charts"
    for number in range(figures.count()):
        figures.nth(number).scroll_into_view_if_needed()
        figures.nth(number).locator(".chart__view svg").wait_for()
        assert figures.nth(number).get_attribute("data-state") == "drawn"
    page.evaluate("() => window.scrollTo(0, 0)")


def violations(page, rules: list[str] | None = None, but_for: tuple[str, ...] = ()) -> list[str]:
    """Return what axe objects to, in words; by all its rules, or by those named; but for what has such an impact."""
    if not page.evaluate("() => typeof axe === 'object'"):
        page.evaluate(AXE.read_text())
        page.add_init_script(path=AXE)  # the next pages of this tab have it at once, without being sent it
    options = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
    found = page.evaluate("(options) => axe.run(document, options)", options)["violations"]
    return [
        f"{one['id']}: {one['help']} ({one['nodes'][0]['target']}, {len(one['nodes'])}x)"
        for one in found
        if one["impact"] not in but_for
    ]


def objections_to(page, name: str, *, subfolder: str = "", charts: int = 0) -> list[str]:
    """Look at a loaded page in every look, in turn; return what is wrong with it. It ends wide and light."""
    found = []
    for width, theme in LOOKS:
        page.set_viewport_size({"width": width, "height": 844 if width < 500 else 800})
        page.emulate_media(color_scheme=theme)
        draw_charts(page, charts)
        page.wait_for_timeout(100)  # charts are drawn anew in the new size and colours
        page.evaluate(END_TRANSITIONS)  # half-way between two colours is neither theme
        sideways = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if sideways > 0:
            found.append(f"{sideways} px wider than the screen at {width}")
        # Cards in the place of tables: the narrow page is another document. Dark is the same one in other colours.
        rules = COLOURS if theme == "dark" else None
        found += [f"{width}, {theme}: {one}" for one in violations(page, rules)]
        shoot(page, f"{name}-{width}-{theme}", subfolder=subfolder, full_page=name != WORKBENCH)
    if page.locator("h1").count() != 1 and name != WORKBENCH:
        found.append(f"{page.locator('h1').count()} first-level headings")
    page.set_viewport_size({"width": 1280, "height": 800})
    return found


def wrong_pages(page, base_url: str, addresses: dict[str, tuple[str, int]], **options) -> dict[str, list[str]]:
    """Open each (address, status) in every look; return what is wrong, by name."""
    wrong = {}
    for name, (address, status) in addresses.items():
        answer = page.goto(base_url + address)
        found = [] if answer.status == status else [f"status {answer.status}"]
        found += objections_to(page, name, **options)
        if found:
            wrong[name] = found
    return wrong


def shoot(page, name: str, *, subfolder: str = "", full_page: bool = False) -> None:
    """Take a screenshot where somebody wants one."""
    if chosen := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(chosen) / subfolder / f"{name}.png", full_page=full_page)
