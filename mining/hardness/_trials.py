"""Check trials before they are fitted: what is refused, and in which words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mining.hardness._kernels import NO_BOUND_MS

Codes = NDArray[np.integer]
Floats = NDArray[np.floating]


class BadTrials(ValueError):
    """Trials that cannot be used. ``name`` says which rule they broke, the message also how to mend them."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


@dataclass(frozen=True, slots=True)
class Caution:
    """Something the reader of an estimate must know. ``name`` is stable, ``message`` is for people."""

    name: str
    message: str


def read_codes(values: ArrayLike, what: str, n_trials: int | None = None, n_codes: int | None = None) -> Codes:
    """Return ``values`` as a 1-D integer array of codes 0, 1, 2, ... or raise `BadTrials`.

    Args:
        values: codes, shape (n_trials,); floats are taken when they are whole numbers.
        what: the argument's name, for the message.
        n_trials: the length it must have.
        n_codes: the number of codes; each must be below it.
    """
    codes = np.asarray(values)
    if codes.ndim != 1:
        raise BadTrials("not_one_dimensional", f"`{what}` must have shape (n_trials,), not {codes.shape}.")
    if n_trials is not None and codes.shape[0] != n_trials:
        raise BadTrials(
            "length_mismatch",
            f"`{what}` has {codes.shape[0]} values where `item` has {n_trials}: one a trial.",
        )
    if not np.issubdtype(codes.dtype, np.integer):
        codes = _whole_numbers(codes, what)
    if codes.size and int(codes.min()) < 0:
        raise BadTrials("code_out_of_range", f"`{what}` holds {int(codes.min())}; codes are 0, 1, 2, ...")
    if n_codes is not None and codes.size and int(codes.max()) >= n_codes:
        raise BadTrials(
            "code_out_of_range",
            f"`{what}` holds {int(codes.max())}, but there are {n_codes} (codes 0 to {n_codes - 1}).",
        )
    return codes


def _whole_numbers(values: NDArray[np.generic], what: str) -> Codes:
    if not np.issubdtype(values.dtype, np.floating):
        if values.size == 0 or values.dtype == np.bool_:
            return values.astype(np.int64)
        raise BadTrials("not_codes", f"`{what}` must hold integer codes, not {values.dtype}: number the names first.")
    if not np.isfinite(values).all():
        raise BadTrials("not_codes", f"`{what}` holds NaN or infinity; every trial needs a code.")
    codes = values.astype(np.int64)
    if (codes != values).any():
        raise BadTrials("not_codes", f"`{what}` holds fractions; codes are whole numbers.")
    return codes


def read_times(response_ms: ArrayLike, n_trials: int) -> Floats:
    """Return response times as floats; NaN (censored) passes, what is no duration is refused."""
    times = np.asarray(response_ms)
    if times.ndim != 1 or times.shape[0] != n_trials:
        raise BadTrials(
            "length_mismatch",
            f"`response_ms` has shape {times.shape} where `item` has {n_trials} trials: one a trial.",
        )
    if not np.issubdtype(times.dtype, np.floating):
        try:
            times = times.astype(np.float64)
        except (TypeError, ValueError):
            raise BadTrials("not_numbers", f"`response_ms` must hold numbers, not {times.dtype}.") from None
    if times.size == 0:
        return times
    low, high = float(np.nanmin(times, initial=np.inf)), float(np.nanmax(times, initial=-np.inf))
    if high == np.inf:
        raise BadTrials("infinite_response_ms", "`response_ms` holds infinity; give NaN to a trial without an answer.")
    if low <= 0:
        count = int(np.count_nonzero(times <= 0))
        raise BadTrials(
            "response_ms_not_positive",
            f"{count} response times are zero or negative (lowest {low:g}); a missing time is NaN, never 0.",
        )
    return times


def read_positions(position: ArrayLike, n_trials: int) -> Floats:
    """Return 1-based positions as floats, or raise `BadTrials`."""
    positions = np.asarray(position)
    if positions.ndim != 1 or positions.shape[0] != n_trials:
        raise BadTrials(
            "length_mismatch",
            f"`position` has shape {positions.shape} where `item` has {n_trials} trials: one a trial.",
        )
    if not np.issubdtype(positions.dtype, np.number) or np.issubdtype(positions.dtype, np.complexfloating):
        raise BadTrials("not_numbers", f"`position` must hold numbers, not {positions.dtype}.")
    if positions.size and not (np.isfinite(positions).all() and float(positions.min()) >= 1):
        raise BadTrials(
            "position_out_of_range",
            "`position` must be 1, 2, 3, ... in the order in which each annotator saw the items.",
        )
    return positions.astype(np.float32 if positions.size > 2_000_000 else np.float64)


def read_labels(label: ArrayLike, n_trials: int) -> Codes:
    """Return label codes; no answer is -1 (NaN and negative codes become -1)."""
    labels = np.asarray(label)
    if labels.ndim != 1 or labels.shape[0] != n_trials:
        raise BadTrials(
            "length_mismatch",
            f"`label` has shape {labels.shape} where `item` has {n_trials} trials: one a trial.",
        )
    if np.issubdtype(labels.dtype, np.floating):
        missing = np.isnan(labels)
        labels = np.where(missing, -1, _whole_numbers(np.where(missing, 0, labels), "label"))
    if not np.issubdtype(labels.dtype, np.integer):
        raise BadTrials("not_codes", f"`label` must hold integer codes (-1: no answer), not {labels.dtype}.")
    return np.asarray(np.maximum(labels, -1))


def read_bounds(censored_at_ms: ArrayLike, times: Floats, shift_ms: float) -> Floats:
    """Return (n_trials,) bounds in ms of censored trials, less the shift; next to nothing where unknown."""
    given = np.asarray(censored_at_ms, dtype=np.float64)
    if given.ndim and given.shape != times.shape:
        raise BadTrials("length_mismatch", f"`censored_at_ms` has shape {given.shape}: give a number or one a trial.")
    if (given <= 0).any():
        raise BadTrials("bound_not_positive", "`censored_at_ms` holds a time of zero or less; NaN is unknown.")
    known = np.isfinite(given) & (given > shift_ms)
    return np.broadcast_to(np.where(known, given - shift_ms, NO_BOUND_MS), times.shape)


def take_off(times: Floats, shift_ms: float) -> Floats:
    """Return times less ``shift_ms``, which must leave every one positive."""
    if shift_ms == 0:
        return times
    shortest = float(np.nanmin(times, initial=np.inf))
    if not 0 <= shift_ms < shortest:
        raise BadTrials(
            "shift_out_of_range",
            f"`shift_ms` is {shift_ms:g}; it must be from 0 to below the shortest time, {shortest:g}.",
        )
    return times - shift_ms


def since_break(annotator: Codes, positions: Floats | None, session: ArrayLike) -> Floats:
    """Return (n_trials,) hundreds of trials since the annotator's sitting began, or raise `BadTrials`.

    Without a break anywhere the answer is 0 throughout: fatigue is then part of the course of practice.
    """
    sitting = read_codes(session, "session", annotator.shape[0])
    if positions is None:
        raise BadTrials("session_without_position", "`session` needs `position`: the order of trials within a sitting.")
    if sitting.size == 0:
        return np.zeros(0)
    key = annotator.astype(np.int64) * (int(sitting.max()) + 1) + sitting
    _, key = np.unique(key, return_inverse=True)
    n_sittings = int(key.max()) + 1
    if n_sittings == np.count_nonzero(np.bincount(annotator)):
        return np.zeros(sitting.size)
    began = np.full(n_sittings, np.inf)
    np.minimum.at(began, key, positions)
    return np.asarray((positions - began[key]) / 100)
