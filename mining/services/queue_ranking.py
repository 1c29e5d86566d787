"""Verbs for the queue's rankings: work out which items come next where the order follows response times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F, Sum

from annotations.models import Annotator, Item, Project, QueueRanking

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

RANKED_ORDERS = (Project.Order.HARDEST, Project.Order.ADAPTIVE)
RANKED_AT_MOST = 2000
FEWEST_NEW_TRIALS = 20
NEW_SHARE = 0.01
"""A ranking is worked out anew once there are 20 more trials, or a hundredth more in a large project."""


def projects_to_rank() -> list[int]:
    """Return ids of projects whose ranking no longer says what their trials say."""
    projects = Project.objects.filter(order__in=RANKED_ORDERS, archived_at__isnull=True).values_list("pk", "order")
    have = {ranking.project_id: ranking for ranking in QueueRanking.objects.defer("item_ids")}
    counts = _trial_counts([pk for pk, _ in projects])
    due = []
    for pk, order in projects:
        ranking = have.get(pk)
        known = ranking.n_trials if ranking and ranking.order == order else 0
        if counts.get(pk, 0) - known >= max(FEWEST_NEW_TRIALS, NEW_SHARE * known):
            due.append(pk)
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
    rows = Item.objects.filter(project=project).order_by("ordinal").values_list("pk", "taken", "needed", "role")
    schema = {"item": pl.Int64, "taken": pl.Int32, "needed": pl.Int32, "role": pl.String}
    if project.draws_boxes:
        rows = rows.filter(box_width__isnull=True)  # objects are not handed out; images are, by the time they took
    items = read_columns(rows.iterator(), schema)
    timed = trial_table(project, items).filter("timed")
    numbers, precision = _ranked(project, items, timed)
    ranking, _ = QueueRanking.objects.update_or_create(
        project=project,
        defaults={
            "order": project.order,
            "item_ids": [] if numbers is None else items["item"].to_numpy()[numbers[:RANKED_AT_MOST]].tolist(),
            "precision": precision,
            "n_trials": n_trials,
        },
    )
    return ranking


def _trial_counts(project_ids: list[int]) -> dict[int, int]:
    counts = Annotator.objects.filter(project__in=project_ids).order_by().values_list("project_id")
    return dict(counts.annotate(n=Sum(F("n_answered") + F("n_skipped"))))


def _ranked(project: Project, items: pl.DataFrame, timed: pl.DataFrame) -> tuple[np.ndarray | None, float | None]:
    """Return numbers of the items that can be judged, best first, and the expected precision; None where not known."""
    import numpy as np

    from mining.hardness.next_judgments import BadEstimates, rank_for_judgment
    from mining.hardness.timing import BadTrials
    from mining.people import fit_times

    open_items = ((items["taken"] < items["needed"]) & (items["role"] == "")).to_numpy()
    if timed.height == 0 or timed["response_ms"].null_count() == timed.height:
        return None, None
    try:
        fit = fit_times(timed, len(items), with_labels=False)
        found = rank_for_judgment(
            fit.item_effect, fit.item_se, share=project.hard_share, judgment_precision=fit.typical_precision,
            item_sd=fit.item_sd, can_be_judged=open_items,
        )  # fmt: skip
    except (BadTrials, BadEstimates):
        return None, None
    if project.order == Project.Order.ADAPTIVE:
        return found.order, found.precision
    order = np.argsort(-np.nan_to_num(fit.item_effect, nan=-np.inf), kind="stable")
    return order[open_items[order] & ~np.isnan(fit.item_effect)[order]], None
