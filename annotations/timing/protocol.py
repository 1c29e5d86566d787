"""What the rules need to know beside the events."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """The settings of a trial that durations depend on. All times are milliseconds."""

    floor_ms: float = 150.0
    """Answers faster than this after the onset cannot be answers to the image."""

    blur_tolerance_ms: float = 100.0
    """A window may lose the keyboard for this long in all (a widget of the page, a notice) before the time is lost."""

    paid_cap_ms: float = 600_000.0
    """Paid time of one trial never exceeds this."""

    bracket_ms: float | None = None
    """Server time from handing the item out to receiving its answer; None where the server did not measure it."""

    bracket_tolerance_ms: float = 100.0
    """How much longer than the bracket the browser's span may be before it is not believed..."""

    bracket_drift: float = 0.001
    """... and how much more as a share of the bracket: two clocks do not run at quite the same speed."""

    resumed: bool = False
    """The server handed the item out before, and nothing shows that it was not seen then."""

    skipped: bool = False
    """The trial was skipped, whatever the events say."""

    other_tab: bool = False
    """The answer came from another tab than the one that holds the item now."""
