"""Did training more on a hard set help? Against the baseline and against as many random items."""

from __future__ import annotations

from typing import Any

from mining.strategies.retraining import MEAN_RECALL

from .charts import intervals
from .section import Column, Headline, RoundFiles, Section, Table, counted, figure, interval_text, learner_title

ARM_TITLES = {"baseline": "As it is", "hard_set": "Hard set", "random_control": "Random control"}
TITLES_OF_KIND = {
    "online": {"baseline": "Uniform", "hard_set": "Strategy", "random_control": "Random control"},
    "balance": {"baseline": "As it is", "hard_set": "Balanced", "random_control": "As much at random"},
}
VERDICT_TONES = {"better": "good", "worse": "warning", "no difference shown": "neutral"}


def build(files: RoundFiles) -> Section:
    section = Section("retraining", "Does training on the hard items help?")
    experiments = files.retraining["experiments"]
    if not experiments:
        section.text.append("No hard set could be tried in training this round.")
        return section
    first = experiments[0]
    section.text.append(
        f"{learner_title(files.retraining['learner'])} was trained {counted(first['n_seeds'], 'time')} in three ways "
        f"and judged on {counted(first['n_test'], 'item')} that mining never sees: as it is, with the hard set "
        "weighing more, and "
        "with as many random items weighing more. A change is called one only where its interval leaves out zero "
        "against both."
    )
    if trust := files.retraining.get("heldout", {}).get("words"):
        section.text.append(trust)
    section.headlines.append(_headline(experiments))
    rows = [
        {"label": _label(one), "group": group, **{part: one[key][part] for part in ("value", "low", "high")}}
        for one in experiments
        for key, group in (("hard_minus_baseline", "Against as it is"), ("hard_minus_control", "Against random"))
    ]
    section.charts.append(
        intervals("retraining", "Change in accuracy", rows, "Accuracy gained",
                  "Accuracy gained by each hard set against the baseline and the random control, with intervals.")
    )  # fmt: skip
    section.tables.append(_table(experiments, files.classes))
    for one in experiments:
        section.text += [f"{one['title']}: {warning}." for warning in one["warnings"]]
        if one["n_stopped"]:
            section.text.append(
                f"{one['title']}: the noise gate kept {counted(one['n_stopped'], 'item')} from weighing more."
            )
    return section


def _label(experiment: dict[str, Any]) -> str:
    return f"{experiment['title']} (mean recall)" if experiment.get("judged_by") == MEAN_RECALL else experiment["title"]


def _headline(experiments: list[dict[str, Any]]) -> Headline:
    order = {"better": 0, "worse": 1}
    shown = min(experiments, key=lambda one: order.get(one["verdict"], 2))
    gain = shown["hard_minus_baseline"]
    measure = "mean recall" if shown.get("judged_by") == MEAN_RECALL else "accuracy"
    return Headline(
        "retraining", "Retraining", shown["verdict"].capitalize(),
        f"{shown['title']}: {measure} {figure(gain['value'], 3)} against the baseline, "
        f"{figure(shown['hard_minus_control']['value'], 3)} against as many random items.",
        interval_text(gain, 3), VERDICT_TONES[shown["verdict"]],
    )  # fmt: skip


def _arm_title(experiment: dict[str, Any], arm: dict[str, Any]) -> str:
    return TITLES_OF_KIND.get(experiment.get("kind", ""), ARM_TITLES)[arm["name"]]


def _table(experiments: list[dict[str, Any]], classes: list[str]) -> Table:
    columns = (
        Column("set", "Hard set"), Column("arm", "Trained"), Column("accuracy", "Accuracy", "percent"),
        Column("worst", "Worst class"), Column("worst_recall", "Its recall", "percent"),
        Column("calibration", "Calibration error", "number"), Column("change", "Against as it is", "interval"),
        Column("verdict", "Verdict"),
    )  # fmt: skip
    rows = []
    for one in experiments:
        for arm in one["arms"]:
            hard = arm["name"] == "hard_set"
            rows.append(
                [one["title"], _arm_title(one, arm), arm["accuracy"], classes[arm["worst_class"]],
                 arm["worst_recall"], arm["calibration_error"], one["hard_minus_baseline"] if hard else None,
                 one["verdict"] if hard else ""]
            )  # fmt: skip
    return Table("experiments", "The three ways", columns, rows)
