"""The noise gate's table, row by row, and what it saves on digits with planted errors."""

import numpy as np
import pytest

from mining.strategies.noise_gate import (
    AMBIGUOUS,
    BLIND_SPOT,
    HUMAN_ONLY,
    MISLABELLED,
    NONE,
    TRAINABLE,
    UNCLEAR,
    VERDICT_TITLES,
    VERDICTS,
    gate_verdicts,
)

SURE, TORN = [0.05, 0.95, 0.0], [0.4, 0.5, 0.1]


def _verdict(belief, given, *, slow, label, confidence, judgments=3):
    # Nine quick background items make "slow" mean something.
    background = [0.95, 0.05, 0.0]
    table = {
        "probabilities": np.array([belief] + [background] * 9),
        "given": np.array([given] + [0] * 9),
        "time_hardness": np.r_[5.0 if slow else -5.0, np.linspace(-1, 1, 9)],
        "n_judgments": np.r_[judgments, np.full(9, 3)],
        "people_label": np.r_[label, np.zeros(9, dtype=int)],
        "people_confidence": np.r_[confidence, np.ones(9)],
    }
    return gate_verdicts(table)[0]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({"belief": SURE, "given": 0, "slow": False, "label": 1, "confidence": 1.0}, MISLABELLED),
        ({"belief": TORN, "given": 0, "slow": True, "label": 0, "confidence": 0.5}, AMBIGUOUS),
        ({"belief": TORN, "given": 0, "slow": False, "label": 0, "confidence": 0.5}, AMBIGUOUS),
        ({"belief": SURE, "given": 0, "slow": False, "label": 0, "confidence": 1.0}, BLIND_SPOT),
        ({"belief": SURE, "given": 1, "slow": True, "label": 1, "confidence": 1.0}, HUMAN_ONLY),
        ({"belief": SURE, "given": 1, "slow": False, "label": 1, "confidence": 1.0}, NONE),
        ({"belief": SURE, "given": 0, "slow": False, "label": -1, "confidence": np.nan, "judgments": 0}, UNCLEAR),
        ({"belief": SURE, "given": 0, "slow": True, "label": 1, "confidence": 1.0}, UNCLEAR),
        ({"belief": SURE, "given": 0, "slow": False, "label": 1, "confidence": 0.5}, UNCLEAR),
        ({"belief": TORN, "given": 0, "slow": True, "label": 0, "confidence": 1.0, "judgments": 1}, UNCLEAR),
        ({"belief": SURE, "given": -1, "slow": False, "label": 1, "confidence": 1.0}, NONE),
    ],
)
def test_the_table_row_by_row(case, expected):
    assert VERDICTS[_verdict(**case)] == VERDICTS[expected]


def test_without_people_every_surprise_is_unclear_and_nothing_is_mislabelled():
    table = {"probabilities": np.array([SURE, SURE, TORN, [np.nan] * 3]), "given": np.array([0, 1, 0, 0])}
    assert [VERDICTS[code] for code in gate_verdicts(table)] == ["unclear", "none", "unclear", "none"]


def test_disagreement_stands_in_for_confidence():
    table = {
        "probabilities": np.array([SURE]),
        "given": np.array([0]),
        "n_judgments": np.array([4]),
        "people_label": np.array([1]),
        "disagreement": np.array([0.0]),
    }
    assert gate_verdicts(table)[0] == MISLABELLED


def test_what_is_doubtful_is_never_trained_on_with_extra_weight():
    assert MISLABELLED not in TRAINABLE and UNCLEAR not in TRAINABLE
    assert set(VERDICT_TITLES) == set(VERDICTS)
