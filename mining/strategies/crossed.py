"""Where people and models part: blind spots of the model, and what only people find hard."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mining.learners.parameters import Parameter
from mining.strategies.noise_gate import BLIND_SPOT, HUMAN_ONLY, NoiseGateSettings, gate_verdicts
from mining.strategies.strategy import BoolArray, IntArray, Selection, Strategy, Table, percent_rank, ranked

FEWEST = Parameter(
    "min_judgments", 2, "Fewest judgments before people count as having settled an item.", low=1, high=1000
)
SLOW = Parameter("slow_share", 1.0 / 3.0, "Share of the items that people are called slow on.", low=0.0, high=1.0)


def _settings(values: Mapping[str, Any]) -> NoiseGateSettings:
    return NoiseGateSettings(min_judgments=int(values["min_judgments"]), slow_share=float(values["slow_share"]))


def _pick_blind_spots(table: Table, eligible: BoolArray, values: Mapping[str, Any]) -> Selection:
    verdict = gate_verdicts(table, _settings(values))
    given, probabilities = table["given"], table["probabilities"]
    belief = np.asarray(probabilities[np.arange(len(given)), np.maximum(given, 0)], dtype=np.float64)

    def reason(index: IntArray) -> list[str]:
        return [
            f"people are quick and agree on {given[row]}; the model gives it p = {belief[row]:.2f}" for row in index
        ]

    return ranked(1.0 - belief, eligible & (verdict == BLIND_SPOT), values["limit"], reason)


def _pick_human_only(table: Table, eligible: BoolArray, values: Mapping[str, Any]) -> Selection:
    verdict = gate_verdicts(table, _settings(values))
    hardness = np.asarray(table["time_hardness"], dtype=np.float64)
    slower = percent_rank(hardness, np.ones(len(hardness), dtype=bool))
    top = np.asarray(table["probabilities"].max(axis=1), dtype=np.float64)

    def reason(index: IntArray) -> list[str]:
        return [
            f"people are slower than on {min(100 * slower[row], 99):.0f} % of the items; the model is right at p = "
            f"{top[row]:.2f}"
            for row in index
        ]

    return ranked(hardness, eligible & (verdict == HUMAN_ONLY), values["limit"], reason)


BLIND_SPOTS = Strategy(
    name="blind_spots",
    title="Blind spots",
    description="The model is surprised; people are quick and agree with the given label. Safe to train on.",
    reference="Attenberg, Ipeirotis & Provost 2015 (unknown unknowns)",
    parameters=(FEWEST, SLOW),
    needs=("probabilities", "given", "people_label", "n_judgments"),
    pick=_pick_blind_spots,
)
HUMAN_ONLY_HARD = Strategy(
    name="human_only",
    title="Hard for people only",
    description="People are slow where the model is sure and right.",
    reference="The noise gate's fourth row (docs/mining.md)",
    parameters=(FEWEST, SLOW),
    needs=("probabilities", "given", "time_hardness", "n_judgments"),
    pick=_pick_human_only,
)
