"""Suspects of mislabelling: the given label stands against the model, and people do not stand behind it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mining.learners.parameters import Parameter
from mining.strategies.hard_examples import best_other_class
from mining.strategies.noise_gate import NoiseGateSettings, against_given, gate_answers
from mining.strategies.strategy import BoolArray, IntArray, Selection, Strategy, Table, ranked

MARGIN = Parameter(
    "margin", 0.3, "How much more likely the model must find another class than the given one.", low=0.0, high=1.0
)


def _pick(table: Table, eligible: BoolArray, values: Mapping[str, Any]) -> Selection:
    judged = against_given(table)
    given, probabilities = judged["given"], judged["probabilities"]
    answers = gate_answers(judged, NoiseGateSettings())
    likely, claimed = best_other_class(probabilities, given)
    belief = np.asarray(probabilities[np.arange(len(given)), np.maximum(given, 0)], dtype=np.float64)
    lead = likely - belief
    vouched = answers.settled & answers.same_label
    contradicted = answers.settled & ~answers.same_label
    qualifies = eligible & (given >= 0) & (lead > values["margin"]) & ~vouched

    def reason(index: IntArray) -> list[str]:
        return [
            f"labelled {given[row]}, but the model finds class {claimed[row]} likelier by {lead[row]:.2f}"
            + (f"; people agree on {judged['people_label'][row]}" if contradicted[row] else "")
            for row in index
        ]

    # Those whom people contradict too come first.
    return ranked(lead + contradicted, qualifies, values["limit"], reason)


LABEL_ERRORS = Strategy(
    name="label_errors",
    title="Suspected label errors",
    description="Items whose given label the model contradicts clearly, and people do not vouch for.",
    reference="Normalised margin of confident learning, Northcutt, Jiang & Chuang 2021",
    parameters=(MARGIN,),
    needs=("probabilities", "given"),
    pick=_pick,
    use="people",
)
