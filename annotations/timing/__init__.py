"""Response times out of events: pure, versioned, and never silently wrong."""

from .boxes import BOXES_VERSION, BoxTimes, box_times
from .durations import VERSION, Durations, durations
from .events import Event, read_events
from .protocol import Protocol
from .reasons import Reason

__all__ = [
    "BOXES_VERSION", "VERSION", "BoxTimes", "Durations", "Event", "Protocol", "Reason", "box_times", "durations",
    "read_events",
]  # fmt: skip
