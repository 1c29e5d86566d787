"""Time hardness of every item as of now: a whole fit, or a few new trials on top of the last one."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import polars as pl

from mining.artifacts import ArtifactMissing, Folder, plain
from mining.hardness.fresh import MOST_SHARE, Held, add_trials, hold
from mining.hardness.timing import BadTrials, Caution, ResponseTimeFit
from mining.people import fit_times

WHOLE_UP_TO = 100_000
"""Trials that are fitted anew each time: it takes a second or two."""
KINDS = ("with_labels", "alone")


@dataclass(frozen=True)
class Estimates:
    """`fit` learns from times and answers, `alone` from times only; None where times cannot be used."""

    fit: ResponseTimeFit | None
    alone: ResponseTimeFit | None
    whole: bool
    """Whether both were fitted to all trials just now."""
    refused: str = ""


def fit_whole(folder: Folder, timed: pl.DataFrame, n_items: int) -> Estimates:
    """Fit all trials, and keep what later updates need."""
    if timed["response_ms"].null_count() == len(timed):
        return Estimates(None, None, True)
    try:
        fits = {kind: fit_times(timed, n_items, with_labels=kind == "with_labels") for kind in KINDS}
    except BadTrials as reason:
        return Estimates(None, None, True, str(reason))
    if len(timed) > WHOLE_UP_TO:
        for kind, fit in fits.items():
            _keep(folder, kind, fit, hold(fit, *_columns(timed)))
    return Estimates(fits["with_labels"], fits["alone"], True)


def update(folder: Folder, base: pl.DataFrame, new: pl.DataFrame, n_items: int) -> Estimates | None:
    """Put new trials on top of the last whole fit; None where a whole fit is called for."""
    added = new.join(base.select("trial"), on="trial", how="anti")
    if len(base) <= WHOLE_UP_TO or len(added) > MOST_SHARE * len(base):
        return None
    try:
        made = [_updated(*_kept(folder, kind), base, added, n_items) for kind in KINDS]
    except (ArtifactMissing, _WholeFitNeeded):
        return None
    return Estimates(made[0], made[1], False)


class _WholeFitNeeded(Exception):
    pass


def _updated(
    fit: ResponseTimeFit, held: Held, base: pl.DataFrame, added: pl.DataFrame, n_items: int
) -> ResponseTimeFit:
    if held.n_trials != len(base) or not held.knows(added["annotator"].to_numpy()) or not fit.item_sd > 0:
        raise _WholeFitNeeded
    more = n_items - fit.item_effect.shape[0]
    effect = np.append(fit.item_effect, np.full(more, np.nan))
    se = np.append(fit.item_se, np.full(more, np.nan))
    who, times = _columns(base.select("item", "annotator", "response_ms", "position"))[1:3]
    effect, se = add_trials(held, effect, se, fit.item_sd, *_columns(added), known_times=(who, times))
    judged = np.append(fit.n_judgments, np.zeros(more, np.int64)) + np.bincount(added["item"], minlength=n_items)
    lost = added.filter("censored")["item"]
    reliability = np.clip(1 - se**2 / fit.item_sd**2, 0, 1)
    return replace(
        fit, item_effect=effect, item_se=se, item_reliability=reliability, n_judgments=judged,
        n_censored=np.append(fit.n_censored, np.zeros(more, np.int64)) + np.bincount(lost, minlength=n_items),
        reliability=float(np.nanmean(reliability)),
    )  # fmt: skip


def _columns(timed: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    return (
        timed["item"].to_numpy().astype(np.int64),
        timed["annotator"].to_numpy().astype(np.int64),
        timed["response_ms"].fill_null(np.nan).to_numpy(),
        timed["position"].to_numpy(),
    )


def _keep(folder: Folder, kind: str, fit: ResponseTimeFit, held: Held) -> None:
    arrays: dict[str, np.ndarray] = {}
    facts: dict[str, Any] = {}
    for name, of in (("fit", fit), ("held", held)):
        for field in fields(of):
            value = getattr(of, field.name)
            (arrays if isinstance(value, np.ndarray) else facts)[f"{name}.{field.name}"] = value
    facts["fit.warnings"] = [[caution.name, caution.message] for caution in fit.warnings]
    folder.write_arrays(f"{kind}.npz", arrays)
    folder.write_json(f"{kind}.json", plain(facts))


def _kept(folder: Folder, kind: str) -> tuple[ResponseTimeFit, Held]:
    facts: dict[str, Any] = {
        name: np.nan if value is None else value for name, value in folder.read_json(f"{kind}.json").items()
    }
    facts["fit.warnings"] = tuple(Caution(*pair) for pair in facts["fit.warnings"])
    values: dict[str, Any] = {**facts, **folder.read_arrays(f"{kind}.npz")}
    made = [
        {name.removeprefix(f"{part}."): value for name, value in values.items() if name.startswith(f"{part}.")}
        for part in ("fit", "held")
    ]
    return ResponseTimeFit(**made[0]), Held(**made[1])
