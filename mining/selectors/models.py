"""Reads of what models find hard in a round; docs/rounds.md has the shapes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from annotations.models import Item, Project
from mining.artifacts import ArtifactMissing, Folder
from mining.models import Round


def model_of(round_: Round) -> dict[str, Any] | None:
    """Return model.json, or None where the round has none (yet)."""
    return _json(round_, "model.json")


def reasons_of(round_: Round) -> dict[str, Any] | None:
    """Return reasons.json, or None where the round has none (yet)."""
    return _json(round_, "reasons.json")


def items_by_id(project: Project, ids: Iterable[int]) -> dict[int, Item]:
    """Return the project's items of these ids, in one query."""
    return Item.objects.filter(project=project).in_bulk(set(ids))


def _json(round_: Round, name: str) -> dict[str, Any] | None:
    try:
        return dict(Folder(round_.folder).read_json(name))
    except ArtifactMissing:
        return None
