"""Why a trial has no response time."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The reasons, in the order in which they are given: the first that holds is the one that is stored.

    First what makes the events themselves unfit to be believed, then what makes the time something other than the
    time of a first answer, then what happened while the image was on the screen.
    """

    MISSING_EVENTS = "missing_events"
    CLOCK_BACK = "clock_back"
    NO_ONSET = "no_onset"
    OUT_OF_ORDER = "out_of_order"
    IMPLAUSIBLE_SPAN = "implausible_span"
    SKIPPED = "skipped"
    RESUMED = "resumed"
    REVISITED = "revisited"
    OTHER_TAB = "other_tab"
    ASSISTED = "assisted"
    HIDDEN = "hidden"
    BLURRED = "blurred"
    SUSPENDED = "suspended"
    IDLE = "idle"
    SEARCHED = "searched"
    OUT_OF_TIME = "out_of_time"
    TOO_FAST = "too_fast"

    # Of a box alone
    INTERLEAVED = "interleaved"

    @property
    def sentence(self) -> str:
        """The reason in words, as pages and exports say it."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.MISSING_EVENTS: "The browser's events do not hold an answer.",
    Reason.CLOCK_BACK: "The browser's clock went back.",
    Reason.NO_ONSET: "It is not known when the image was first on the screen.",
    Reason.OUT_OF_ORDER: "The browser's events are not in an order that can have happened.",
    Reason.IMPLAUSIBLE_SPAN: "The browser's time is longer than the time between handing out and receiving.",
    Reason.SKIPPED: "The item was skipped.",
    Reason.RESUMED: "The image may have been seen in an earlier sitting.",
    Reason.REVISITED: "The image had been on the screen before and was left without an answer.",
    Reason.OTHER_TAB: "The item was open in another tab as well.",
    Reason.ASSISTED: "An answer was suggested.",
    Reason.HIDDEN: "The page was hidden while the image was shown.",
    Reason.BLURRED: "Another window had the keyboard while the image was shown.",
    Reason.SUSPENDED: "The computer or the page was halted while the image was shown.",
    Reason.IDLE: "There was no sign of life for a long while.",
    Reason.SEARCHED: "The answer was looked for in the list of classes.",
    Reason.OUT_OF_TIME: "There was no answer before the time limit: it would have taken longer.",
    Reason.TOO_FAST: "Faster than anybody can see and answer.",
    Reason.INTERLEAVED: "Another box was worked on in between.",
}
