"""Hardness of items from the response times of people: crossed effects of items and annotators.

Model (van der Linden 2006, lognormal response times with crossed random effects)::

    y_ij = mean + l_j b_i + a_j + c_j ln(position) + f_j trials since the break + e_ij,    e_ij ~ t_nu(0, s_j)

``y`` is ln seconds (and ``l_j`` 1), or a score of the time's rank among those of its annotator, whichever foretells the
times of other annotators better (both, where that is open: `_scales`). ``b_i`` is the hardness of item i (higher is
harder), ``a_j`` how slow annotator j is, ``c_j`` and ``f_j`` how practice and fatigue change their times, ``s_j`` how
noisy they are, ``l_j`` how strongly hardness shows in their ranks. ``b_i`` is shrunken: little evidence stays close to
the mean, or with labels close to what the answers foretell. Trials without an answer count as longer than their bound.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mining.hardness import _cautions as cautions
from mining.hardness import _crossed as crossed
from mining.hardness._curve import STRAIGHT
from mining.hardness._kernels import NO_BOUND_MS
from mining.hardness._label_prior import Answers, LabelPrior, read_answers, wrong_answer_effect
from mining.hardness._layout import NO_FLOATS, Layout, Parts, lay_out
from mining.hardness._scales import LOG_SECONDS, Scale, choose_scale
from mining.hardness._trials import (
    BadTrials,
    Caution,
    read_bounds,
    read_codes,
    read_labels,
    read_positions,
    read_times,
    since_break,
    take_off,
)

__all__ = ["BadTrials", "Caution", "ResponseTimeFit", "fit_response_times"]

Array = NDArray[np.float64]
FEW_TRIALS = 12
"""Where annotators have fewer, ranks among them say little, and their speed is borrowed from the others. With more, an
annotator's speed does not touch hardness at all: all their times doubled change nothing."""
FEWEST_ITEMS_FOR_LABELS = 20
"""Below this a regression on answers has nothing to learn from."""


@dataclass(frozen=True, slots=True)
class ResponseTimeFit:
    """Hardness of every item from response times. Higher is harder."""

    scale: str
    """Unit of the effects: ``log-seconds`` (.1: 10 % longer) or ``annotator SDs`` (of an annotator's own times)."""
    item_effect: Array
    """(n_items,) hardness, centred on the judged items; NaN where never judged."""
    item_se: Array
    """(n_items,) standard error of `item_effect`; NaN where never judged."""
    item_reliability: Array
    """(n_items,) 1 - SE^2 / item_sd^2, 0 to 1; NaN where never judged or noise cannot be told apart."""
    n_judgments: NDArray[np.int64]
    """(n_items,) trials, the censored ones included."""
    n_censored: NDArray[np.int64]
    """(n_items,) trials without an answer."""
    annotator_effect: Array
    """(n_annotators,) slowness; 0 is the average annotator; NaN where an annotator code has no trials."""
    annotator_sd: Array
    """(n_annotators,) noise of one judgment (scale of the t distribution)."""
    practice: Array
    """(n_annotators,) change per unit of ln(position); negative is getting faster; 0 without `position`."""
    item_sd: float
    """SD of true hardness between items; NaN where it cannot be told from noise."""
    reliability: float
    """Reliability of the score as a whole: the mean over judged items; NaN as above."""
    noise_degrees: float
    """Degrees of freedom of the t distribution of noise: 200 is normal, 3 has heavy tails."""
    wrong_answer_effect: float
    """ln of how many times longer an unusual answer takes on the same item; NaN without `label`."""
    typical_precision: float
    """Precision (1 / variance) that one more judgment by a typical annotator adds."""
    warnings: tuple[Caution, ...]
    """What the reader must know, each with a stable name."""
    n_sweeps: int
    converged: bool
    fatigue: Array = field(default_factory=lambda: NO_FLOATS)
    """(n_annotators,) change over 100 trials without a break, beyond practice; 0 without `session`."""
    annotator_loading: Array = field(default_factory=lambda: NO_FLOATS)
    """(n_annotators,) how strongly hardness shows in the annotator's scores; 1 on average, 1 for all in log-seconds."""
    score_curve: Array = field(default_factory=lambda: STRAIGHT)
    """(2,) bend of the rank scores, see `_curve`; zeros in log-seconds."""
    missed_as_slow: float = float("nan")
    """Share of the trials without an answer that count as slow answers, cut off by the limit; NaN without any."""

    def judgments_needed(self, target: float) -> NDArray[np.int64]:
        """Return how many more judgments each item needs for a reliability of ``target``.

        Args:
            target: reliability between 0 and 1, for example .8.

        Returns:
            (n_items,) counts, 0 where the target is reached; -1 when item and noise cannot be told apart.
        """
        if not 0 < target < 1:
            raise BadTrials("target_out_of_range", f"`target` is {target!r}; a reliability lies between 0 and 1.")
        n_items = self.item_effect.shape[0]
        if not (self.item_sd > 0 and np.isfinite(self.typical_precision) and self.typical_precision > 0):
            return np.full(n_items, -1, dtype=np.int64)
        wanted = 1 / ((1 - target) * self.item_sd**2)
        have = np.where(np.isnan(self.item_se), 1 / self.item_sd**2, 1 / self.item_se**2)
        missing = np.ceil((wanted - have) / self.typical_precision - 1e-9)
        return np.clip(missing, 0, np.iinfo(np.int64).max / 2).astype(np.int64)


def fit_response_times(
    item: ArrayLike,
    annotator: ArrayLike,
    response_ms: ArrayLike,
    *,
    position: ArrayLike | None = None,
    label: ArrayLike | None = None,
    n_items: int | None = None,
    censored_at_ms: ArrayLike | None = None,
    shift_ms: float = 0.0,
    session: ArrayLike | None = None,
) -> ResponseTimeFit:
    """Estimate the hardness of every item from the response times of its judgments.

    Two answers of an annotator to one item count as two judgments. The order of trials, and how items and annotators
    are numbered, do not matter.

    Args:
        item: item codes 0, 1, 2, ..., shape (n_trials,).
        annotator: annotator codes, shape (n_trials,).
        response_ms: milliseconds; NaN is a trial without an answer (censored), shape (n_trials,). Leave out trials
            that say nothing about time, for instance because the tab was hidden.
        position: 1-based order in which the annotator saw the item. With it practice is taken off, and the state that
            makes neighbouring trials alike (`_serial`).
        label: label codes given, -1 for none. With them disagreement and the class tell about hardness, too.
        n_items: number of items, when some may have no trial.
        censored_at_ms: until when a censored trial was observed, a number or shape (n_trials,), NaN where unknown.
            Without it the longest time of the same annotator is taken, unless the times show that there was no limit.
        shift_ms: time of the hand, taken off every time before the logarithm.
        session: codes of the sittings, which breaks lie between, shape (n_trials,); annotators may share codes. Needs
            `position`. With them fatigue since the last break is told from practice.

    Raises:
        BadTrials: the trials cannot be used; its ``name`` says why.
    """
    item = read_codes(item, "item", n_codes=n_items)
    n = item.shape[0]
    annotator = read_codes(annotator, "annotator", n)
    times = take_off(read_times(response_ms, n), shift_ms)
    if n_items is None:
        n_items = int(item.max()) + 1 if n else 0
    positions = None if position is None else read_positions(position, n)
    since = None if session is None else since_break(annotator, positions, session)
    labels = None if label is None else read_labels(label, n)
    bounds = NO_FLOATS if censored_at_ms is None else read_bounds(censored_at_ms, times, shift_ms)
    parts = Parts(n)
    with parts.open():
        courses = [] if positions is None else [np.log(positions)]
        if since is not None:
            courses.append(since)
        layout = lay_out(item, annotator, times, bounds, courses, n_items, parts)
        del courses
        answers = None if labels is None else read_answers(item, labels, n_items)
        longer = float("nan")
        if labels is not None and answers is not None:
            longer = wrong_answer_effect(item, annotator, times, labels, answers, parts)
        return _fit(layout, answers, longer, given_bounds=bounds.shape[0] > 0)


def _fit(layout: Layout, answers: Answers | None, longer: float, *, given_bounds: bool) -> ResponseTimeFit:
    table = cautions.survey(layout)
    cautions.refuse_pages(layout, table)
    layout.sort_by_blocks()
    judged, lost = layout.count_items().sum(axis=0, dtype=np.int64).T.copy()
    found = cautions.about_trials(layout, table, judged, int(lost.sum()), layout.again)
    if lost.any() and not given_bounds and not cautions.bounds_are_plausible(layout, table):
        layout.log_times[layout.item < 0] = np.log(NO_BOUND_MS / 1000)
        found.append(Caution(
            "censored_without_bound",
            f"{int(lost.sum())} trials without a time are left aside: neither the longest times nor those of others on "
            "the same items point to a time limit. Give `censored_at_ms` if there was one.",
        ))  # fmt: skip
    if layout.n_trials == 0 or table[:, 0].sum() == 0:
        return _nothing(layout.n_items, layout.n_annotators, judged, lost, found)
    kept = _courses_to_remove(layout, judged, found)
    layout.courses = layout.courses[kept]
    if 0 not in kept:
        layout.typical_position = NO_FLOATS
    sizes = np.diff(layout.offsets)
    borrow = bool(np.median(sizes[sizes > 0]) < FEW_TRIALS)
    if not borrow:
        # From here on an annotator's trials are only compared with each other.
        layout.centre(table[:, 1])
    scale = choose_scale(layout, borrow=borrow)
    state = scale.state
    if scale.unit == LOG_SECONDS and not borrow:
        state.a += table[:, 1] - np.mean(table[sizes > 0, 1])
    if kept[:1] == [0]:
        unit = 1.0 if scale.unit == LOG_SECONDS else np.sqrt(table[:, 2])
        found += cautions.about_drift(layout, state.c[:, 0] * unit, np.sqrt(state.s2) * unit)
    slopes = np.zeros((layout.n_annotators, 2))
    slopes[:, kept] = state.c
    return _report(layout, scale, slopes, judged, lost, found, answers, longer)


def _courses_to_remove(layout: Layout, judged: NDArray[np.int64], found: list[Caution]) -> list[int]:
    """Return which of practice (0) and fatigue (1) can be told from hardness; say which cannot."""
    kept = []
    for at, (course, name) in enumerate(zip(layout.courses, ("practice", "fatigue"), strict=False)):
        if not course.any():
            continue
        if cautions.order_share(layout, at, judged) <= cautions.FIXED_ORDER:
            kept.append(at)
        elif all(caution.name != "fixed_order" for caution in found):
            found.append(Caution(
                "fixed_order",
                f"Annotators saw the items in similar orders: {name} cannot be told from hardness, and is not removed. "
                "Items shown early look harder than they are.",
            ))  # fmt: skip
    return kept


def _report(
    layout: Layout, scale: Scale, slopes: Array, judged: NDArray[np.int64], lost: NDArray[np.int64],
    found: list[Caution], answers: Answers | None, longer: float,
) -> ResponseTimeFit:  # fmt: skip
    on, state = judged > 0, scale.state
    variance, between = _uncertainty(layout, state, answers, on)
    if scale.other is not None:
        also, spread = _uncertainty(layout, scale.other, answers, on)
        variance = scale.weight * variance + (1 - scale.weight) * also * between / spread
    se = np.sqrt(variance)
    reliability = np.clip(1 - se**2 / between, 0, 1)
    kappa = (state.nu + 1) / (state.nu + 3)
    present = np.diff(layout.offsets) > 0
    if not state.identified or on.sum() < 2:
        found.append(Caution(
            "noise_not_identified",
            "No item has two judgments (or there is one item): item and noise cannot be told apart. The order of "
            "hardness is the best guess; its reliability is unknown.",
        ))  # fmt: skip
        se = np.full(layout.n_items, np.sqrt(between + float(state.s2[present].mean())))
        between, reliability = float("nan"), np.full(layout.n_items, np.nan)
    elif state.variance < 1e-12:
        found.append(Caution("no_variation", "All times are equal: they tell nothing about hardness."))
        reliability = np.full(layout.n_items, np.nan)
    if not state.converged:
        found.append(Caution("not_converged", f"The estimates still moved after {state.n_sweeps} sweeps."))

    def judged_only(values: Array) -> Array:
        return np.where(on, values, np.nan)

    return ResponseTimeFit(
        scale=scale.unit,
        item_effect=judged_only(scale.effects(on)),
        item_se=judged_only(se),
        item_reliability=judged_only(reliability),
        n_judgments=judged,
        n_censored=lost,
        annotator_effect=np.where(present, state.a, np.nan),
        annotator_sd=np.where(present, np.sqrt(state.s2), np.nan),
        practice=np.where(present, slopes[:, 0], np.nan),
        item_sd=float(np.sqrt(between)),
        reliability=float(np.mean(reliability[on])),
        noise_degrees=state.nu,
        wrong_answer_effect=longer,
        typical_precision=float(np.median((kappa * state.load**2 / (state.s2 + state.doubt))[present])),
        warnings=tuple(found),
        n_sweeps=state.n_sweeps,
        converged=state.converged,
        fatigue=np.where(present, slopes[:, 1], np.nan),
        annotator_loading=np.where(present, state.load, np.nan),
        score_curve=scale.curve,
        missed_as_slow=_missed_as_slow(state, lost, found),
    )


def _missed_as_slow(state: crossed.Crossed, lost: NDArray[np.int64], found: list[Caution]) -> float:
    if not lost.any():
        return float("nan")
    return 0.0 if any(caution.name == "censored_without_bound" for caution in found) else state.missed_as_slow


def _uncertainty(
    layout: Layout, state: crossed.Crossed, answers: Answers | None, on: NDArray[np.bool_]
) -> tuple[Array, float]:
    """Return (n_items,) variances of the item effects and the variance between items; let answers move the effects."""
    between, certain = state.sd_b2, crossed.share_told(layout, state)
    if answers is None or not state.identified or on.sum() < FEWEST_ITEMS_FOR_LABELS:
        return 1 / ((state.known - 1 / between) * certain + 1 / between), between
    prior = LabelPrior(answers, on)
    information = crossed.adopt_prior(layout, state, prior, on)
    return prior.variance(information * certain), prior.rest + float(np.var(prior.mean[on]))


def _nothing(
    n_items: int, n_annotators: int, judged: NDArray[np.int64], lost: NDArray[np.int64], found: list[Caution]
) -> ResponseTimeFit:
    """Return the fit of trials of which none has a time."""
    found.append(Caution("no_times", "No trial has a response time."))
    unknown, nan = np.full(n_items, np.nan), float("nan")
    nobody = np.full(n_annotators, np.nan)
    return ResponseTimeFit(
        LOG_SECONDS, unknown, unknown, unknown, judged, lost, nobody, nobody, nobody, nan, nan, nan, nan, nan,
        tuple(found), 0, True, nobody, nobody,
    )  # fmt: skip
