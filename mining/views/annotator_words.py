"""One annotator's figures as sentences: what each says, its interval, and where it is unknown, why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from annotations.timing.reasons import Reason
from hardness_site.templatetags.site import figure, ms, percentage
from mining.templatetags.mining_marks import log_percent

from .people_words import OTHER_REASONS

Row = dict[str, Any]
NO_GOLD = "No gold item was answered: choose some on the Items page, and set their share in Settings."
NO_REPEATS = "No hidden repeats yet: set their share in Settings."


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of an annotator's description; `value` is a dash where it is unknown, and `note` says why."""

    title: str
    value: str
    interval: str = ""
    note: str = ""


def reason_words(name: str) -> str:
    """Return why a trial has no time, as a sentence."""
    if name in list(Reason):
        return Reason(name).sentence
    return OTHER_REASONS.get(name) or f"{name.replace('_', ' ').capitalize() or 'Not said'}."


def facts_of(row: Row, median_of_medians_ms: float | None, fast_guess_ms: float) -> list[Fact]:
    """Return the description of one annotator, in the order of the page."""
    no_times = "" if row["n_timed"] else "None of the trials has a time that can be trusted."
    return [
        Fact("Speed", ms(row["median_ms"]), note=no_times or _speed(row["median_ms"], median_of_medians_ms)),
        Fact(
            "Noise", figure(row["noise"]),
            note=no_times or "How far the times scatter, as a share: 0.3 is about ±30 %. Noisy times count less.",
        ),
        _drift(row, no_times),
        Fact(
            f"Faster than {fast_guess_ms:.0f} ms", percentage(row["fast_share"], 1), _between(row, "fast", 1),
            f"Of {row['n_fast']:,} answers; nobody sees and answers an image so fast." if row["n_fast"] else no_times,
        ),
        Fact(
            "Right on gold items", percentage(row["gold_share"]), _between(row, "gold"),
            f"Of {row['n_gold']:,} answers to items whose label is known to be right." if row["n_gold"] else NO_GOLD,
        ),
        Fact(
            "Right by given labels", percentage(row["given_share"]), _between(row, "given"),
            f"Of {row['n_given']:,} answers to items that came with a label. Where it is wrong, the annotator is right."
            if row["n_given"] else "No label came with the items they answered.",
        ),
        Fact(
            "Agrees with the consensus", percentage(row["agrees"]),
            note="Expected share of answers that are the consensus, theirs among them."
            if row["agrees"] is not None else "There is no consensus of what they answered yet.",
        ),
        _same_answer(row), _same_time(row),
        Fact(
            "Without a time", percentage(row["null_share"], 1),
            note="; ".join(f"{reason_words(name)[:-1]}: {count:,}" for name, count in row["reasons"])
            or "Every trial has a time.",
        ),
    ]  # fmt: skip


def _speed(median_ms: float | None, typical: float | None) -> str:
    if median_ms is None or not typical:
        return "Half of the times are shorter."
    ratio = median_ms / typical
    if 0.95 < ratio < 1.05:
        return "Half of the times are shorter. As fast as the middle annotator."
    words = f"{figure(ratio, 1)} times as long" if ratio >= 1 else f"{percentage(ratio)} of the time"
    return f"Half of the times are shorter. {words} {'as' if ratio >= 1 else 'of'} the middle annotator."


def _drift(row: Row, no_times: str) -> Fact:
    title = "Drift in a sitting"
    if row["drift"] is None:
        return Fact(title, "–", note=no_times or "Needs ten times in sittings of two trials or more.")
    unsure = row["drift_low"] <= 0 <= row["drift_high"]
    note = "Change of times over 100 trials without a break" + (
        "; the interval holds zero, so none is shown." if unsure else "."
    )
    interval = f"{log_percent(row['drift_low'])} to {log_percent(row['drift_high'])}"
    return Fact(title, log_percent(row["drift"]), interval, note)


def _same_answer(row: Row) -> Fact:
    title = "Same answer again"
    if not row["n_labelled"]:
        return Fact(title, "–", note=NO_REPEATS)
    interval = f"{percentage(row['same_low'])} to {percentage(row['same_high'])}"
    return Fact(
        title, percentage(row["n_same"] / row["n_labelled"]), interval, f"Of {row['n_labelled']:,} hidden repeats."
    )


def _same_time(row: Row) -> Fact:
    title = "Same time again"
    if not row["n_repeats"]:
        return Fact(title, "–", note=NO_REPEATS)
    if row["correlation"] is None:
        there = f"there are {row['n_timed_twice']:,}"
        return Fact(title, "–", note=f"Needs four repeats with a time both times, and times that differ; {there}.")
    change = _second_look(row["log_change"])
    return Fact(
        title, figure(row["correlation"]), f"{figure(row['correlation_low'])} to {figure(row['correlation_high'])}",
        f"Correlation of the two logarithms over {row['n_timed_twice']:,} hidden repeats. {change}",
    )  # fmt: skip


def _second_look(log_change: float) -> str:
    words = log_percent(abs(log_change)).lstrip("+")
    if words.startswith("0"):
        return "The second look takes as long."
    return f"The second look takes {words} {'longer' if log_change > 0 else 'less'}."


def _between(row: Row, name: str, digits: int = 0) -> str:
    if row[f"{name}_low"] is None:
        return ""
    return f"{percentage(row[f'{name}_low'], digits)} to {percentage(row[f'{name}_high'], digits)}"
