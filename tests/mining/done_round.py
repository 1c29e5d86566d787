"""A round that is done, with files written by hand: what pages must show is known."""

from __future__ import annotations

import polars as pl

from mining.artifacts import Folder
from mining.models import Round, RoundStage
from mining.stages import STAGES


def make_round(project, created_by, status: str = "succeeded", **stages: str) -> Round:
    """Return a round in rows only; `stages` name the status of those that differ from the rest."""
    number = project.rounds.count() + 1
    round_ = Round.objects.create(
        project=project, number=number, status=status, folder=f"rounds/{project.pk}/{number}", created_by=created_by,
        params={"learners": [{"name": "hog_svm"}], "strategies": [{"name": "suspicious"}], "seed": 7},
    )  # fmt: skip
    usual = "succeeded" if status == "succeeded" else "queued"
    RoundStage.objects.bulk_create(
        RoundStage(round=round_, index=index, name=name, status=stages.get(name, usual))
        for index, name in enumerate(STAGES)
    )
    return round_


def make_done_round(project, created_by, items, chart=None) -> Round:
    """Return a round with comparison, retraining, report, one chart and measures of `items`."""
    round_ = make_round(project, created_by)
    folder = Folder(round_.folder)
    ids = [item.pk for item in items]
    folder.write_json("snapshot.json", {"classes": [{"name": "cat"}, {"name": "dog"}], "has_synthetic": False})
    folder.write_json("comparison.json", _comparison(ids))
    folder.write_json("retraining.json", _retraining())
    listed = {
        "name": "time_and_loss",
        "title": "Time and loss",
        "alt": "Six points.",
        "file": "charts/time_and_loss.json",
    }
    headline = [
        {"name": "agreement", "title": "People and model agree", "value": "0.41", "interval": "0.28 to 0.53",
         "text": "They agree in part.", "tone": "good"},
    ]  # fmt: skip
    columns = [
        {"name": "item", "title": "Item", "kind": "item"}, {"name": "n", "title": "Judgments", "kind": "count"},
        {"name": "rho", "title": "Rho", "kind": "interval"}, {"name": "share", "title": "Share", "kind": "percent"},
    ]  # fmt: skip
    rows = [[{"id": ids[0], "path": items[0].path}, 1234, interval(-0.2, -0.5, 0.1), 0.625], [
        {"id": ids[1], "path": items[1].path}, None, None, None]]  # fmt: skip
    folder.write_json(
        "report.json",
        {"version": 1, "headline": headline,
         "missing": [{"stage": "features", "what": "One image is gone.", "remedy": "Import it."}],
         "sections": [{"name": "agreement", "title": "Agreement", "text": ["In words."], "charts": ["time_and_loss"],
                       "tables": [{"name": "t", "title": "Slowest", "columns": columns, "rows": rows}]}],
         "charts": [listed], "label_source": "people", "has_synthetic": False, "project": "pets", "round": 1},
    )  # fmt: skip
    folder.write_json(
        "charts/time_and_loss.json", chart or {"mark": "point", "data": {"values": [{"item": ids[0], "x": 1}]}}
    )
    folder.write_table("measures.parquet", _measures(items))
    Round.objects.filter(pk=round_.pk).update(summary={"headline": headline})
    round_.refresh_from_db()
    return round_


def interval(value, low=None, high=None, reason=""):
    return {"value": value, "low": low, "high": high, "n": 6, "reason": reason}


def pair(measure, title, family, learner, rho):
    return {
        "measure": measure, "title": title, "family": family, "learner": learner, "n_items": 6, "spearman": rho,
        "kendall": interval(0.31), "disattenuated": interval(0.52, 0.2, 0.8), "within_classes": interval(0.1),
        "between_classes": interval(None, reason="there are two classes only"),
        "overlap": {"k": 2, "share": 0.5, "chance": 0.33}, "rank_biased_overlap": 0.4, "ties": 0.0,
    }  # fmt: skip


def quadrant(name, title, items):
    return {
        "name": name,
        "title": title,
        "text": f"{title}, in words.",
        "count": len(items),
        "share": 0.5,
        "items": items,
    }


def _comparison(ids):
    pairs = [
        pair("hog_svm.loss", "Loss", "surprise", "hog_svm", interval(0.41, 0.28, 0.53)),
        pair("raw_mean_ms", "Raw mean", "people", None, interval(None, reason="too few items")),
    ]
    cells = [
        quadrant("both_hard", "Hard for both", ids[:2]), quadrant("people_only", "Hard for people", ids[2:3]),
        quadrant("model_only", "Hard for the model", ids[3:4]), quadrant("both_easy", "Easy", []),
    ]  # fmt: skip
    human = {
        "measure": "time_hardness", "title": "Time hardness", "unit": "log-seconds", "n_items": 6, "n_trials": 18,
        "n_annotators": 3, "reliability": interval(0.72, 0.63, 0.79), "ceiling": 0.85, "ties": 0.0,
    }  # fmt: skip
    parted = {"x": "time_hardness", "y": "hog_svm.loss", "x_cut": 0, "y_cut": 1, "cells": cells}
    return {"missing": [], "human": human, "main": "hog_svm.loss", "pairs": pairs, "quadrants": parted}


def _retraining():
    arms = [
        {"name": name, "accuracy": value, "worst_class": 0, "worst_recall": 0.5, "calibration_error": 0.1,
         "recall_by_class": [0.5, 1.0], "accuracy_by_seed": [value - 0.01, value + 0.01]}
        for name, value in (("baseline", 0.9), ("hard_set", 0.925), ("random_control", 0.91))
    ]  # fmt: skip
    difference = {"value": 0.025, "low": -0.004, "high": 0.05, "verdict": "no difference shown"}
    experiment = {
        "strategy": "suspicious", "title": "Suspicious", "verdict": "no difference shown", "arms": arms, "n_stopped": 1,
        "hard_minus_baseline": difference, "hard_minus_control": {**difference, "value": -0.015}, "n_train": 40,
        "n_test": 10, "n_hard": 5, "n_seeds": 2, "warnings": ["the test is small"],
    }  # fmt: skip
    return {"learner": "hog_svm", "experiments": [experiment]}


def _measures(items):
    n = len(items)
    return pl.DataFrame(
        {
            "item": [item.pk for item in items], "ordinal": list(range(n)), "path": [item.path for item in items],
            "label": [1] * n, "label_from": ["people"] * n, "label_confidence": [0.9] * n, "n_judgments": [3] * n,
            "time_hardness": [0.1 * i for i in range(n)],
            "geometric_mean_ms": [640.0, 1240.0, None, 900.0, 1.0, 65_000.0],
            "hog_svm.predicted": [0] * n, "hog_svm.loss": [2.345] * n,
        }
    )  # fmt: skip
