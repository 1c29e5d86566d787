"""Kinds of charts that reports share. Sizes and colours are the page's; a specification says what is shown."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np

from mining.comparison.quadrants import QUADRANT_TITLES

from .section import Chart

N_BINS = 30
HEIGHT = 260
LOWEST_DECADE = -4
QUADRANT_ORDER = ("both_hard", "model_only", "people_only", "both_easy")


def finished(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """Return the specification with its data inside; the same chart gives the same text."""
    # Held against Vega-Lite's schema by the tests of rounds, and not in every round: that took half of the drawing.
    spec: dict[str, Any] = chart.to_dict(validate=False)
    spec.pop("config", None)
    return spec


def histogram(name: str, title: str, values: np.ndarray, axis: str, alt_text: str) -> Chart:
    """Count the values here, so that a million items make thirty bars and not a million points."""
    known = values[np.isfinite(values)]
    counts, edges = np.histogram(known, bins=N_BINS)
    rows = [
        {"from": float(low), "to": float(high), "items": int(count)}
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    chart = (
        alt.Chart(alt.Data(values=rows), width="container", height=HEIGHT)
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X("from:Q", bin="binned", title=axis),
            x2="to:Q",
            y=alt.Y("items:Q", title="Items"),
            tooltip=[
                alt.Tooltip("from:Q", format=".2f"),
                alt.Tooltip("to:Q", format=".2f"),
                alt.Tooltip("items:Q", format=","),
            ],
        )
    )
    return Chart(name, title, f"{alt_text} {len(known):,} items.", finished(chart))


def bars_by_class(name: str, title: str, rows: list[dict[str, Any]], axis: str, what: str) -> Chart:
    """A dot and its 95 % interval for every class, hardest first; at most forty."""
    shown = rows[:40]
    base = alt.Chart(alt.Data(values=shown)).encode(y=alt.Y("class:N", sort=None, title=None))
    tips = ["class:N", alt.Tooltip("mean:Q", format=".2f"), alt.Tooltip("n:Q", title="items", format=",")]
    chart = alt.layer(
        base.mark_rule().encode(x=alt.X("low:Q", title=axis), x2="high:Q"),
        base.mark_point(filled=True, size=60).encode(x="mean:Q", tooltip=tips),
        width="container",
        height=alt.Step(22),
    )
    ends = f"hardest {shown[0]['class']}, easiest {shown[-1]['class']}"
    return Chart(name, title, f"Mean {what} of {len(shown)} classes: {ends}.", finished(chart))


def intervals(name: str, title: str, rows: list[dict[str, Any]], axis: str, alt_text: str) -> Chart:
    """A dot and its interval for every row of {"label", "group", "value", "low", "high"}, with a line at zero."""
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("label:N", sort=None, title=None),
        color=alt.Color("group:N", title=None, sort=None, legend=alt.Legend(orient="bottom", columns=3)),
    )
    side_by_side = len({row["label"] for row in rows}) < len(rows)
    if side_by_side:  # several intervals of one label would lie on top of each other
        base = base.encode(yOffset=alt.YOffset("group:N", sort=None))
    # Differences that are all next to nothing: without a width of its own the axis would have one tick and no scale.
    ends = [abs(row[part]) for row in rows for part in ("value", "low", "high") if row[part] is not None]
    scale = alt.Scale(domain=[-0.01, 0.01]) if ends and max(ends) < 0.005 else alt.Undefined
    tips = ["label:N", *(alt.Tooltip(f"{part}:Q", format=".3f") for part in ("value", "low", "high"))]
    chart = alt.layer(
        alt.Chart(alt.Data(values=[{"zero": 0}]))
        .mark_rule(strokeDash=[4, 4])
        .encode(x=alt.X("zero:Q", title=axis, scale=scale)),
        base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q"),
        base.mark_point(filled=True, size=60).encode(x="value:Q", tooltip=tips),
        width="container",
        height=alt.Step(36 if side_by_side else 22, **{"for": "position"}),
    )
    return Chart(name, title, alt_text, finished(chart))


def scatter(
    name: str, title: str, rows: list[dict[str, Any]], *, x_title: str, y_title: str, cuts: tuple[float, float],
    alt_text: str, log_y: bool = False,
) -> Chart:  # fmt: skip
    """Points of {"item", "path", "x", "y", "quadrant"}, with lines at the cuts; `log_y` for what spans decades."""
    # Colour and shape say the same, for eyes that do not tell the colours apart.
    kinds = alt.Scale(domain=[QUADRANT_TITLES[name] for name in QUADRANT_ORDER])
    shapes = alt.Scale(domain=kinds.domain, range=["circle", "triangle-up", "diamond", "circle"])
    points = (
        alt.Chart(alt.Data(values=rows))
        .mark_point(filled=True, size=46, opacity=0.7)
        .encode(
            x=alt.X("x:Q", title=x_title, scale=alt.Scale(zero=False)),
            y=_decades(y_title, [row["y"] for row in rows])
            if log_y
            else alt.Y("y:Q", title=y_title, scale=alt.Scale(zero=False)),
            color=alt.Color("quadrant:N", title=None, scale=kinds, legend=alt.Legend(orient="bottom", columns=2)),
            shape=alt.Shape("quadrant:N", title=None, scale=shapes),
            tooltip=[
                alt.Tooltip("path:N", title="item"),
                alt.Tooltip("label:N"),
                alt.Tooltip("x:Q", title=x_title, format=".2f"),
                alt.Tooltip("y:Q", title=y_title, format=".3~f" if log_y else ".2f"),
            ],
        )
    )
    lines = [
        alt.Chart(alt.Data(values=[{"cut": cut}])).mark_rule(strokeDash=[4, 4], opacity=0.6).encode(**{axis: "cut:Q"})
        for axis, cut in zip("xy", cuts, strict=True)
    ]
    return Chart(name, title, alt_text, finished(alt.layer(points, *lines, width="container", height=380)))


def _decades(title: str, values: list[float]) -> alt.Y:
    """A logarithmic axis with a line at every power of ten; smaller values than its foot stand on the foot."""
    known = [value for value in values if value > 0]
    high = int(np.ceil(np.log10(max(known))))
    low = min(high - 1, max(LOWEST_DECADE, int(np.floor(np.log10(min(known))))))
    powers = [10.0**power for power in range(low, high + 1)]
    scale = alt.Scale(type="log", domain=[powers[0], powers[-1]], clamp=True)
    return alt.Y("y:Q", title=f"{title}, logarithmic", scale=scale, axis=alt.Axis(values=powers, format="~g"))


def stacked(name: str, title: str, rows: list[dict[str, Any]], axis: str, alt_text: str) -> Chart:
    """Bars of {"label", "part", "count"}."""
    chart = (
        alt.Chart(alt.Data(values=rows), width="container", height=alt.Step(30))
        .mark_bar()
        .encode(
            y=alt.Y("label:N", sort=None, title=None),
            x=alt.X("count:Q", title=axis),
            color=alt.Color("part:N", title=None, sort=None, legend=alt.Legend(orient="bottom", columns=2)),
            tooltip=["label:N", "part:N", alt.Tooltip("count:Q", format=",")],
        )
    )
    return Chart(name, title, alt_text, finished(chart))
