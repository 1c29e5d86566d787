"""docs/measures.md says of every measure what it is, and says it as the registry does."""

import re
from pathlib import Path

import pytest

from mining.hardness.cautions_of_measures import CAUTIONS
from mining.hardness.registry import DESCRIPTIONS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "measures.md"


def _sections():
    parts = re.split(r"^### `(\w+)`\n", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", list(DESCRIPTIONS))
def test_every_measure_is_documented(name):
    section, measure = _sections()[name], DESCRIPTIONS[name]
    assert f"- **Formula:** {measure.formula}\n" in section
    assert f"- **Range:** {measure.range}\n" in section
    assert f"- **Source:** {measure.reference}\n" in section + "\n"
    assert "- **Meaning:** " in section
    said = section.partition("- **Do not use** ")[2].partition("\n- **")[0]
    plain = " ".join(said.replace("`", "").replace("(see [mining](mining.md))", "").split()).replace(" :", ":")
    assert plain == CAUTIONS[name]


def test_nothing_is_documented_that_does_not_exist():
    assert set(_sections()) <= set(DESCRIPTIONS)
    assert set(CAUTIONS) == set(DESCRIPTIONS)
