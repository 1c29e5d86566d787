"""The label that people agree on for an item, and how sure it is. What works it out lies above this package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from annotations.models import Project


@dataclass(frozen=True, slots=True)
class ConsensusLabel:
    """A consensus: the class's name, the probability that it is right (0 to 1), and how many labels it rests on."""

    name: str
    confidence: float
    n_labels: int


Reader = Callable[[Project, Sequence[int]], dict[int, ConsensusLabel]]
_readers: list[Reader] = []


def register_consensus(reader: Reader) -> None:
    """Name the function that reads consensus labels; called once, when the site starts."""
    _readers[:] = [reader]


def consensus_labels(project: Project, item_ids: Sequence[int]) -> dict[int, ConsensusLabel]:
    """Return item id -> consensus of these items; empty where nothing works it out, or nothing has yet."""
    return _readers[0](project, item_ids) if _readers else {}
