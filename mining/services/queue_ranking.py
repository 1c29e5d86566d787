"""Verbs for the queue's rankings: work out which items come next where the order follows response times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from django.db.models import F, Sum
from numpy.typing import NDArray

from annotations.models import Annotator, Item, Project, QueueRanking
from annotations.queue.ranked import ADAPTIVE_BATCH
from mining.human_words import known_measure, words_of

if TYPE_CHECKING:
    import polars as pl

RANKED_ORDERS = (Project.Order.HARDEST, Project.Order.ADAPTIVE)
RANKED_AT_MOST = 2000
FEWEST_NEW_TRIALS = 20
NEW_SHARE = 0.01
"""A ranking is worked out anew once there are 20 more trials, or a hundredth more in a large project."""


def projects_to_rank() -> list[int]:
    """Return ids of projects whose ranking no longer says what their trials say."""
    projects = list(
        Project.objects.filter(order__in=RANKED_ORDERS, archived_at__isnull=True).only("pk", "order", "human_measure")
    )
    have = {ranking.project_id: ranking for ranking in QueueRanking.objects.defer("item_ids")}
    counts = _trial_counts([project.pk for project in projects])
    due = []
    for project in projects:
        ranking = have.get(project.pk)
        same = ranking is not None and (ranking.order, ranking.measure) == (project.order, _measure_of(project))
        known = ranking.n_trials if ranking is not None and same else 0
        if counts.get(project.pk, 0) - known >= max(FEWEST_NEW_TRIALS, NEW_SHARE * known):
            due.append(project.pk)
    return due


def rank_queue(*, project_id: int) -> QueueRanking | None:
    """Fit the project's response times and store the items whose judgments are worth most; safe to run at any time.

    Returns None where the project is gone or its order follows no ranking. Where item and noise cannot be told apart
    yet, the list is empty and the queue goes on at random.
    """
    import polars as pl

    from mining.adapters import trial_table
    from mining.adapters.columns import read_columns

    project = Project.objects.filter(pk=project_id, order__in=RANKED_ORDERS).first()
    if project is None:
        return None
    n_trials = _trial_counts([project_id]).get(project_id, 0)
    rows = (
        Item.objects.filter(project=project)
        .order_by("ordinal")
        .values_list("pk", "taken", "answered", "needed", "role")
    )
    schema = {"item": pl.Int64, "taken": pl.Int32, "answered": pl.Int32, "needed": pl.Int32, "role": pl.String}
    if project.draws_boxes:
        rows = rows.filter(box_width__isnull=True)  # objects are not handed out; images are, by the time they took
    items = read_columns(rows.iterator(), schema)
    found = _ranked(project, items, trial_table(project, items))
    ids = items["item"].to_numpy()
    ranking, _ = QueueRanking.objects.update_or_create(
        project=project,
        defaults={
            "order": project.order,
            "measure": _measure_of(project),
            "item_ids": ids[found.numbers[:RANKED_AT_MOST]].tolist(),
            "plan": [[int(ids[number]), int(items["taken"][number]) + n] for number, n in found.planned],
            "precision": found.precision,
            "n_trials": n_trials,
        },
    )
    # What was drawn by an older list, or while there was none, would be judged before anything of this one.
    Annotator.objects.filter(project=project, drawn_by__in=("random", str(project.order))).exclude(drawn=[]).update(
        drawn=[]
    )
    return ranking


def _trial_counts(project_ids: list[int]) -> dict[int, int]:
    counts = Annotator.objects.filter(project__in=project_ids).order_by().values_list("project_id")
    return dict(counts.annotate(n=Sum(F("n_answered") + F("n_skipped"))))


def _measure_of(project: Project) -> str:
    """Return the measure that the order follows. Adaptive needs a standard error: it is that of times alone."""
    return "time" if project.order == Project.Order.ADAPTIVE else known_measure(project.human_measure)


@dataclass(frozen=True, slots=True)
class _Ranked:
    """Numbers of the items that can be judged, best first; none where nothing is known yet.

    `planned`: how many of the next judgments each item of the plan gets. `precision`: the expected one.
    """

    numbers: NDArray[np.int64]
    planned: Sequence[tuple[int, int]] = ()
    precision: float | None = None


def _ranked(project: Project, items: pl.DataFrame, trials: pl.DataFrame) -> _Ranked:
    from mining.hardness.next_judgments import BadEstimates, rank_for_judgment
    from mining.hardness.timing import BadTrials
    from mining.people import fit_times, score_of, trial_arrays, trials_for

    measure = _measure_of(project)
    used = trials_for(measure, trials)
    open_items = ((items["taken"] < items["needed"]) & (items["role"] == "")).to_numpy()
    nothing = _Ranked(np.empty(0, dtype=np.int64))
    by_times = words_of(measure).needs != "answers"
    if used.height == 0 or (by_times and used["response_ms"].null_count() == used.height):
        return nothing
    try:
        if not words_of(measure).is_fitted:
            return _Ranked(_hardest_first(score_of(measure)(*trial_arrays(used), len(items)), open_items))
        fit = fit_times(used, len(items), with_labels=measure == "time_and_labels")
        if project.order == Project.Order.HARDEST:
            return _Ranked(_hardest_first(fit.item_effect, open_items))
        found = rank_for_judgment(
            fit.item_effect, fit.item_se, share=project.hard_share, judgment_precision=fit.typical_precision,
            item_sd=fit.item_sd, batch=ADAPTIVE_BATCH,
            can_be_had=np.where(open_items, (items["needed"] - items["taken"]).clip(0).to_numpy(), 0),
            on_their_way=(items["taken"] - items["answered"]).clip(0).to_numpy(),
        )  # fmt: skip
    except (BadTrials, BadEstimates):
        return nothing
    return _Ranked(found.order, list(Counter(found.plan.tolist()).items()), found.precision)


def _hardest_first(hardness: NDArray[np.float64], open_items: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return numbers of the open items whose hardness is known, hardest first."""
    known = ~np.isnan(hardness)
    order = np.argsort(-np.where(known, hardness, -np.inf), kind="stable")
    return order[open_items[order] & known[order]]
