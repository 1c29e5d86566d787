"""What the reader of a time hardness must be told about the trials behind it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri

from mining.hardness import _kernels as kernels
from mining.hardness._layout import Layout
from mining.hardness._trials import BadTrials, Caution

Array = NDArray[np.float64]
QUICKEST_MS, SLOWEST_MS = 100.0, 600_000.0
"""No annotator's typical time lies outside these: the unit is wrong there."""
SECONDS_BELOW_MS = 30.0
"""What is below was in seconds; between this and `QUICKEST_MS` it may be anything."""
FIXED_ORDER = 0.2
"""Share of the variance of positions that lies between items, from where on a practice term would eat hardness."""
PAGE_SHARE = 0.45
SURE_SDS = 2.5
"""Repeats so many standard deviations beyond chance are not chance."""
MOST_TOLD = 200_000
"""Trials that are enough to tell a time limit from losses for other reasons."""
LIMIT_ODDS, SHAPE_ODDS = 2.0, 1.0
"""ln odds that trials given as censored are so, and what the shape of the longest times adds or takes."""
LEAST_CORRELATION = 0.02
DOMINANT = 0.5
DRIFT_FACTOR, FEWEST_FOR_DRIFT, SURE_DRIFT_SDS = 3.0, 20, 3.0
MAD_TO_SD = 1.4826


def survey(layout: Layout) -> Array:
    """Return (n_annotators, 5): observed, mean and variance of ln s, longest, same as before: in the order of trials,
    so before `Layout.sort_by_blocks`.
    """
    out = np.zeros((layout.n_annotators, 5))
    layout.parts.run(
        lambda k: kernels.survey(
            layout.splits[k], layout.splits[k + 1], layout.offsets, layout.item, layout.log_times, out
        )
    )
    return out


def refuse_pages(layout: Layout, table: Array) -> None:
    """Raise where times repeat from trial to trial: they were measured for a page of images, not for an image.

    Times in whole seconds repeat by chance. What counts are repeats beyond those of the same times in random order.
    """
    observed = table[:, 0].sum()
    varied = table[:, 2] > 1e-12
    same = table[varied, 4].sum()
    if observed < 10 or same <= PAGE_SHARE * observed:
        return
    chance, variance = _repeats_by_chance(layout, varied)
    if same - chance > max(PAGE_SHARE * (observed - chance), SURE_SDS * math.sqrt(variance)):
        raise BadTrials(
            "page_level_times",
            f"{same / observed:.0%} of the response times equal the one before, {chance / observed:.0%} would by "
            "chance: they were measured for a page of items and say nothing about one item. Import times of single "
            "items.",
        )


def _repeats_by_chance(layout: Layout, varied: NDArray[np.bool_]) -> tuple[float, float]:
    """Return mean and variance of how many times equal the one before, were each annotator's in random order."""
    mean, variance = 0.0, 0.0
    for j in np.flatnonzero(varied):
        own = slice(layout.offsets[j], layout.offsets[j + 1])
        times = layout.log_times[own][layout.item[own] >= 0]
        share = np.unique(times, return_counts=True)[1] / times.size
        two, three = float(share @ share), float(share**2 @ share)
        mean += times.size * two - 1
        # as the runs of Wald & Wolfowitz, for any number of different values
        variance += times.size * max(two - 2 * three + two * two, 0.0)
    return mean, variance


def bounds_are_plausible(layout: Layout, table: Array) -> bool:
    """Whether trials without a time may have lasted at least as long as the longest time of their annotator.

    Two things tell a time limit from trials that are missing for another reason. Where there was a limit, others are
    slow on those items, too; a trial that is missing at random says nothing about its item. And a limit cuts the upper
    tail off: the longest times lie as low as the share of missing trials says. That is a hint only, since the tails of
    people's times differ.
    """
    some = layout if layout.n_trials <= MOST_TOLD else layout.sample(-(-layout.n_trials // MOST_TOLD))
    shape = SHAPE_ODDS if _tail_is_cut(table, np.diff(layout.offsets) - table[:, 0]) else -SHAPE_ODDS
    return LIMIT_ODDS + shape + _others_are_slow(some) >= 0


def _others_are_slow(layout: Layout) -> float:
    """Return ln of how much likelier the other judgments of the items without a time are, had there been a limit."""
    lost, code, who = layout.item < 0, layout.codes, layout.annotators
    share = np.bincount(who[lost], minlength=layout.n_annotators) / np.maximum(np.diff(layout.offsets), 1)
    # lost trials rank last, at the mean of the normal distribution above what was seen
    late = _hazard(ndtri(1 - np.clip(share, 1e-6, 0.99)))
    z = np.where(lost, late[who], layout.rank_scores())
    n, n_lost = (np.bincount(code[on], minlength=layout.n_items) for on in (slice(None), lost))
    total = np.bincount(code, z, layout.n_items)
    pairs = float(n @ (n - 1))
    if pairs <= 0:
        return 0.0
    rho = max((float(total @ total) - float(z @ z)) / pairs, LEAST_CORRELATION)
    # each lost trial looks at all the other judgments of its item
    weight = n_lost[code] - lost
    looks = np.bincount(code, weight, layout.n_items)
    if not looks.any():
        return 0.0
    squares = float(weight @ weight)
    doubt = squares + rho * (float(looks @ looks) - squares)
    expected = rho * float(late[who[lost]].mean()) * float(looks.sum())
    return (float(weight @ z) - 0.5 * expected) * expected / doubt


def _hazard(cut: Array) -> Array:
    """Mean of the standard normal distribution above ``cut``."""
    return np.asarray(np.exp(-0.5 * cut * cut - 0.5 * math.log(2 * math.pi) - log_ndtr(-cut)))


def _tail_is_cut(table: Array, n_censored: Array) -> bool:
    n, some = table[:, 0], n_censored > 0
    on = some & (n >= 10) & (table[:, 2] > 0)
    if not on.any():
        return True
    share = n_censored[on].sum() / (n_censored[on].sum() + n[on].sum())
    weight = n_censored[on]
    longest = float(np.average((table[on, 3] - table[on, 1]) / np.sqrt(table[on, 2]), weights=weight))
    cut = float(ndtri(1 - share))
    hazard = float(_hazard(np.array(cut)))
    limit = (cut + hazard) / math.sqrt(max(1 - cut * hazard - hazard * hazard, 1e-6))
    complete = float(np.average(ndtri(1 - 0.6 / n[on]), weights=weight))
    # with few censored trials the two cases look alike, and the bound does little harm
    slack = 0.75 if share < 0.03 else 0.3
    return longest <= limit + max(0.5 * (complete - limit), slack)


def order_share(layout: Layout, d: int, judged: NDArray[np.int64]) -> float:
    """Return the share of the variance of a course that lies between items: 0 random order, 1 the same for all."""
    total, by_annotator = layout.add_course(d)
    squares, n = float(by_annotator.sum()), judged.astype(np.float64)
    pairs = float(n @ (n - 1))
    if pairs <= 0 or squares <= 0:
        return 0.0
    return (float(total @ total) - squares) / pairs / (squares / layout.n_trials)


def count_groups(layout: Layout, judged: NDArray[np.int64]) -> int:
    """Return into how many parts the trials fall that share neither an item nor an annotator; ``judged`` (n_items,)."""
    parent = np.arange(layout.n_items, dtype=np.int32)
    return int(kernels.connect(layout.offsets, layout.item, parent, np.count_nonzero(judged)))


def about_trials(layout: Layout, table: Array, judged: NDArray[np.int64], n_censored: int, again: int) -> list[Caution]:
    """Cautions that the trials alone call for; ``again``: how many show their annotator an item again."""
    found = []
    sizes = np.diff(layout.offsets)
    present = np.flatnonzero(sizes)
    typical = np.where(table[:, 0] > 0, np.exp(table[:, 1]) * 1000, np.nan)
    quick = np.flatnonzero((table[:, 0] >= 3) & (typical < QUICKEST_MS))
    if quick.size:
        why = (
            "these times look like seconds"
            if typical[quick[0]] < SECONDS_BELOW_MS
            else ("nobody sees and answers an image so fast; another unit was imported, or times were counted too late")
        )
        found.append(Caution(
            "seconds_as_milliseconds",
            f"{_people(quick, 'typically answers', 'typically answer')} within {typical[quick[0]]:.3g} ms: {why}. "
            "Hardness is unharmed (it compares times of the same annotator); speeds are not.",
        ))  # fmt: skip
    slow = np.flatnonzero((table[:, 0] >= 3) & (typical > SLOWEST_MS))
    if slow.size:
        found.append(Caution(
            "times_too_long",
            f"{_people(slow, 'takes', 'take')} over {SLOWEST_MS / 60_000:.0f} minutes an item: are these milliseconds?",
        ))  # fmt: skip
    if present.size == 1:
        found.append(Caution("one_annotator", "All trials are one annotator's: this is their hardness, not people's."))
    elif present.size > 2 and sizes.max() > DOMINANT * layout.n_trials:
        found.append(Caution(
            "dominant_annotator",
            f"Annotator {int(sizes.argmax())} gave {sizes.max() / layout.n_trials:.0%} of the trials.",
        ))  # fmt: skip
    per_item = float(np.median(judged[judged > 0])) if (judged > 0).any() else 0.0
    if per_item < 2:
        found.append(
            Caution("too_few_judgments", "Most items have a single judgment; two or more tell item from noise.")
        )
    if again:
        found.append(Caution(
            "repeated_judgments",
            f"{again} trials show an annotator an item again. Each counts as a judgment, though people remember.",
        ))  # fmt: skip
    if n_censored > 0.3 * max(layout.n_trials, 1):
        found.append(Caution("much_censored", f"{n_censored / layout.n_trials:.0%} of the trials have no answer."))
    groups = count_groups(layout, judged)
    if groups > 1:
        found.append(Caution(
            "unconnected_groups",
            f"The trials fall into {groups} groups without a common annotator or item. Items of different groups are "
            "compared as if annotators were equally fast on average in each.",
        ))  # fmt: skip
    return found


def _people(codes: NDArray[np.int64], one: str, several: str) -> str:
    """Return who does something; pages put the name in the place of the code."""
    if codes.size == 1:
        return f"Annotator {codes[0]} {one}"
    return f"{codes.size} annotators (first: {codes[0]}) {several}"


def about_drift(layout: Layout, slopes: Array, noise: Array) -> list[Caution]:
    """Caution about annotators whose times run away from the common course of practice.

    ``slopes`` (n_annotators,) are in ln seconds per unit of ln(position), ``noise`` (n_annotators,) is that of a trial.
    The common course is their median: one clock that runs away takes the mean along, and the others would seem to
    drift from it. What may be noise is not said of anybody, nor what sets nobody apart: where neighbouring trials are
    alike, or people learn differently, all slopes scatter more than noise would make them.
    """
    sizes = np.diff(layout.offsets)
    enough = sizes >= FEWEST_FOR_DRIFT
    if not enough.any():
        return []
    apart = np.abs(slopes - np.median(slopes[enough]))
    spread = layout.add_course(0)[1]
    usual = MAD_TO_SD * float(np.median(apart[enough]))
    sure = (apart * np.sqrt(spread) > SURE_DRIFT_SDS * noise) & (apart > SURE_DRIFT_SDS * usual)
    odd = np.flatnonzero(enough & sure & (apart * np.log(np.maximum(sizes, 1)) > math.log(DRIFT_FACTOR)))
    if odd.size == 0:
        return []
    return [Caution(
        "drifting_times",
        f"{_people(odd, 'changes', 'change')} in speed more than {DRIFT_FACTOR:.0f}-fold against the others from the "
        "first trials to the last: a drifting clock, or somebody who stopped trying.",
    )]  # fmt: skip
