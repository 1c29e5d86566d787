"""What came of the hard sets that were sent back to people before this round."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from annotations.models import Annotation
from mining.adapters.hard_sets import member_items
from mining.artifacts import ArtifactMissing, Folder
from mining.models import SecondLook
from mining.strategies.noise_gate import NoiseGateSettings
from mining.strategies.second_look import OUTCOMES, WAITING, ItemsNow, second_look_outcomes
from mining.strategies.strategy import percent_rank

from .context import StageRun

FILE = "second_looks.json"
SLOW_SHARE = NoiseGateSettings.slow_share


def report_second_looks(stage: StageRun, measures: pl.DataFrame, table: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Write second_looks.json and the outcome of each look's row; `table` is the round's `strategy_table`."""
    looks = [_one_look(stage, look, measures, table) for look in due_looks(stage)]
    stage.write_json(FILE, {"looks": looks})
    for look in looks:
        SecondLook.objects.filter(pk=look["id"]).update(outcome=look["counts"], reported_in=stage.round)
    return [{key: look[key] for key in ("title", "round", "extra_judgments", "counts")} for look in looks]


def due_looks(stage: StageRun) -> list[SecondLook]:
    """Return what was asked before this round began, and of which something is still to be said, oldest first."""
    looks = SecondLook.objects.filter(
        hard_set__round__project=stage.round.project_id, created_at__lt=stage.round.created_at
    ).select_related("hard_set__round", "reported_in")
    return [
        look
        for look in looks.order_by("pk")
        if look.reported_in is None
        or look.reported_in == stage.round
        or (look.reported_in.number < stage.round.number and look.outcome.get(OUTCOMES[WAITING]))
    ]


def _one_look(
    stage: StageRun, look: SecondLook, measures: pl.DataFrame, table: dict[str, np.ndarray]
) -> dict[str, Any]:
    members, rows = _rows_of(member_items(look.hard_set), measures["item"].to_numpy())
    before = _labels_before(look, members)
    people = table["people_label"][rows]
    outcome = second_look_outcomes(
        ItemsNow(
            label_before=before,
            label=people,
            n_new=_new_judgments(stage, look, members),
            n_judgments=np.asarray(table["n_judgments"])[rows],
            disagreement=table["disagreement"][rows],
            slow=_slow(table)[rows],
            surprised=_surprised(table)[rows],
        ),
        look.extra_judgments,
    )
    classes = [entry["name"] for entry in stage.folder.read_json("snapshot.json")["classes"]]
    names = [OUTCOMES[code] for code in outcome.tolist()]
    return {
        "id": look.pk, "hard_set": look.hard_set_id, "version": look.hard_set.version,
        "title": look.hard_set.summary.get("title", look.hard_set.strategy), "round": look.hard_set.round.number,
        "extra_judgments": look.extra_judgments, "n_items": len(members),
        "counts": {name: names.count(name) for name in OUTCOMES if name in names},
        "items": {name: members[outcome == code].tolist() for code, name in enumerate(OUTCOMES) if name in names},
        "labels": _changed(members, before, people, classes, measures["path"][rows].to_list()),
    }  # fmt: skip


def _rows_of(members: np.ndarray, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the members that are among the items, and their rows."""
    order = np.argsort(items, kind="stable")
    place = np.minimum(np.searchsorted(items, members, sorter=order), max(0, len(items) - 1))
    rows = order[place] if len(items) else place
    here = items[rows] == members if len(items) else np.zeros(len(members), dtype=bool)
    return members[here], rows[here]


def _changed(
    members: np.ndarray, before: np.ndarray, now: np.ndarray, classes: list[str], paths: list[str]
) -> dict[str, list[str]]:
    """Return item -> [class before, class now, path] where the label is another."""
    places = np.flatnonzero((before >= 0) & (now >= 0) & (before != now)).tolist()
    return {str(members[at]): [classes[before[at]], classes[now[at]], paths[at]] for at in places}


def _labels_before(look: SecondLook, members: np.ndarray) -> np.ndarray:
    """Return the labels that were used in the round of the set, -1 where there was none."""
    try:
        measures = Folder(look.hard_set.round.folder).read_table("measures.parquet", ["item", "label"])
    except ArtifactMissing:
        return np.full(len(members), -1, dtype=np.int64)
    known = dict(measures.drop_nulls().iter_rows())
    return np.array([known.get(item, -1) for item in members.tolist()], dtype=np.int64)


def _new_judgments(stage: StageRun, look: SecondLook, members: np.ndarray) -> np.ndarray:
    """Count the answers of each member that came after the look, as far as this round's snapshot knows them."""
    first = Annotation.objects.filter(
        supersedes__isnull=True, created_at__gt=look.created_at, trial__purpose="",
        trial__item__in=look.hard_set.members.values("item"),
    )  # fmt: skip
    answers = pl.DataFrame(
        list(first.values_list("trial_id", "trial__item_id")),
        schema={"trial": pl.Int64, "item": pl.Int64},
        orient="row",
    )
    taken_down = stage.folder.read_table("trials.parquet", ["trial"])
    counts = dict(answers.join(taken_down, on="trial", how="semi").group_by("item").len().iter_rows())
    return np.array([counts.get(item, 0) for item in members.tolist()], dtype=np.int64)


def _slow(table: dict[str, np.ndarray]) -> np.ndarray:
    hardness = table["time_hardness"]
    rank = percent_rank(hardness, np.ones(len(hardness), dtype=bool))
    return np.asarray(np.nan_to_num(rank, nan=0.0) > 1.0 - SLOW_SHARE)


def _surprised(table: dict[str, np.ndarray]) -> np.ndarray:
    if "probabilities" not in table:
        return np.zeros(len(table["given"]), dtype=bool)
    known = ~np.isnan(table["probabilities"][:, 0])
    predicted = np.nan_to_num(table["probabilities"]).argmax(axis=1)
    return np.asarray(known & (table["given"] >= 0) & (predicted != table["given"]))
