"""What the reader of the Hardness page must be told about the trials behind it, with the annotators by their names."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import polars as pl

from annotations.timing.reasons import Reason

from .estimates import Estimates
from .stored_trials import StoredTrials

Row = dict[str, Any]
CODE_IN_MESSAGE = re.compile(r"\(first: (\d+)\)|^Annotator (\d+)\b")
UNIT_FACTOR = 100.0
"""People differ in speed by a factor of ten at the most: beyond this a unit is wrong."""
FEWEST_TIMES = 3
CLOCK_REASONS = (Reason.IMPLAUSIBLE_SPAN, Reason.CLOCK_BACK)
CLOCK_SHARE = 0.02
"""Share of an annotator's trials whose clock contradicts the server's, from where on it is more than a mishap."""
LOW_RELIABILITY = 0.5


def cautions_of(stored: StoredTrials, found: Estimates, *, needed: int | None, target: float) -> list[Row]:
    """Return {"name", "message", "annotators"} (ids, for links) of everything to be told, the gravest first."""
    rows = [*_refusal(found), *_clocks(stored), *_units(stored)]
    if found.fit is not None:
        rows += [_named(one.name, one.message, stored) for one in found.fit.warnings]
        rows += _low_reliability(found, needed, target)
    return rows


def _row(name: str, message: str, annotators: list[int] | None = None) -> Row:
    return {"name": name, "message": message, "annotators": annotators or []}


def _refusal(found: Estimates) -> list[Row]:
    if not found.refused:
        return []
    name = "page_level_times" if "page of" in found.refused else "times_refused"
    return [_row(name, f"There is no time hardness: {found.refused}")]


def _named(name: str, message: str, stored: StoredTrials) -> Row:
    return _row(name, *with_names(message, stored.annotators))


def with_names(message: str, annotators: pl.DataFrame) -> tuple[str, list[int]]:
    """Return a message of the fit with the annotators' names where it has their codes, and the ids of those named."""
    ids: list[int] = []

    def name_of(match: re.Match[str]) -> str:
        code = int(match.group(1) or match.group(2))
        if code >= len(annotators):
            return match.group(0)
        pk, who = annotators.select("id", "name").row(code)
        ids.append(pk)
        return f"(first: {who})" if match.group(1) else who

    return CODE_IN_MESSAGE.sub(name_of, message), ids


def _people(stored: StoredTrials, codes: list[int]) -> tuple[list[int], str]:
    some = stored.annotators[codes]
    names = some["name"].to_list()
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return some["id"].to_list(), shown


def _units(stored: StoredTrials) -> list[Row]:
    """Annotators a hundred times as fast or as slow as the middle one: seconds or microseconds among milliseconds."""
    medians = (
        stored.trials.filter("timed").filter(pl.col("response_ms").is_not_null())
        .group_by("annotator").agg(pl.col("response_ms").median().alias("ms"), pl.len().alias("n"))
        .filter(pl.col("n") >= FEWEST_TIMES).sort("annotator")
    )  # fmt: skip
    if len(medians) < 3:
        return []
    ratio = medians["ms"].to_numpy() / float(np.median(medians["ms"].to_numpy()))
    odd = medians.filter(pl.Series((ratio > UNIT_FACTOR) | (ratio < 1 / UNIT_FACTOR)))
    if odd.is_empty():
        return []
    ids, who = _people(stored, odd["annotator"].to_list())
    return [_row(
        "units_differ",
        f"Times of {who} are typically {odd['ms'][0]:.3g} ms, over {UNIT_FACTOR:.0f} times away from those of the "
        "others: another unit was imported. Where hardness is in log-seconds it compares times of the same annotator "
        "and is unharmed; speeds and means are not.",
        ids,
    )]  # fmt: skip


def _clocks(stored: StoredTrials) -> list[Row]:
    """Annotators whose browser's clock says more time than the server saw pass, or goes back."""
    counts = (
        stored.trials.filter(pl.col("source") == "browser").group_by("annotator")
        .agg(n=pl.len(), bad=pl.col("null_reason").is_in([str(reason) for reason in CLOCK_REASONS]).sum())
        .filter((pl.col("bad") >= FEWEST_TIMES) & (pl.col("bad") > CLOCK_SHARE * pl.col("n"))).sort("annotator")
    )  # fmt: skip
    if counts.is_empty():
        return []
    ids, who = _people(stored, counts["annotator"].to_list())
    share = int(counts["bad"].sum()) / int(counts["n"].sum())
    return [_row(
        "drifted_clocks",
        f"In {share:.0%} of the trials of {who} the browser's clock contradicts the server's: it says more time than "
        "passed between handing out and receiving, or goes back. Those trials have no time; others of the same "
        "machine may be wrong by less than can be seen.",
        ids,
    )]  # fmt: skip


def _low_reliability(found: Estimates, needed: int | None, target: float) -> list[Row]:
    fit = found.fit
    if fit is None or not np.isfinite(fit.reliability) or fit.reliability >= LOW_RELIABILITY:
        return []
    if any(one.name == "too_few_judgments" for one in fit.warnings):
        return []
    more = f" About {needed:,} more judgments would bring each item to {target}." if needed else ""
    return [_row(
        "low_reliability",
        f"The reliability is {max(fit.reliability, 0):.2f}: single items cannot be told apart yet, only groups of "
        f"them.{more}",
    )]  # fmt: skip
