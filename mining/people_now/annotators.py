"""Annotators one by one: a row each for the list, and what the page of each one draws. Descriptions, not verdicts."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import polars as pl

from annotations.timing.reasons import Reason
from mining.artifacts import Folder, plain
from mining.hardness.agreement import Consensus
from mining.hardness.annotator_course import Course, practice_course, sitting_course, sitting_drift
from mining.hardness.annotators import FAST_GUESS_MS, describe_annotators
from mining.hardness.retest import retest
from mining.hardness.share_interval import wilson_interval

from .stored_trials import StoredTrials

LIST_COLUMNS = ("n_trials", "null_share", "median_ms", "noise", "practice")
RENAMED = {"n_timed": "n_timed_twice"}
FEWEST_BINS, MOST_BINS = 6, 30
MOST_CONFUSIONS = 5
PAGES_AT_ONCE = 8
"""Annotators in one group of rows of annotator_pages.parquet: the page of one decodes its group only."""
FEWEST_SUPPORT, HAPPENED = 3.0, 0.5
"""Expected items of a class that an annotator must have judged before their confusions of it are named."""


def annotator_facts(stored: StoredTrials, labelled: pl.DataFrame, view: Consensus | None) -> dict[str, Any]:
    """Return the list's rows, busiest first, and under "pages" what the page of each one needs, by id."""
    trials = stored.trials.filter(~pl.col("assisted")).sort("annotator", "position", "look")
    columns = _Columns(trials, stored)
    size = len(stored.annotators)
    table = describe_annotators(columns.who, columns.ms, position=columns.place, n_annotators=size)
    shares = {**_fast(columns, size), **_right(columns, size)}
    again = retest(columns.who, columns.item, columns.label, columns.ms, columns.purpose == "repeat", size)
    drift, drift_low, drift_high = sitting_drift(columns.who, columns.session, columns.place, columns.ms, size)
    typical = float(np.nanmedian(table.median_ms)) if np.isfinite(table.median_ms).any() else None
    reasons, confusions = _reasons(trials), _confusions(labelled, view, size)
    rows, pages = [], {}
    for code, (pk, kind) in enumerate(stored.annotators.select("id", "kind").iter_rows()):
        own = slice(*columns.bounds(code))
        if own.start == own.stop:
            continue
        rows.append({
            "id": pk, "kind": kind, **{name: getattr(table, name)[code] for name in LIST_COLUMNS},
            **{name: values[code] for name, values in shares.items()},
            **{RENAMED.get(name, name): getattr(again, name)[code] for name in again.__slots__},
            "drift": drift[code], "drift_low": drift_low[code], "drift_high": drift_high[code],
            "n_timed": int(np.isfinite(columns.ms[own]).sum()), "reasons": reasons.get(code, []),
            "curve": _points(practice_course(columns.place[own], columns.ms[own])),
            "agrees": confusions[code]["agrees"] if confusions else None,
        })  # fmt: skip
        pages[pk] = {
            "times": _histogram(columns.ms[own]), "practice": rows[-1]["curve"],
            "sitting": _points(sitting_course(columns.place[own], columns.session[own], columns.ms[own])),
            "n_sittings": len(np.unique(columns.session[own])),
            "confusion": confusions[code] if confusions else None,
        }  # fmt: skip
    rows.sort(key=lambda row: -row["n_trials"])
    return {
        "rows": rows, "pages": pages, "fast_guess_ms": FAST_GUESS_MS, "n_trials": len(stored.trials),
        "median_of_medians_ms": typical,
    }  # fmt: skip


def keep_pages(folder: Folder, pages: dict[int, dict[str, Any]]) -> None:
    """Write annotator_pages.parquet: the id of each annotator and what their page draws, as JSON."""
    ids = sorted(pages)
    table = pl.DataFrame(
        {"id": ids, "facts": [json.dumps(plain(pages[pk]), allow_nan=False) for pk in ids]},
        schema={"id": pl.Int64, "facts": pl.String},
    )
    buffer = io.BytesIO()
    table.write_parquet(buffer, compression="lz4", row_group_size=PAGES_AT_ONCE, statistics=True)
    folder.write_bytes("annotator_pages.parquet", buffer.getvalue())


class _Columns:
    """The trials as arrays, sorted by annotator."""

    def __init__(self, trials: pl.DataFrame, stored: StoredTrials) -> None:
        self.who = trials["annotator"].to_numpy().astype(np.int64)
        self.item = trials["item"].to_numpy().astype(np.int64)
        self.ms = trials["response_ms"].fill_null(np.nan).to_numpy()
        self.place = trials["position"].to_numpy()
        self.session = trials["session"].rank("dense").cast(pl.Int64).to_numpy() - 1
        self.label = trials["label"].fill_null(-1).to_numpy().astype(np.int64)
        self.purpose = trials["purpose"].to_numpy()
        self.too_fast = (trials["null_reason"] == Reason.TOO_FAST).to_numpy()
        self.given = stored.items["given"].fill_null(-1).to_numpy()[self.item]

    def bounds(self, code: int) -> tuple[int, int]:
        first, last = np.searchsorted(self.who, [code, code + 1])
        return int(first), int(last)


def _share(name: str, hits: np.ndarray, n: np.ndarray) -> dict[str, np.ndarray]:
    """Return n_<name>, <name>_share and the ends of its 95 % interval, by annotator."""
    low, high = wilson_interval(hits, n)
    share = np.divide(hits, n, out=np.full(n.shape, np.nan), where=n > 0)
    return {f"n_{name}": n, f"{name}_share": share, f"{name}_low": low, f"{name}_high": high}


def _fast(columns: _Columns, size: int) -> dict[str, np.ndarray]:
    """Answers too fast to have seen the image: those under the bound, and those whose time was refused for it."""
    with np.errstate(invalid="ignore"):
        fast = (columns.ms < FAST_GUESS_MS) | columns.too_fast
    told = np.isfinite(columns.ms) | columns.too_fast
    return _share("fast", *(np.bincount(columns.who[on], minlength=size) for on in (fast, told)))


def _right(columns: _Columns, size: int) -> dict[str, np.ndarray]:
    """How right answers are: on gold items, whose label is known to be right, and by labels of the import."""
    answered = (columns.label >= 0) & (columns.given >= 0)
    right = columns.label == columns.given
    found: dict[str, np.ndarray] = {}
    for name, on in (("gold", columns.purpose == "gold"), ("given", columns.purpose == "")):
        use = answered & on
        counts = (np.bincount(columns.who[part], minlength=size) for part in (use & right, use))
        found |= _share(name, *counts)
    return found


def _reasons(trials: pl.DataFrame) -> dict[int, list[tuple[str, int]]]:
    without = trials.filter(pl.col("response_ms").is_null()).group_by("annotator", "null_reason").len()
    found: dict[int, list[tuple[str, int]]] = {}
    for code, reason, count in without.sort("len", "null_reason", descending=[True, False]).iter_rows():
        found.setdefault(code, []).append((reason or "", count))
    return found


def _points(course: Course) -> list[dict[str, float]]:
    return [
        {"place": float(at), "ms": float(ms), "low": float(low), "high": float(high), "n": int(n)}
        for at, ms, low, high, n in zip(
            course.place, course.typical_ms, course.low, course.high, course.n, strict=True
        )
    ]  # fmt: skip


def _histogram(ms: np.ndarray) -> list[dict[str, float]]:
    """Times in bins of equal width on the logarithm."""
    known = ms[np.isfinite(ms)]
    if not known.size:
        return []
    low, high = float(known.min()), float(known.max())
    n_bins = int(np.clip(2 * known.size**0.5, FEWEST_BINS, MOST_BINS))
    edges = np.geomspace(low * 0.99, max(high, low * 1.5) * 1.01, n_bins + 1)
    counts, _ = np.histogram(known, bins=edges)
    return [
        {"from": float(start), "to": float(end), "trials": int(n)}
        for start, end, n in zip(edges[:-1], edges[1:], counts, strict=True)
    ]


def _confusions(labelled: pl.DataFrame, view: Consensus | None, size: int) -> list[dict[str, Any]] | None:
    """Return an annotator's confusion matrix, how many items of each class it rests on, and its largest confusions.

    Rows are the consensus, columns the answers: [c][l] is the chance of answering l where c is right.
    """
    if view is None:
        return None
    who = labelled["annotator"].to_numpy().astype(np.int64)
    item, n_classes = labelled["item"].to_numpy().astype(np.int64), view.probability.shape[1]
    said = who * n_classes + labelled["label"].to_numpy().astype(np.int64)
    cells = size * n_classes
    hits = np.stack(
        [np.bincount(said, view.probability[item, code], minlength=cells) for code in range(n_classes)], axis=1
    ).reshape(size, n_classes, n_classes).transpose(0, 2, 1)  # fmt: skip
    n = np.bincount(who, minlength=size)
    found: list[dict[str, Any]] = []
    for code in range(size):
        has = code < view.annotator_confusion.shape[0] and n[code] > 0
        matrix = view.annotator_confusion[code] if has else np.zeros((0, 0))
        found.append({
            "matrix": matrix.round(5).tolist(), "support": hits[code].sum(axis=1).round(2).tolist(),
            "n": int(n[code]), "agrees": float(np.trace(hits[code]) / n[code]) if n[code] else None,
            "largest": _largest(matrix, hits[code]) if has else [],
        })  # fmt: skip
    return found


def _largest(matrix: np.ndarray, hits: np.ndarray) -> list[dict[str, Any]]:
    """The confusions an annotator makes most, with the 95 % interval of a share of that many items.

    `hits` (n_classes, n_classes) is how often each was expected to have happened: what never did stands in the matrix
    only because it leans on the others'.
    """
    support = hits.sum(axis=1)
    off = np.where((support[:, None] >= FEWEST_SUPPORT) & (hits >= HAPPENED), matrix, 0.0)
    np.fill_diagonal(off, 0.0)
    order = np.argsort(-off, axis=None, kind="stable")[:MOST_CONFUSIONS]
    rows = []
    for right, said in zip(*np.unravel_index(order, off.shape), strict=True):
        share, n = float(off[right, said]), float(support[right])
        if share <= 0:
            break
        low, high = wilson_interval(share * n, n)
        rows.append({
            "right": int(right), "said": int(said), "share": share, "low": float(low), "high": float(high), "n": n,
        })  # fmt: skip
    return rows
