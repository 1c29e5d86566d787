"""Tags and filters that pages share: the sections of a project, numbers in words."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from annotations.selectors.access import is_manager
from annotations.selectors.projects import has_synthetic

register = template.Library()

# Section, words, name of the address; in the order of the loop.
MANAGER_SECTIONS = (
    ("overview", "Overview", "project"),
    ("items", "Items", "items"),
    ("hardness", "Hardness", "hardness"),
    ("rounds", "Rounds", "rounds"),
    ("members", "Members", "project_members"),
    ("settings", "Settings", "project_settings"),
)
MEMBER_SECTIONS = (("label", "Label", "label"), ("progress", "My progress", "my_progress"))


@register.inclusion_tag("site/_project_bar.html", takes_context=True)
def project_bar(context: template.Context, project: Any, section: str = "") -> dict[str, Any]:
    """Draw the project's name and the sections that this user may open. `section` is the one they are in."""
    request: HttpRequest = context["request"]
    manages = is_manager(request.user, project)
    return {
        "project": project,
        "section": section,
        # Annotators see nothing but their own trials.
        "has_synthetic": manages and has_synthetic(project),
        "manager_sections": _addresses(MANAGER_SECTIONS, project.slug) if manages else [],
        "member_sections": _addresses(MEMBER_SECTIONS, project.slug),
    }


def _addresses(sections: tuple[tuple[str, str, str], ...], slug: str) -> list[tuple[str, str, str]]:
    found = []
    for section, words, name in sections:
        try:
            found.append((section, words, reverse(name, args=[slug])))
        except NoReverseMatch:  # a site may be put together without that part
            continue
    return found


@register.filter
def duration(value: Any) -> str:
    """Return seconds (or a timedelta) in words: "8 s", "1 min 05 s", "2 h 03 min"; empty for None."""
    if value is None or value == "":
        return ""
    seconds = int(value.total_seconds() if isinstance(value, timedelta) else float(value))
    seconds = max(0, seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"


@register.filter
def until(start: datetime | None, end: datetime | None) -> timedelta | None:
    """Return the time from `start` to `end` (to now where there is no end); None without a start."""
    if start is None:
        return None
    return (end or timezone.now()) - start


@register.filter
def ms(value: Any) -> str:
    """Return milliseconds for people: "640 ms", "1.24 s", "1 min 05 s"; a dash for None or NaN."""
    number = _finite(value)
    if number is None:
        return "–"
    if number < 1000:
        return f"{number:.0f} ms"
    if number < 60_000:
        return f"{number / 1000:.2f} s"
    return duration(number / 1000)


@register.filter
def figure(value: Any, digits: int = 2) -> str:
    """Return a number with that many decimals and a true minus sign; a dash for None or NaN."""
    number = _finite(value)
    if number is None:
        return "–"
    text = f"{number:,.{digits}f}".replace(",", "\u202f")
    if float(f"{number:.{digits}f}") == 0:
        return text.lstrip("-")
    return text.replace("-", "\u2212")


@register.filter
def change(value: Any, digits: int = 2) -> str:
    """Return a difference with its sign: "+0.017", "−0.009"; a dash for None or NaN."""
    number = _finite(value)
    text = figure(value, digits)
    return f"+{text}" if number is not None and float(f"{number:.{digits}f}") > 0 else text


@register.filter
def percentage(value: Any, digits: int = 0) -> str:
    """Return a share of one in per cent: .125 with 1 digit is "12.5 %"; a dash for None or NaN."""
    number = _finite(value)
    return "–" if number is None else figure(100 * number, digits) + "\u00a0%"


@register.filter
def interval(value: Any, digits: int = 2) -> str:
    """Return a pair [low, high] as "0.31 to 0.42"; a dash where it is not known."""
    if not isinstance(value, list | tuple) or len(value) != 2 or None in value:
        return "–"
    return f"{figure(value[0], digits)} to {figure(value[1], digits)}"


def _finite(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
