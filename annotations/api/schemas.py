"""What the workbench sends and gets."""

from __future__ import annotations

import re
from typing import Annotated

from ninja import Schema
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

EVENTS_AT_MOST = 500
DRAWING_EVENTS_AT_MOST = 2000
LOOKAHEAD_AT_MOST = 20
KIND = re.compile("[a-z_]{1,20}")

Key = Annotated[str, StringConstraints(min_length=8, max_length=36, pattern=r"^[0-9A-Za-z-]+$")]
Number = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
"""A NUL is no character to PostgreSQL."""
Facts = Annotated[dict[Text, bool | Number | Text | None], Field(max_length=20)]
TrialIds = Annotated[list[Annotated[int, Field(ge=0, le=2**63 - 1)]], Field(max_length=200)]
Want = Annotated[int, Field(ge=0, le=LOOKAHEAD_AT_MOST)]


# What comes in is plain pydantic: ninja's Schema looks up each field of each model in Python, as rows need it.
class SittingIn(BaseModel):
    """A browser tab: made once a page load."""

    key: Key
    screen: Facts = {}
    clock: Facts = {}


def _with_time_and_kind(
    events: list[dict[str, bool | float | str | None]],
) -> list[dict[str, bool | float | str | None]]:
    for number, event in enumerate(events):
        t, kind = event.get("t"), event.get("kind")
        if isinstance(t, bool) or not isinstance(t, int | float):
            raise ValueError(f"event {number} has no time: t is a number of milliseconds")
        if not isinstance(kind, str) or not KIND.fullmatch(kind):
            raise ValueError(f"event {number} has no kind: up to 20 small letters and underscores")
    return events


Events = Annotated[list[Facts], Field(max_length=EVENTS_AT_MOST), AfterValidator(_with_time_and_kind)]
"""What the browser saw: `t` in ms on the page's monotonic clock, `kind`, and details that depend on the kind."""


DrawingEvents = Annotated[list[Facts], Field(max_length=DRAWING_EVENTS_AT_MOST), AfterValidator(_with_time_and_kind)]
"""The same of a drawing: each box has some."""


class NextIn(BaseModel):
    """Ask for items: `holding` are the trials the browser has already, `want` how many more it wants."""

    session: SittingIn
    holding: TrialIds = []
    want: Want = 4


class SubmissionIn(BaseModel):
    """What an answer, a skip and a correction have in common."""

    client_key: Key
    session: Key | None = None
    events: Events = []
    holding: TrialIds = []
    want: Want = 0
    comment: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")] = ""


class AnswerIn(SubmissionIn):
    """An answer: `label` is the code of a class, 0 to K - 1."""

    label: Annotated[int, Field(ge=0, le=32767)]


class BoxIn(BaseModel):
    """A drawn box in shares of the image; `number` is the one its events name it by, `label` the code of a class."""

    number: Annotated[int, Field(ge=1, le=32767)]
    x: Number
    y: Number
    width: Number
    height: Number
    label: Annotated[int, Field(ge=0, le=32767)]


class BoxesIn(SubmissionIn):
    """The boxes drawn in an image; none at all says that nothing is there."""

    events: DrawingEvents = []
    boxes: Annotated[list[BoxIn], Field(max_length=100)]


class SkipIn(SubmissionIn):
    """A skip, with one of the reasons the workbench offers."""

    events: DrawingEvents = []
    reason: Annotated[str, StringConstraints(max_length=40)]


class OutOfTimeIn(SubmissionIn):
    """The time limit passed without an answer; the events hold `limit` and `out_of_time`."""


class LeaseOut(Schema):
    """An item handed out. `box`: x, y, width, height as shares of the image, or null for the whole image.

    `reissued`: it was handed out before; where the browser does not know that the image was not seen then, it records
    a `resumed` event and the response time is null. `training`: an item to learn on, which the page says.
    `draw`: boxes are to be drawn in the image, and sent to …/boxes; else a class is asked for.
    """

    trial: int
    position: int
    item: int
    image: str
    box: tuple[float, float, float, float] | None
    look: int
    reissued: bool
    training: bool
    draw: bool


class ProgressOut(Schema):
    """The annotator's own counts."""

    answered: int
    skipped: int
    items: int


class NextOut(Schema):
    """Items handed out. `finished`: there was nothing more to hand out.

    `held_by_others`: but other people hold items that may come back, so that it is worth asking again.
    """

    progress: ProgressOut
    next: list[LeaseOut]
    finished: bool
    held_by_others: bool


class SavedOut(NextOut):
    """Reply to an answer. `repeated`: the same submission had been saved before."""

    saved: bool
    repeated: bool


class ErrorOut(Schema):
    """Why something was refused."""

    detail: str
