"""Learning over rounds: read from the rounds' files, judged by the newest labels, written as learning.json."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np

from mining.artifacts import ArtifactMissing, Folder
from mining.models import Round
from mining.strategies.learning_curve import CurvePoint, RoundAnswers, learning_curve, stop_advice

from .charts import finished
from .section import Chart, RoundFiles

MOST_ROUNDS = 30


def build_learning(files: RoundFiles) -> dict[str, Any]:
    """Return learning.json: the curve up to this round, by its first learner, and the advice."""
    if files.learner is None:
        return {"learner": None, "points": [], "advice": None}
    column = f"{files.learner}.predicted"
    tested = files.measures.filter((files.measures["split"] == "test") & files.measures["label"].is_not_null())
    items, truth = tested["item"].to_numpy(), tested["label"].to_numpy().astype(np.int64)
    earlier = Round.objects.filter(
        project=files.round.project_id, number__lt=files.round.number, status=Round.Status.SUCCEEDED
    ).order_by("-number")[: MOST_ROUNDS - 1]
    answers = [_answers(round_, column) for round_ in [*reversed(earlier), files.round]]
    points = learning_curve([one for one in answers if one is not None], items, truth)
    advice = stop_advice(points)
    return {"learner": files.learner, "points": [_point(one) for one in points], "advice": vars(advice)}


def _answers(round_: Round, column: str) -> RoundAnswers | None:
    """Return what a round's model said of its held-out items; None where that learner was not in it."""
    folder = Folder(round_.folder)
    try:
        scanned = folder.scan_table("measures.parquet")
        if column not in scanned.collect_schema().names():
            return None
        table = folder.read_table("measures.parquet", ["item", "split", column]).drop_nulls()
        sets = folder.read_json("hard_sets.json")
    except ArtifactMissing:
        return None
    table = table.filter(table["split"] == "test")
    changes = sets.get("compared", {}).get("changes", {}).values()
    return RoundAnswers(
        round_.number,
        table["item"].to_numpy(),
        table[column].to_numpy().astype(np.int64),
        n_hard=sum(one["n_members"] for one in sets["hard_sets"]),
        n_compared=sum(change["n_now"] for change in changes),
        n_new=sum(change["n_new"] for change in changes),
    )


def _point(point: CurvePoint) -> dict[str, Any]:
    change = point.change
    return {
        "round": point.number, "accuracy": point.accuracy, "low": point.low, "high": point.high,
        "n_test": point.n_test, "n_hard": point.n_hard, "new_share": point.new_share,
        "change": change and {"value": change.value, "low": change.low, "high": change.high, "verdict": change.verdict},
    }  # fmt: skip


def learning_chart(points: list[dict[str, Any]]) -> Chart | None:
    """Accuracy with its interval round by round; None for a single round."""
    if len(points) < 2:
        return None
    rows = [{name: point[name] for name in ("round", "accuracy", "low", "high", "n_hard")} for point in points]
    base = alt.Chart(alt.Data(values=rows)).encode(x=alt.X("round:O", title="Round", axis=alt.Axis(labelAngle=0)))
    scale = alt.Scale(zero=False)
    drawn = alt.layer(
        base.mark_line().encode(y=alt.Y("accuracy:Q", title="Accuracy on held-out items", scale=scale)),
        base.mark_rule(strokeWidth=2).encode(y="low:Q", y2="high:Q"),
        base.mark_point(filled=True, size=60).encode(
            y="accuracy:Q", tooltip=["round:O", alt.Tooltip("accuracy:Q", format=".3f"), "n_hard:Q"]
        ),
        width="container",
        height=240,
    )
    first, last = points[0], points[-1]
    text = (
        f"Accuracy on held-out items in {len(points)} rounds, with 95 % intervals: {first['accuracy']:.3f} in round "
        f"{first['round']}, {last['accuracy']:.3f} in round {last['round']}."
    )
    return Chart("learning", "Learning over rounds", text, finished(drawn))
