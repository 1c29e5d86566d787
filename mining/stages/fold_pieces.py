"""Folds as pieces of work: a learner trained with one seed on all folds but one, and what it says of that one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from mining.artifacts import Folder
from mining.learners.catalogue import get_learner
from mining.learners.errors import LearnerError
from mining.learners.folds import ANY_FOLD
from mining.learners.out_of_fold import FoldScores, join_folds
from mining.selectors.choices import learner_title
from mining.services.pieces import Piece, do_pieces

from .context import PieceRun, StageRun
from .features import features_of

FOLDS = "folds"


@dataclass(frozen=True)
class Folds:
    """What all fold models of a round share, each array with a row an item."""

    train: np.ndarray
    """(n,) label codes to learn from; -1 = not trained on."""
    known: np.ndarray
    """(n,) bool: there are features."""
    fold: np.ndarray
    """(seeds, n) the fold that holds the item out; ANY_FOLD = all may judge it."""
    weight: np.ndarray | None
    """(n,) weight in training."""
    seeds: list[int]
    n_classes: int


def judge_out_of_fold(
    stage: StageRun, entries: list[dict[str, Any]], folds: Folds, codes: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Have every learner trained with every seed on every fold, by all workers there are.

    `codes` (n,) labels, -1 = none. Returns learner -> cube (seeds, n, K) float32, NaN for items without features, and
    learner -> why it could not be trained. What each fold model said is kept under `folds/`.
    """
    inputs, digest = _write_inputs(stage, folds)
    pieces, files = [], {}
    for entry in entries:
        for place, seed in enumerate(folds.seeds):
            for number in np.unique(folds.fold[place][folds.fold[place] != ANY_FOLD]).tolist():
                file = _file_of(entry, seed, number, digest)
                files[entry["name"], place, number] = file
                if not stage.folder.exists(file):
                    pieces.append(_piece(stage, entry, seed, place, number, inputs, file))
    doing = f"Training {', '.join(learner_title(entry['name']) for entry in entries)}"
    results = do_pieces(stage, pieces, doing=doing)
    refused = {result["learner"]: result["error"] for result in results if result["error"]}
    cubes = {}
    for entry in entries:
        if entry["name"] not in refused:
            cubes[entry["name"]] = _cube(stage, entry, folds, codes, files)
    stage.folder.delete(inputs)
    kept = {file.removeprefix(f"{FOLDS}/") for (name, _, _), file in files.items() if name not in refused}
    _forget_others(stage.folder, kept)
    return cubes, refused


def _write_inputs(stage: StageRun, folds: Folds) -> tuple[str, str]:
    """Write what the pieces need; return the file's name and the digest of it and of the features."""
    weight = np.zeros(0) if folds.weight is None else folds.weight
    arrays = {"train": folds.train, "known": folds.known, "fold": folds.fold, "weight": weight}
    sha256 = stage.folder.write_arrays("folds-inputs.npz", arrays)
    facts = stage.folder.sha256("features.json")
    return "folds-inputs.npz", hashlib.sha256(f"{sha256}{facts}{folds.n_classes}".encode()).hexdigest()


def _file_of(entry: dict[str, Any], seed: int, number: int, digest: str) -> str:
    """Return the name of a fold's part: other labels, features or settings make another name, so none is stale."""
    settings = json.dumps(entry["params"], sort_keys=True)
    short = hashlib.sha256(f"{digest}{settings}".encode()).hexdigest()[:12]
    return f"{FOLDS}/{entry['name']}.seed{seed}.fold{number}.{short}.npz"


def _piece(stage: StageRun, entry: dict[str, Any], seed: int, place: int, number: int, inputs: str, file: str) -> Piece:
    return Piece(
        key=file,
        title=f"{stage.round}: {learner_title(entry['name'])}, seed {seed}, fold {number + 1}",
        params={"entry": entry, "seed": seed, "place": place, "number": number, "inputs": inputs, "file": file,
                "n_classes": len(stage.folder.read_json("snapshot.json")["classes"])},
        cost=get_learner(entry["name"]).cost,
    )  # fmt: skip


def do_fold(
    piece: PieceRun, *, entry: dict[str, Any], seed: int, place: int, number: int, inputs: str, file: str,
    n_classes: int,
) -> dict[str, Any]:  # fmt: skip
    """Train one fold's model and write what it says of the items that it did not see."""
    shared = piece.folder.read_arrays(inputs)
    fold, train, known = shared["fold"][place], shared["train"], shared["known"]
    trained_on = (train >= 0) & (fold != number) & (fold != ANY_FOLD)
    judged = np.concatenate([np.flatnonzero(fold == number), np.flatnonzero((fold == ANY_FOLD) & known)])
    features = kept_features(piece)
    weight = shared["weight"][trained_on] if len(shared["weight"]) else None
    piece.check()
    try:
        learner = get_learner(entry["name"], **entry["params"])
        fitted = learner.fit_scores(
            features[trained_on], train[trained_on], n_classes=n_classes, sample_weight=weight, seed=seed
        )
        scores = fitted.scores(features[judged])
    except LearnerError as reason:
        return {"learner": entry["name"], "error": str(reason)}
    piece.check()
    piece.folder.write_arrays(file, {"items": judged, "scores": scores})
    return {"learner": entry["name"], "error": ""}


class _Kept:
    """The features of the round that this process worked for last: pieces come one after another."""

    key: tuple[str, str] | None = None
    matrix: np.ndarray


def kept_features(stage: StageRun) -> np.ndarray:
    """Return the features of the round's items (n, d), NaN where there are none; read once in a process."""
    key = (stage.round.folder, stage.folder.sha256("features.json"))
    if _Kept.key != key:
        _Kept.key = None
        _Kept.matrix = features_of(stage, stage.folder.read_table("items.parquet"))[0]
        _Kept.key = key
    return _Kept.matrix


def have_features(features: np.ndarray) -> np.ndarray:
    """Return (n,) bool: which items have features; nothing is stored that is not finite."""
    return np.isfinite(features[:, 0]) if features.shape[1] else np.zeros(len(features), dtype=bool)


def forget_features() -> None:
    """Give the memory of the kept features back."""
    _Kept.key, _Kept.matrix = None, np.zeros((0, 0), dtype=np.float32)


def _cube(
    stage: StageRun, entry: dict[str, Any], folds: Folds, codes: np.ndarray, files: dict[tuple[str, int, int], str]
) -> np.ndarray:
    """Join the folds of every seed; decision values are calibrated here, by what the other folds got right."""
    learner = get_learner(entry["name"], **entry["params"])
    rows = np.flatnonzero(folds.known)
    cube = np.full((len(folds.seeds), len(codes), folds.n_classes), np.nan, dtype=np.float32)
    for place in range(len(folds.seeds)):
        parts = []
        for (name, of_place, number), file in files.items():
            if (name, of_place) == (entry["name"], place):
                stage.files[file] = stage.folder.sha256(file)
                part = stage.folder.read_arrays(file)
                parts.append(FoldScores(number, np.searchsorted(rows, part["items"]), part["scores"]))
        joined = join_folds(learner, parts, codes[rows], n_classes=folds.n_classes, fold=folds.fold[place][rows])
        cube[place, rows] = joined.probabilities
    return cube


def _forget_others(folder: Folder, kept: set[str]) -> None:
    inside = Folder(folder.full(FOLDS))
    for name in inside.names():
        if name not in kept:
            inside.delete(name)
