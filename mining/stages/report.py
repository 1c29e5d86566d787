"""The round in plain words: report.json, its charts, and the manifest of everything that was computed."""

from __future__ import annotations

import platform
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from mining.models import Round
from mining.reports.learning import build_learning, learning_chart
from mining.reports.section import RoundFiles, Section

from .context import StageRun

SECTIONS = ("people", "model", "agreement", "hard_sets", "retraining")
LIBRARIES = ("numpy", "scipy", "scikit-learn", "scikit-image", "imbalanced-learn", "polars", "pillow", "altair")


def run(stage: StageRun) -> dict[str, Any]:
    """Write charts/*.json, report.json and manifest.json, and the round's summary."""
    files = RoundFiles(stage.round)
    sections = []
    for done, name in enumerate(SECTIONS):
        stage.run.progress(done, len(SECTIONS), stage="Writing the report")
        sections.append(import_module(f"mining.reports.{name}").build(files))
    learning = build_learning(files)
    stage.write_json("learning.json", learning)
    _add_learning(sections[-1], learning)
    charts = [chart for section in sections for chart in section.charts]
    for chart in charts:
        stage.write_json(chart.file, chart.spec)
    headline = [vars(headline) for section in sections for headline in section.headlines]
    missing = [
        {"stage": name, **entry}
        for name, result in stage.round.stages.exclude(name="report").order_by("index").values_list("name", "result")
        for entry in result.get("missing", [])
    ]
    report = {
        "version": 1, "project": stage.round.project.slug, "round": stage.round.number,
        "has_synthetic": files.snapshot["has_synthetic"], "label_source": stage.params["label_source"],
        "headline": headline, "missing": missing, "sections": [section.as_dict() for section in sections],
        "charts": [chart.as_dict() for chart in charts],
    }  # fmt: skip
    stage.write_json("report.json", report)
    _write_manifest(stage)
    Round.objects.filter(pk=stage.round.pk).update(summary={"headline": headline, "n_missing": len(missing)})
    return stage.result(n_missing=len(missing))


def _add_learning(section: Section, learning: dict[str, Any]) -> None:
    """Put the curve over rounds, and whether to stop, at the end of the section on retraining."""
    chart = learning_chart(learning["points"])
    if chart is not None:
        section.charts.append(chart)
    if learning["advice"] is not None and len(learning["points"]) > 1:
        section.text.append(learning["advice"]["text"])


def _write_manifest(stage: StageRun) -> None:
    """Say what made every file. Nothing in it depends on when the round ran: equal rounds have equal bytes."""
    params = {name: value for name, value in stage.params.items() if name != "in_process"}
    done = stage.round.stages.exclude(name="report").order_by("index").values_list("name", "result")
    computed = {name: result.get("files", {}) for name, result in done}
    manifest = {
        "project": stage.round.project.slug, "round": stage.round.number, "params": params,
        "versions": {"hardness": own_version(), "python": platform.python_version(),
                     **{name: version(name) for name in LIBRARIES}},
        "files": {**computed, "report": dict(stage.files)},
    }  # fmt: skip
    stage.write_json("manifest.json", manifest)


def own_version() -> str:
    """Return the version of this program, as installed or as declared beside the code."""
    try:
        return version("hardness")
    except PackageNotFoundError:
        import tomllib

        from django.conf import settings

        declared = settings.BASE_DIR / "pyproject.toml"
        return str(tomllib.loads(declared.read_text())["project"]["version"]) if declared.exists() else "unknown"
