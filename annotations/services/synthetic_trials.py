"""Trials of synthetic annotators, written the way imported ones are, and marked."""

from __future__ import annotations

from collections.abc import Sequence

from annotations.intake.trials_csv import TrialRow
from annotations.models import Annotator, Project
from annotations.simulation import SimulatedTrials, SyntheticAnnotator

from .images import ImportRun
from .written_trials import TrialWriter

CHUNK_ROWS = 2_000
SESSION = "synthetic"


def write_synthetic_trials(
    *,
    run: ImportRun,
    project: Project,
    paths: Sequence[str],
    class_names: Sequence[str],
    annotators: Sequence[SyntheticAnnotator],
    trials: SimulatedTrials,
) -> int:
    """Write simulated trials; return how many are new. Safe to run again with the same trials.

    `paths` and `class_names` say which item and class the row numbers and codes of `trials` are.
    """
    columns = (trials.item, trials.annotator, trials.position, trials.label, trials.response_ms)
    rows = [
        TrialRow(
            number=number,
            item=paths[item],
            annotator=annotators[annotator].name,
            label=class_names[label],
            response_ms=round(response_ms, 1),
            position=position,
            session=SESSION,
        )
        for number, (item, annotator, position, label, response_ms) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True), start=1
        )
    ]
    writer = TrialWriter(project, kind=Annotator.Kind.SYNTHETIC)
    n_new = 0
    for start in range(0, len(rows), CHUNK_ROWS):
        run.progress(start, len(rows), stage="Writing trials of synthetic annotators")
        written = writer.write(rows[start : start + CHUNK_ROWS])
        if written.problems:
            raise ValueError(f"Simulated trial {written.problems[0].number}: {written.problems[0].reason}")
        n_new += written.n_new
    run.progress(len(rows), len(rows))
    return n_new
