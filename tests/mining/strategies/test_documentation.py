"""docs/mining.md explains every strategy and every verdict; its example of an added strategy runs."""

import re
from pathlib import Path

import numpy as np
import pytest

from mining.strategies.catalogue import BUILT_IN
from mining.strategies.noise_gate import VERDICTS

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "mining.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("strategy", BUILT_IN, ids=lambda strategy: strategy.name)
def test_every_strategy_is_documented(strategy):
    section = re.split(r"^##", TEXT.split(f"### `{strategy.name}`\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    assert strategy.reference in section
    for parameter in strategy.parameters:
        assert f"`{parameter.name}`" in section


def test_every_verdict_is_documented():
    assert [verdict for verdict in VERDICTS if f"| `{verdict}` |" not in TEXT] == []


def test_the_example_of_an_added_strategy_runs():
    example = re.search(r"```python\n(.*?)```", TEXT, flags=re.DOTALL).group(1)
    assert len(example.strip().splitlines()) <= 21
    names = {}
    exec(example, names)
    table = {"loss": np.array([0.1, 2.0, 3.0]), "time_hardness": np.array([0.0, 1.0, -1.0])}
    picked = names["QUICK_SURPRISES"].select(table, eligible=np.ones(3, dtype=bool))
    assert picked.index.tolist() == [2, 1] and picked.reason[0] == "loss 3.00, yet quick"
