"""Verbs for the queue's rankings: work out which items come next where the order follows response times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F, Sum

from annotations.models import Annotator, Item, Project, QueueRanking
from mining.human_words import known_measure, words_of

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
    rows = Item.objects.filter(project=project).order_by("ordinal").values_list("pk", "taken", "needed", "role")
    schema = {"item": pl.Int64, "taken": pl.Int32, "needed": pl.Int32, "role": pl.String}
    if project.draws_boxes:
        rows = rows.filter(box_width__isnull=True)  # objects are not handed out; images are, by the time they took
    items = read_columns(rows.iterator(), schema)
    numbers, precision = _ranked(project, items, trial_table(project, items))
    ranking, _ = QueueRanking.objects.update_or_create(
        project=project,
        defaults={
            "order": project.order,
            "measure": _measure_of(project),
            "item_ids": [] if numbers is None else items["item"].to_numpy()[numbers[:RANKED_AT_MOST]].tolist(),
            "precision": precision,
            "n_trials": n_trials,
        },
    )
    return ranking


def _trial_counts(project_ids: list[int]) -> dict[int, int]:
    counts = Annotator.objects.filter(project__in=project_ids).order_by().values_list("project_id")
    return dict(counts.annotate(n=Sum(F("n_answered") + F("n_skipped"))))


def _measure_of(project: Project) -> str:
    """Return the measure that the order follows. Adaptive needs a standard error: it is that of times alone."""
    return "time" if project.order == Project.Order.ADAPTIVE else known_measure(project.human_measure)


def _ranked(project: Project, items: pl.DataFrame, trials: pl.DataFrame) -> tuple[np.ndarray | None, float | None]:
    """Return numbers of the items that can be judged, best first, and the expected precision; None where not known."""

    from mining.hardness.next_judgments import BadEstimates, rank_for_judgment
    from mining.hardness.timing import BadTrials
    from mining.people import fit_times, score_of, trial_arrays, trials_for

    measure = _measure_of(project)
    used = trials_for(measure, trials)
    open_items = ((items["taken"] < items["needed"]) & (items["role"] == "")).to_numpy()
    by_times = words_of(measure).needs != "answers"
    if used.height == 0 or (by_times and used["response_ms"].null_count() == used.height):
        return None, None
    try:
        if not words_of(measure).is_fitted:
            return _hardest_first(score_of(measure)(*trial_arrays(used), len(items)), open_items), None
        fit = fit_times(used, len(items), with_labels=measure == "time_and_labels")
        if project.order == Project.Order.HARDEST:
            return _hardest_first(fit.item_effect, open_items), None
        found = rank_for_judgment(
            fit.item_effect, fit.item_se, share=project.hard_share, judgment_precision=fit.typical_precision,
            item_sd=fit.item_sd, can_be_judged=open_items,
        )  # fmt: skip
    except (BadTrials, BadEstimates):
        return None, None
    return found.order, found.precision


def _hardest_first(hardness: np.ndarray, open_items: np.ndarray) -> np.ndarray | None:
    """Return numbers of the open items whose hardness is known, hardest first; None where it is known of none."""
    import numpy as np

    known = ~np.isnan(hardness)
    if not known.any():
        return None
    order = np.argsort(-np.where(known, hardness, -np.inf), kind="stable")
    return order[open_items[order] & known[order]]
