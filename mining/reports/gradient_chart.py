"""The loss of items beside the size of its gradient; and how items were learnt, epoch by epoch."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np

from .charts import finished
from .section import Chart

HEIGHT = 300
N_STEPS = 60


def loss_and_gradient(name: str, rows: list[dict[str, Any]], *, n_items: int, n_classes: int) -> Chart:
    """Points of {"item", "path", "x": loss in nats, "y": EL2N} inside the band in which they must lie.

    By the logit of the given class the gradient is 1 - e^-loss; EL2N is that times a factor from sqrt(K / (K - 1)),
    where the rest of the belief is spread evenly, to sqrt 2, where it is all on one other class.
    """
    highest = max([row["x"] for row in rows], default=1.0) or 1.0
    steps = np.linspace(0.0, highest, N_STEPS)
    own = -np.expm1(-steps)
    spread = np.sqrt(n_classes / (n_classes - 1)) if n_classes > 1 else 1.0
    curve = [
        {"x": round(float(x), 4), "even": round(float(y * spread), 4), "one": round(float(y * np.sqrt(2)), 4)}
        for x, y in zip(steps, own, strict=True)
    ]
    base = alt.Chart(alt.Data(values=curve)).encode(x=alt.X("x:Q", title="Loss (nats)"))
    layers = [
        base.mark_line(strokeWidth=1.5, strokeDash=[4, 4], opacity=0.7).encode(y=alt.Y(f"{at}:Q", title="EL2N"))
        for at in ("even", "one")
    ]
    points = (
        alt.Chart(alt.Data(values=rows))
        .mark_point(filled=True, size=36, opacity=0.6)
        .encode(
            x="x:Q",
            y="y:Q",
            tooltip=[
                alt.Tooltip("path:N", title="item"),
                alt.Tooltip("x:Q", title="loss", format=".3f"),
                alt.Tooltip("y:Q", title="EL2N", format=".3f"),
            ],
        )
    )
    some = f", {len(rows):,} of {n_items:,} drawn" if len(rows) < n_items else ""
    return Chart(
        name,
        f"Loss and the size of its gradient{some}",
        "Every point is an item. Between the lines: below, the belief in other classes is spread evenly; above, it is "
        "all on one of them. The loss grows without end, the gradient does not: beyond a loss of about 3 it is at its "
        "largest.",
        finished(alt.layer(*layers, points, width="container", height=HEIGHT)),
    )


def training_map(name: str, learner: str, rows: list[dict[str, Any]], *, n_items: int) -> Chart:
    """Points of {"item", "path", "x": variability, "y": confidence, "turns": forgetting}: the dataset cartography."""
    points = (
        alt.Chart(alt.Data(values=rows), width="container", height=HEIGHT)
        .mark_point(filled=True, size=36, opacity=0.6)
        .encode(
            x=alt.X("x:Q", title="Variability of the belief in the label", scale=alt.Scale(domain=[0, 0.5])),
            y=alt.Y("y:Q", title="Mean belief in the label", scale=alt.Scale(domain=[0, 1])),
            tooltip=[
                alt.Tooltip("path:N", title="item"),
                alt.Tooltip("x:Q", title="variability", format=".2f"),
                alt.Tooltip("y:Q", title="belief", format=".2f"),
                alt.Tooltip("turns:Q", title="forgotten"),
            ],
        )
    )
    some = f", {len(rows):,} of {n_items:,} drawn" if len(rows) < n_items else ""
    return Chart(
        name,
        f"How items were learnt: {learner}{some}",
        "Every point is an item over all epochs. Top left: easy. Right: learnt late, or back and forth. Bottom left: "
        "never learnt, very hard or wrongly labelled.",
        finished(points),
    )
