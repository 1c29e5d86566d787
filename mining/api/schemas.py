"""What an outside trainer gets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import Field


class HardSetOut(Schema):
    """A hard set. `sha256` names its content; `synthetic`: trials of simulated annotators went into its round."""

    hard_set: int
    round: int
    strategy: str
    title: str
    description: str
    version: int
    is_newest: bool
    params: dict[str, Any]
    sha256: str
    n_members: int
    synthetic: bool
    created_at: datetime
    manifest: str
    weights: str


class HardSetsOut(Schema):
    """A page of hard sets, newest first. `next`: the address of the next page, or null."""

    hard_sets: list[HardSetOut]
    next: str | None


class ManifestItemOut(Schema):
    """An item of the hard set's round; `rank` to `verdict` are null where it is no member.

    `path` is its name in predictions. `box`: x, y, width, height as shares of the image, null for the whole image.
    `split`: `test` items are held out, their weight is 0 and they have no fold. `fold`: predict it by a model that saw
    nothing of this fold. `weight`: 0 where it cannot be trained on.
    """

    item: int
    path: str
    sha256: str
    image: str
    box: list[float] | None
    label: str | None
    label_from: Annotated[str | None, Field(description="people or given; null or empty where there is no label")]
    label_confidence: float | None
    split: str
    fold: int | None
    weight: float
    rank: int | None
    score: float | None
    reason: str | None
    verdict: str | None
    synthetic: bool


class ManifestOut(Schema):
    """A page of the manifest. `manifest`: project, round, strategy, params, classes, sha256 of the set and the like."""

    manifest: dict[str, Any]
    items: list[ManifestItemOut]
    next: str | None
