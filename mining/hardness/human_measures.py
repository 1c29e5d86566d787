"""Every measure of hardness for people, by name. Higher is always harder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mining.hardness import timing_rivals as rivals
from mining.hardness._trials import BadTrials, read_codes, read_labels, read_times
from mining.hardness.timing import fit_response_times

Array = NDArray[np.float64]
Codes = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class HumanMeasure:
    """One recipe from trials to hardness, with what a page needs to describe it."""

    name: str
    title: str
    formula: str
    meaning: str
    range: str
    reference: str
    needs: frozenset[str]
    """``times``, ``labels`` or both."""
    of_trials: Callable[[Codes, Codes, Array, Codes | None, int], Array]

    def compute(
        self,
        item: ArrayLike,
        annotator: ArrayLike,
        response_ms: ArrayLike,
        label: ArrayLike | None = None,
        *,
        n_items: int | None = None,
    ) -> Array:
        """Score items from (n_trials,) codes and times (NaN: no answer); returns (n_items,), NaN where unknown.

        Raises:
            BadTrials: as `timing.fit_response_times`, and where labels are needed and not given.
        """
        item = read_codes(item, "item", n_codes=n_items)
        annotator = read_codes(annotator, "annotator", item.shape[0])
        times = read_times(response_ms, item.shape[0]).astype(np.float64, copy=False)
        if label is None and "labels" in self.needs:
            raise BadTrials("labels_missing", f"{self.title} needs `label`.")
        labels = None if label is None else read_labels(label, item.shape[0])
        if n_items is None:
            n_items = int(item.max()) + 1 if item.size else 0
        return self.of_trials(item, annotator, times, labels, n_items)


def _time(item: Codes, annotator: Codes, response_ms: Array, label: Codes | None, n_items: int) -> Array:
    return fit_response_times(item, annotator, response_ms, n_items=n_items).item_effect


def _time_and_labels(item: Codes, annotator: Codes, response_ms: Array, label: Codes | None, n_items: int) -> Array:
    return fit_response_times(item, annotator, response_ms, label=label, n_items=n_items).item_effect


TIMES, LABELS = frozenset({"times"}), frozenset({"labels"})

HUMAN_MEASURES: dict[str, HumanMeasure] = {
    measure.name: measure
    for measure in (
        HumanMeasure(
            "time", "Time hardness", "b_i of y_ij = mean + b_i + a_j + c_j ln(position) + e_ij",
            "How much longer people take over the item, their own speed, noise and practice taken out.",
            "centred on 0", "van der Linden 2006; crossed random effects", TIMES, _time,
        ),
        HumanMeasure(
            "time_and_labels", "Time hardness with answers", "b_i ~ N(disagreement and class of the answers, tau^2)",
            "Time hardness that also learns from how far the answers differ and which class they name.",
            "centred on 0", "as time hardness, with an empirical-Bayes prior mean", TIMES | LABELS, _time_and_labels,
        ),
        HumanMeasure(
            "raw_mean_time", "Mean time", "mean of T_ij", "Plain mean; slow annotators and lapses weigh most.",
            "ms", "", TIMES, rivals.raw_mean,
        ),
        HumanMeasure(
            "geometric_mean_time", "Geometric mean time", "exp(mean of ln T_ij)",
            "Mean that single long times move less.", "ms", "", TIMES, rivals.geometric_mean,
        ),
        HumanMeasure(
            "ionescu_time", "Ionescu time", "geometric mean of times standardised for each annotator",
            "The recipe of the visual-search difficulty paper, with its rules for dropping times and annotators.",
            "ms", "Ionescu et al., CVPR 2016", TIMES, rivals.ionescu,
        ),
        HumanMeasure(
            "mean_rank_time", "Mean rank of time", "mean of rank_j(T_ij) / (n_j + 1)",
            "Mean place of the item's times among each annotator's own.", "0 to 1", "", TIMES, rivals.mean_rank,
        ),
        HumanMeasure(
            "disagreement", "Disagreement", "share of labels that differ from the consensus",
            "How often people answer something else than the consensus.",
            "0 to 1", "consensus: Dawid & Skene 1979", LABELS, rivals.label_disagreement,
        ),
        HumanMeasure(
            "label_entropy", "Entropy of labels", "-sum share ln share / ln K",
            "How evenly the labels spread over the classes.", "0 to 1", "", LABELS, rivals.label_entropy,
        ),
        HumanMeasure(
            "glad_difficulty", "GLAD difficulty", "-ln beta_i of P(right) = sigmoid(alpha_j beta_i)",
            "Difficulty beside the skill of annotators; in practice close to disagreement.",
            "-4 to 4", "Whitehill et al., NIPS 2009", LABELS, rivals.glad_difficulty,
        ),
    )
}  # fmt: skip
