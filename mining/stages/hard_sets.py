"""Pick the round's hard sets, freeze them, and say of each member whether it is hard or wrongly labelled."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import polars as pl

from mining.adapters import store_hard_set
from mining.adapters.hard_sets import compare_sets
from mining.human_words import DEFAULT_MEASURE, in_text, measure_words
from mining.models import HardSet
from mining.strategies.catalogue import get_strategy
from mining.strategies.noise_gate import MISLABELLED, VERDICT_TITLES, VERDICTS, against_given, gate_verdicts
from mining.strategies.strategy import Selection, Strategy, StrategyError

from .comparison import main_measure, model_measures
from .context import StageRun
from .second_looks import report_second_looks

MOST_MEMBERS = 10_000
CODE_IN_REASON = re.compile(r"\b(class|labelled|agree on|nearest is) (\d+)")


def run(stage: StageRun) -> dict[str, Any]:
    """Write HardSet rows and hard_sets.json."""
    measures = stage.folder.read_table("measures.parquet")
    classes = [entry["name"] for entry in stage.folder.read_json("snapshot.json")["classes"]]
    table = strategy_table(stage, measures)
    verdicts = gate_verdicts(against_given(table)) if "probabilities" in table else None
    # Mining never sees the held-out test.
    eligible = (measures["split"] != "test").to_numpy()
    picked = []
    wanted = stage.params["strategies"]
    for done, entry in enumerate(wanted):
        strategy = get_strategy(entry["name"])
        stage.run.progress(done, len(wanted), stage=f"Picking: {strategy.title}")
        picked.append(_pick_one(stage, strategy, entry["params"], table, eligible, measures, verdicts, classes))
    _forget_others(stage, [entry["name"] for entry in wanted])
    content = {"hard_sets": picked, "verdict_titles": VERDICT_TITLES, "gate": gate_facts(table, verdicts)}
    stage.write_json("hard_sets.json", content | {"compared": compare_sets(stage.round)})
    return stage.result(hard_sets=picked, second_looks=report_second_looks(stage, measures, table))


def strategy_table(stage: StageRun, measures: pl.DataFrame) -> dict[str, np.ndarray]:
    """Return what strategies choose from: people's columns, and the measures of the round's first learner.

    Measures of the first learner are there under their plain name (`loss`) as well as their full one.
    """
    table: dict[str, np.ndarray] = {
        "given": measures["label"].fill_null(-1).to_numpy().astype(np.int64),
        "given_label": measures["given"].fill_null(-1).to_numpy().astype(np.int64),
        "people_label": measures["consensus"].fill_null(-1).to_numpy().astype(np.int64),
        "n_judgments": measures["n_labels"].to_numpy(),
        **_human_columns(stage, measures),
        "disagreement": _floats(measures, "disagreement"),
        "label_entropy": _floats(measures, "label_entropy"),
    }
    for name in model_measures(measures):
        table[name] = _floats(measures, name)
    main = main_measure(measures, stage.params)
    if main is not None:
        learner = main.rpartition(".")[0]
        table["probabilities"] = stage.folder.read_arrays("predictions.npz")[learner].mean(axis=0, dtype=np.float64)
        for name in model_measures(measures):
            if name.startswith(f"{learner}."):
                table[name.rpartition(".")[2]] = table[name]
    return table


def _human_columns(stage: StageRun, measures: pl.DataFrame) -> dict[str, np.ndarray]:
    """The measure that the project chose. Strategies of time follow it where it is one of times."""
    chosen = stage.folder.read_json("people.json").get("human", {}).get("column", "time_hardness")
    time = measure_words()[_measure_of_times(stage)].column
    columns = {"human_hardness": _floats(measures, chosen), "time_hardness": _floats(measures, time)}
    if time == "time_hardness":
        columns["time_hardness_se"] = _floats(measures, "time_se")
    return columns


def _measure_of_times(stage: StageRun) -> str:
    """Return the chosen measure, or time hardness with answers where a measure of answers alone was chosen."""
    name = stage.folder.read_json("people.json").get("human", {}).get("measure", DEFAULT_MEASURE)
    return DEFAULT_MEASURE if measure_words()[name].needs == "answers" else str(name)


def _floats(measures: pl.DataFrame, name: str) -> np.ndarray:
    return measures[name].cast(pl.Float64).fill_null(np.nan).to_numpy()


def gate_facts(table: dict[str, np.ndarray], verdicts: np.ndarray | None) -> dict[str, int]:
    """Return how many items look mislabelled against the given label, and how many still do against the label used.

    `repaired` are those whose given label is at odds with what learners were trained on: people's label took its place.
    """
    if verdicts is None:
        return {}
    wrong = verdicts == MISLABELLED
    replaced = (table["given_label"] >= 0) & (table["given_label"] != table["given"])
    return {
        "n_given": int((table["given_label"] >= 0).sum()),
        "mislabelled_given": int(wrong.sum()),
        "mislabelled_used": int((gate_verdicts(table) == MISLABELLED).sum()),
        "repaired": int((wrong & replaced).sum()),
    }


def _pick_one(
    stage: StageRun,
    strategy: Strategy,
    params: dict[str, Any],
    table: dict[str, np.ndarray],
    eligible: np.ndarray,
    measures: pl.DataFrame,
    verdicts: np.ndarray | None,
    classes: list[str],
) -> dict[str, Any]:
    if params.get("limit") is None:
        params = {**params, "limit": MOST_MEMBERS}
    try:
        selection = strategy.select(table, eligible=eligible, **params)
    except StrategyError as reason:
        words = str(reason) if str(reason).startswith(strategy.title) else f"{strategy.title}: {reason}"
        stage.lack(f"{words}.", "See what the earlier stages say.")
        selection = Selection(np.zeros(0, dtype=np.int64), np.zeros(0), [], (str(reason),))
    by = _measure_of_times(stage)
    people = "time hardness" if by == DEFAULT_MEASURE else in_text(measure_words()[by].title)
    names = [VERDICTS[int(code)] for code in verdicts[selection.index]] if verdicts is not None else []
    names = names or [""] * len(selection.index)
    counts = {verdict: names.count(verdict) for verdict in VERDICTS if verdict in names}
    hard_set = store_hard_set(
        round_=stage.round,
        strategy=strategy.name,
        params=params,
        items=measures["item"].to_numpy()[selection.index],
        scores=selection.score,
        reasons=[name_classes(reason, classes).replace("time hardness", people) for reason in selection.reason],
        verdicts=names,
        summary={"title": strategy.title, "description": strategy.description, "reference": strategy.reference,
                 "verdicts": counts, "notes": list(selection.notes)},
    )  # fmt: skip
    return {
        "strategy": strategy.name, "title": strategy.title, "params": params, "sha256": hard_set.sha256,
        "n_members": hard_set.n_members, "verdicts": counts, "notes": list(selection.notes),
    }  # fmt: skip


def name_classes(reason: str, classes: list[str]) -> str:
    """Return the sentence with names where it says codes: "of class 3" becomes "of class cat"."""

    def named(match: re.Match[str]) -> str:
        code = int(match.group(2))
        return f"{match.group(1)} {classes[code]}" if code < len(classes) else match.group(0)

    return CODE_IN_REASON.sub(named, reason)


def _forget_others(stage: StageRun, strategies: list[str]) -> None:
    """Drop sets that an earlier, unfinished run of this stage left behind."""
    HardSet.objects.filter(round=stage.round).exclude(strategy__in=strategies).delete()
