"""What more rounds have brought: test accuracy and hard sets round by round, and when to stop."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mining.hardness.share_interval import share_interval
from mining.strategies.retraining import BETTER, WORSE, Difference, paired_difference
from mining.strategies.strategy import IntArray

PATIENCE = 2
"""So many rounds in a row must change nothing."""
SMALL_SHARE = 0.1
"""Hard sets stand still where a smaller share of their members is new."""
TOO_EARLY, GO_ON, STOP = "too early", "go on", "stop"


@dataclass(frozen=True)
class RoundAnswers:
    """What a round's model said of the held-out items, and how its hard sets compare with the round before."""

    number: int
    items: IntArray
    """Ids of the held-out items that it scored, each once."""
    predicted: IntArray
    n_hard: int
    """Members of all its hard sets together."""
    n_compared: int = 0
    """Members of the sets whose strategy had a set in an earlier round too; 0 where there are none."""
    n_new: int = 0
    """Of those, how many were not in the earlier one."""


@dataclass(frozen=True)
class CurvePoint:
    number: int
    accuracy: float
    low: float
    high: float
    n_test: int
    change: Difference | None
    """Accuracy minus that of the round before, on the items both scored."""
    n_hard: int
    new_share: float | None


@dataclass(frozen=True)
class StopAdvice:
    verdict: str
    """`TOO_EARLY`, `GO_ON` or `STOP`."""
    text: str


def learning_curve(rounds: Sequence[RoundAnswers], items: IntArray, truth: IntArray) -> list[CurvePoint]:
    """Judge every round by the same labels, the newest: else a repaired label would look like learning.

    `rounds` from the first to the last; `items` and `truth` (n,) are ids and labels of the held-out items as of now.
    Rounds that scored none of them are left out.
    """
    order = np.argsort(items)
    ids, labels = items[order], truth[order]
    points: list[CurvePoint] = []
    before: tuple[IntArray, IntArray] | None = None
    for answers in rounds:
        known = np.isin(answers.items, ids)
        if not known.any():
            continue
        mine = answers.items[known]
        right = (answers.predicted[known] == labels[np.searchsorted(ids, mine)]).astype(np.int64)
        low, high = share_interval(int(right.sum()), len(right))
        new_share = answers.n_new / answers.n_compared if answers.n_compared else None
        change = None if before is None else _change(before, (mine, right))
        points.append(
            CurvePoint(answers.number, float(right.mean()), low, high, len(right), change, answers.n_hard, new_share)
        )
        before = (mine, right)
    return points


def _change(before: tuple[IntArray, IntArray], now: tuple[IntArray, IntArray]) -> Difference | None:
    shared, old, new = np.intersect1d(before[0], now[0], assume_unique=True, return_indices=True)
    if len(shared) == 0:
        return None
    return paired_difference(now[1][new][None].astype(np.float64), before[1][old][None].astype(np.float64))


def stop_advice(points: Sequence[CurvePoint], patience: int = PATIENCE) -> StopAdvice:
    """Say whether another round is likely to be worth it, in plain words.

    Stop where for `patience` rounds in a row the change of accuracy holds zero and less than a tenth of the hard sets
    was new. No change shown is not no change: the text says how large a gain could still hide.
    """
    recent = points[-patience:]
    if len(points) <= patience or any(point.change is None for point in recent):
        return StopAdvice(TOO_EARLY, f"Too early to say: {patience + 1} rounds that can be compared are needed.")
    last = points[-1]
    moved = [point for point in recent if point.change is not None and point.change.verdict in (BETTER, WORSE)]
    if moved:
        point = moved[-1]
        assert point.change is not None
        word = "rose" if point.change.verdict == BETTER else "fell"
        amount = abs(100 * point.change.value)
        if point.change.verdict == WORSE:
            return StopAdvice(
                GO_ON, f"Look first: in round {point.number} accuracy {word} by {amount:.1f} points. See what changed."
            )
        return StopAdvice(GO_ON, f"Go on: in round {point.number} accuracy {word} by {amount:.1f} points.")
    fresh = [point for point in recent if point.n_hard and (point.new_share is None or point.new_share >= SMALL_SHARE)]
    if fresh:
        share = fresh[-1].new_share
        found = "hard items that were not there before" if share is None else f"{100 * share:.0f} % new hard items"
        return StopAdvice(
            GO_ON, f"Go on: round {fresh[-1].number} found {found}, though no change of accuracy is shown."
        )
    sets = "hold the same items" if last.n_hard else "are empty"
    hidden = 100 * max(point.change.high for point in recent if point.change is not None)
    gain = f"up to {hidden:.1f} points" if hidden >= 0.05 else "less than 0.1 points"
    return StopAdvice(
        STOP,
        f"Stop: the last {patience} rounds changed nothing. Accuracy stands at {100 * last.accuracy:.1f} %, and the "
        f"hard sets {sets}. A gain of {gain} a round could hide in the noise.",
    )
