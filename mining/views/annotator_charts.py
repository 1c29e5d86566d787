"""What the page of one annotator draws: Vega-Lite specifications as plain data, made from stored figures.

Written out by hand and not by Altair, which takes a second to load and which no web process loads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Spec = dict[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
HEIGHT = 240
CELL = 24
LETTERS_ABREAST = 30
"""Names of classes up to so many letters in all stand side by side; longer ones are turned."""
SMALLEST_SHARE = 0.005
"""Cells of a confusion matrix below this say nothing that can be seen."""


def chart_of(name: str, facts: dict[str, Any], classes: Sequence[str], fast_guess_ms: float) -> Spec | None:
    """Return the specification of one chart, None where there is nothing to draw."""
    if name == "practice":
        return _course(facts["practice"], "Trial", log=True)
    if name == "sitting":
        return _course(facts["sitting"], "Trial of the sitting", log=False)
    if name == "times":
        return _times(facts["times"], fast_guess_ms)
    if name == "confusion" and facts["confusion"]:
        return _confusion(facts["confusion"]["matrix"], facts["confusion"]["support"], classes)
    return None


def _course(points: list[dict[str, Any]], title: str, *, log: bool) -> Spec | None:
    if len(points) < 2:
        return None
    rows = [{name: _rounded(value) for name, value in point.items()} for point in points]
    x = {"field": "place", "type": "quantitative", "title": title, "axis": {"format": ",.0f"}}
    # Fewer grid lines than a logarithmic axis draws by itself, and none below one trial.
    x["scale"] = {"type": "log", "nice": False} if log else {"zero": False}
    y = {"type": "quantitative", "scale": {"zero": False}, "title": "Typical time (ms)"}
    tips = [
        _tip("place", "trial", ",.0f"), _tip("ms", "typical ms", ",.0f"), _tip("low", "low", ",.0f"),
        _tip("high", "high", ",.0f"), _tip("n", "times", ","),
    ]  # fmt: skip
    known = {"filter": "isValid(datum.low)"}
    return _spec(rows, layer=[
        {"mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.45}, "transform": [known],
         "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}},
        {"mark": {"type": "line", "strokeWidth": 1.5}, "encoding": {"x": x, "y": {**y, "field": "ms"}}},
        {"mark": {"type": "point", "filled": True, "size": 50},
         "encoding": {"x": x, "y": {**y, "field": "ms"}, "tooltip": tips}},
    ])  # fmt: skip


def _times(bins: list[dict[str, Any]], fast_guess_ms: float) -> Spec | None:
    if not bins:
        return None
    rows = [{name: round(value, 2) for name, value in one.items()} for one in bins]
    x = {"type": "quantitative", "scale": {"type": "log", "nice": False}, "title": "Response time (ms)",
         "axis": {"format": ",.0f"}}  # fmt: skip
    bars: Spec = {
        "mark": {"type": "bar", "binSpacing": 1},
        "encoding": {
            "x": {**x, "field": "from", "bin": "binned"}, "x2": {"field": "to"},
            "y": {"field": "trials", "type": "quantitative", "title": "Trials", "axis": {"tickMinStep": 1}},
            "tooltip": [_tip("from", "from ms", ",.0f"), _tip("to", "to ms", ",.0f"), _tip("trials", "trials", ",")],
        },
    }  # fmt: skip
    if not rows[0]["from"] < fast_guess_ms < rows[-1]["to"]:
        return _spec(rows, layer=[bars])
    line = {
        "data": {"values": [{"at": fast_guess_ms}]}, "mark": {"type": "rule", "strokeDash": [4, 4]},
        "encoding": {"x": {**x, "field": "at"}},
    }  # fmt: skip
    return _spec(rows, layer=[bars, line])


def _confusion(matrix: list[list[float]], support: list[float], classes: Sequence[str]) -> Spec | None:
    size = min(len(matrix), len(classes))
    if not size:
        return None
    names = list(classes[:size])
    rows = [
        {"consensus": names[right], "answer": names[said], "share": matrix[right][said], "items": support[right]}
        for right in range(size)
        for said in range(size)
        if support[right] > 0 and matrix[right][said] >= SMALLEST_SHARE
    ]
    angle = 0 if sum(map(len, names)) <= LETTERS_ABREAST else -40
    axis = {"sort": names, "scale": {"domain": names}, "type": "nominal"}
    tips = [
        {"field": "consensus", "title": "consensus"}, {"field": "answer", "title": "answer"},
        _tip("share", "share", ".1%"), _tip("items", "items", ",.0f"),
    ]  # fmt: skip
    spec = _spec(rows, layer=[{
        "mark": {"type": "rect"},
        "encoding": {
            "x": {**axis, "field": "answer", "title": "Answer", "axis": {"labelAngle": angle, "labelLimit": 90}},
            "y": {**axis, "field": "consensus", "title": "Consensus"},
            "color": {"field": "share", "type": "quantitative", "title": "Share of answers",
                      "scale": {"range": "ramp", "domain": [0, 1]}, "legend": {"orient": "bottom", "format": ".0%"}},
            "tooltip": tips,
        },
    }])  # fmt: skip
    spec["height"] = {"step": CELL}
    return spec


def _spec(rows: list[dict[str, Any]], **content: Any) -> Spec:
    return {"$schema": SCHEMA, "data": {"values": rows}, "width": "container", "height": HEIGHT, **content}


def _tip(field: str, title: str, format: str) -> Spec:
    return {"field": field, "type": "quantitative", "title": title, "format": format}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
