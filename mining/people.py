"""What people say of every item: hardness from their times, consensus and disagreement from their labels.

Arrays in, a table out; the same for a round and for the `hardness` command, which needs no round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from mining.comparison.reliability import Score
from mining.hardness.agreement import Consensus, consensus, count_labels, disagreement, label_entropy
from mining.hardness.timing import BadTrials, ResponseTimeFit, fit_response_times
from mining.human_words import DEFAULT_MEASURE, known_measure, words_of

NOT_DRAWN = "not_drawn"
"""Why there is no time: the annotator saw the image and drew no box around the object."""
NO_TIMES = {
    "what": "No response time can be used, so there is no time hardness.",
    "remedy": "Let people label in the workbench, or import trials with a response_ms column.",
}
NO_LABELS = {
    "what": "Nobody has labelled anything yet, so there is no consensus.",
    "remedy": "Label some items, or import trials with a label column.",
}


@dataclass(frozen=True)
class PeopleView:
    """`table` has a row for every item, in the items' order; `facts` is what JSON can hold of the whole."""

    table: pl.DataFrame
    facts: dict[str, Any]
    fit: ResponseTimeFit | None


def judge_items(
    items: pl.DataFrame, trials: pl.DataFrame, *, n_classes: int, label_source: str = "people",
    measure: str = DEFAULT_MEASURE,
) -> PeopleView:  # fmt: skip
    """Estimate time hardness, consensus and the label to use of every item, and the measure that the project uses.

    `items` and `trials` are the tables of `mining.adapters`. With `label_source` "people" the consensus counts where
    somebody judged, else the given label; with "given" only labels that came with the import count. `time_hardness`
    also learns from the answers (items that people name differently are slow more often than not); `time_alone` does
    not, so that agreement with models can be told from agreement about labels.
    """
    missing: list[dict[str, str]] = []
    columns: dict[str, Any] = {"item": items["item"], "ordinal": items["ordinal"], "path": items["path"]}
    fit, time_facts = _time_columns(len(items), trials, columns, missing)
    label_facts = _label_columns(len(items), trials, n_classes, columns, missing)
    columns |= _used_labels(items, columns, label_source)
    human = human_facts(measure, str(time_facts.get("scale", "")))
    if human["column"] not in columns:
        columns[human["column"]] = _scored(trials, measure, len(items))
    table = pl.DataFrame(columns).with_columns(pl.col(pl.Float64).fill_nan(None))
    facts = {"missing": missing, "time": time_facts, "labels": label_facts, "human": human}
    return PeopleView(table, facts, fit)


def human_facts(measure: str, scale: str) -> dict[str, str]:
    """Return name, column, title and unit of the measure of hardness by people that a round uses."""
    name = known_measure(measure)
    words = words_of(name)
    return {"measure": name, "column": words.column, "title": words.title, "unit": words.unit or scale}


def measure_items(view: PeopleView, trials: pl.DataFrame, name: str) -> np.ndarray:
    """Return (n_items,) one of `HUMAN_MEASURES`, NaN where unknown, from the trials that `view` was made from."""
    column = words_of(name).column
    if column in view.table.columns:  # those of times also know positions and limits
        return np.asarray(view.table[column].cast(pl.Float64).fill_null(np.nan).to_numpy())
    return _scored(trials, name, len(view.table))


def trials_for(measure: str, trials: pl.DataFrame) -> pl.DataFrame:
    """Return the trials that speak for a measure: those with a usable time, or for answers the labels that count."""
    return labels_that_count(trials) if words_of(measure).needs == "answers" else trials.filter("timed")


def trial_arrays(trials: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return (n_trials,) codes of items and annotators, times with NaN for none, and labels with -1 for none."""
    return (
        trials["item"].to_numpy().astype(np.int64),
        trials["annotator"].to_numpy().astype(np.int64),
        trials["response_ms"].fill_null(np.nan).to_numpy(),
        trials["label"].fill_null(-1).to_numpy().astype(np.int64),
    )


def score_of(name: str) -> Score:
    """Return the measure as a function of trials, all NaN where these trials cannot say it."""
    from mining.hardness.human_measures import HUMAN_MEASURES

    def score(
        item: np.ndarray, annotator: np.ndarray, response_ms: np.ndarray, label: np.ndarray, n_items: int
    ) -> np.ndarray:
        labelled = bool((label >= 0).any())
        # Without any answer, time hardness with answers is time hardness.
        measure = HUMAN_MEASURES["time" if name == "time_and_labels" and not labelled else name]
        if measure.needs == {"labels"} and not labelled:
            return np.full(n_items, np.nan)
        try:
            return measure.compute(item, annotator, response_ms, label if labelled else None, n_items=n_items)
        except BadTrials:
            return np.full(n_items, np.nan)

    return score


def _scored(trials: pl.DataFrame, name: str, n_items: int) -> np.ndarray:
    used = trials_for(name, trials)
    return score_of(name)(*trial_arrays(used), n_items) if len(used) else np.full(n_items, np.nan)


def _time_columns(
    n_items: int, trials: pl.DataFrame, columns: dict[str, Any], missing: list[dict[str, str]]
) -> tuple[ResponseTimeFit | None, dict[str, Any]]:
    timed = trials.filter("timed")
    empty = np.full(n_items, np.nan)
    columns |= {
        "time_hardness": empty,
        "time_alone": empty,
        "time_se": empty,
        "time_reliability": empty,
        "n_judgments": np.bincount(timed["item"].to_numpy(), minlength=n_items).astype(np.int32),
        "n_censored": np.zeros(n_items, dtype=np.int32),
        "raw_mean_ms": _mean_of(timed, pl.col("response_ms"), n_items),
        "geometric_mean_ms": np.exp(_mean_of(timed, pl.col("response_ms").log(), n_items)),
    }
    facts: dict[str, Any] = {
        "n_trials": len(trials), "n_timed": len(timed), "n_censored": int(timed["censored"].sum()),
        "n_annotators": timed["annotator"].n_unique(), "null_reasons": _null_reasons(trials),
    }  # fmt: skip
    if timed["response_ms"].null_count() == len(timed):
        missing.append(NO_TIMES)
        return None, facts
    try:
        fit = fit_times(timed, n_items, with_labels=True)
        alone = fit_times(timed, n_items, with_labels=False)
    except BadTrials as reason:
        missing.append({"what": f"Response times cannot be used: {reason}", "remedy": "Mend the trials it names."})
        return None, facts
    columns |= {
        "time_hardness": fit.item_effect,
        "time_alone": alone.item_effect,
        "time_se": fit.item_se,
        "time_reliability": fit.item_reliability,
        "n_judgments": fit.n_judgments.astype(np.int32),
        "n_censored": fit.n_censored.astype(np.int32),
    }
    facts |= {
        "scale": fit.scale, "reliability": fit.reliability, "item_sd": fit.item_sd,
        "warnings": [{"name": caution.name, "message": caution.message} for caution in fit.warnings],
        "annotator_effect": fit.annotator_effect, "annotator_sd": fit.annotator_sd, "practice": fit.practice,
    }  # fmt: skip
    return fit, facts


def fit_times(timed: pl.DataFrame, n_items: int, *, with_labels: bool) -> ResponseTimeFit:
    """Fit the `timed` trials of `mining.adapters.trial_table`; raises BadTrials where they cannot be used."""
    label = timed["label"].fill_null(-1).to_numpy().astype(np.int64)
    return fit_response_times(
        timed["item"].to_numpy().astype(np.int64),
        timed["annotator"].to_numpy().astype(np.int64),
        timed["response_ms"].fill_null(np.nan).to_numpy(),
        position=timed["position"].to_numpy(),
        label=label if with_labels and (label >= 0).any() else None,
        n_items=n_items,
        censored_at_ms=timed["censored_at_ms"].fill_null(np.nan).to_numpy(),
        session=sittings(timed),
    )


def sittings(timed: pl.DataFrame) -> np.ndarray | None:
    """Return (n_trials,) codes of the sittings between which breaks lie; None where nobody had two."""
    if "session" not in timed.columns:  # taken down before sittings were
        return None
    found = timed.select("annotator", "session").unique()
    if len(found) == found["annotator"].n_unique():
        return None
    return timed["session"].cast(pl.Categorical).to_physical().to_numpy().astype(np.int64)


def _mean_of(timed: pl.DataFrame, value: pl.Expr, n_items: int) -> np.ndarray:
    means = timed.filter(pl.col("response_ms").is_not_null()).group_by("item").agg(value.mean().alias("mean"))
    column = np.full(n_items, np.nan)
    column[means["item"].to_numpy()] = means["mean"].to_numpy()
    return column


def _null_reasons(trials: pl.DataFrame) -> dict[str, int]:
    without = trials.filter(pl.col("response_ms").is_null()).group_by("null_reason").len().sort("null_reason")
    return {reason or "not said": count for reason, count in without.iter_rows()}


def _label_columns(
    n_items: int, trials: pl.DataFrame, n_classes: int, columns: dict[str, Any], missing: list[dict[str, str]]
) -> dict[str, Any]:
    labelled = labels_that_count(trials)
    if labelled.is_empty():
        missing.append(NO_LABELS)
        nothing = np.full(n_items, np.nan)
        columns |= {
            "consensus": np.full(n_items, -1, dtype=np.int16), "consensus_confidence": nothing,
            "disagreement": nothing, "label_entropy": nothing, "n_labels": np.zeros(n_items, dtype=np.int32),
        }  # fmt: skip
        return {"n_labels": 0}
    view = consensus_of(labelled, n_items, n_classes)
    differing, entropy = _with_not_drawn(n_items, trials, labelled, view, n_classes)
    columns |= {
        "consensus": view.label.astype(np.int16), "consensus_confidence": view.confidence,
        "disagreement": differing, "label_entropy": entropy, "n_labels": view.n_labels.astype(np.int32),
    }  # fmt: skip
    return {"n_labels": len(labelled), "method": view.method, "class_share": view.class_share}


def _with_not_drawn(
    n_items: int, trials: pl.DataFrame, labelled: pl.DataFrame, view: Consensus, n_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return disagreement and entropy in which "there is no such object" is an answer too, where objects were drawn."""
    missed = trials.filter(pl.col("null_reason") == NOT_DRAWN)
    if missed.is_empty():
        return view.disagreement, view.entropy
    item = np.concatenate([labelled["item"].to_numpy(), missed["item"].to_numpy()]).astype(np.int64)
    answer = np.concatenate([labelled["label"].to_numpy().astype(np.int64), np.full(len(missed), n_classes)])
    counts = count_labels(item, answer, n_items, n_classes + 1)
    # Of an object that nobody draws any more there is no answer to differ from.
    return disagreement(counts, view.label), np.where(view.label >= 0, label_entropy(counts), np.nan)


def labels_that_count(trials: pl.DataFrame) -> pl.DataFrame:
    """Return one labelled trial an annotator and item: of somebody who was asked again, the latest look counts.

    What people learnt on and hidden repeats say nothing: they would let one person speak twice.
    """
    labelled = trials.filter(pl.col("label").is_not_null())
    # Rounds taken down before there were purposes have no such column.
    if "purpose" not in labelled.columns:
        labelled = labelled.with_columns(purpose=pl.lit(""))
    labelled = labelled.filter(~pl.col("purpose").is_in(["training", "repeat"]))
    if labelled["look"].max() in (None, 1) and not (labelled["purpose"] != "").any():
        return labelled  # each item once by the database's own rule: millions of rows need no sorting
    return labelled.sort("look", "trial").unique(["item", "annotator"], keep="last", maintain_order=True)


def consensus_of(labelled: pl.DataFrame, n_items: int, n_classes: int) -> Consensus:
    """Weigh the labels of `labels_that_count`."""
    return consensus(
        labelled["item"].to_numpy().astype(np.int64),
        labelled["annotator"].to_numpy().astype(np.int64),
        labelled["label"].to_numpy().astype(np.int64),
        n_items,
        n_classes,
    )


def _used_labels(items: pl.DataFrame, columns: dict[str, Any], label_source: str) -> dict[str, Any]:
    """Return the label that learners are trained on and measures are taken against, and where it comes from."""
    given = items["given"].fill_null(-1).to_numpy()
    people = columns["consensus"] if label_source == "people" else np.full(len(items), -1, dtype=np.int16)
    label = np.where(people >= 0, people, given).astype(np.int16)
    origin = np.where(people >= 0, "people", np.where(given >= 0, "given", ""))
    confidence = np.where(people >= 0, columns["consensus_confidence"], np.nan)
    codes = pl.DataFrame({"given": given, "label": label, "consensus": columns["consensus"]})
    coded = codes.select(pl.when(pl.all() >= 0).then(pl.all()))
    return {
        "given": coded["given"], "consensus": coded["consensus"], "label": coded["label"],
        "label_from": origin, "label_confidence": confidence,
    }  # fmt: skip


def split_of(sha256: list[str], share: float, groups: np.ndarray | None = None) -> np.ndarray:
    """Return (n,) "train" or "test" by the image's bytes: an image stays on its side when others come and go. Items of
    one of the `groups` (n,) are on one side.
    """
    from mining.learners.holdout import held_out

    if share <= 0:
        return np.full(len(sha256), "train")
    return np.where(held_out(sha256, share, groups=groups), "test", "train")
