"""Reads about predictions: what was imported, and which learners of a round judged items that they were trained on."""

from __future__ import annotations

from typing import Any

from mining.artifacts import ArtifactMissing, Folder
from mining.models import Round

IN_SAMPLE_WARNING = (
    "In-sample: items were predicted by a model trained on them. Its measures look far too easy, and wrong labels look "
    "right. Nothing made from them is a fair judgment."
)


def learners_of(round_: Round) -> list[dict[str, Any]]:
    """Return what is known of each learner of a round: `name`, `kind`, `out_of_fold`, `accuracy`, …"""
    try:
        return list(Folder(round_.folder).read_json("predictions.json")["learners"])
    except ArtifactMissing:
        return []


def in_sample_learners(round_: Round) -> list[str]:
    """Return the names of the learners whose predictions are in-sample, without `file:`."""
    return [str(one["name"]).partition(":")[2] or one["name"] for one in learners_of(round_) if not one["out_of_fold"]]
