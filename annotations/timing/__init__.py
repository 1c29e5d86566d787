"""Response times out of events: pure, versioned, and never silently wrong."""

from .durations import VERSION, Durations, durations
from .events import Event, read_events
from .protocol import Protocol
from .reasons import Reason

__all__ = ["VERSION", "Durations", "Event", "Protocol", "Reason", "durations", "read_events"]
