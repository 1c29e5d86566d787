"""Trials from a CSV file: every row is taken or refused with its number and the reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import BinaryIO

from annotations.intake.times_survey import SECONDS_BELOW, TimesSurvey
from annotations.intake.trials_csv import BadFile, RowProblem, TrialRow, TrialsReader
from annotations.models import Annotator, Project
from hardness_site.jobs.models import JobMessage

from .images import ImportRun
from .written_trials import TrialWriter

CHUNK_ROWS = 2_000

__all__ = ["BadFile", "TrialSummary", "import_trials"]


@dataclass
class TrialSummary:
    """How many rows were read, and what became of them: n_read = n_new + n_known + n_refused.

    n_missed: rows among the new ones without an answer. n_annotators: how many annotators the rows name.
    """

    n_read: int = 0
    n_new: int = 0
    n_known: int = 0
    n_refused: int = 0
    n_missed: int = 0
    n_annotators: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts as a job's result."""
        return asdict(self)


def import_trials(
    *,
    run: ImportRun,
    project: Project,
    file: BinaryIO,
    time_limit_ms: float | None = None,
    accept_short_times: bool = False,
) -> TrialSummary:
    """Import the trials of a CSV file (`annotations.intake.trials_csv`) that can be read twice.

    Safe to run again: trials that are there are only counted. `time_limit_ms` is when a missed trial was closed, if
    that is known. Raises BadFile, before anything is written, for a header or an encoding that cannot be read, and for
    times that must be seconds.
    """
    reader = TrialsReader(file)
    try:
        run.progress(0, None, stage="Counting rows")
        total = reader.count()
        _check_times(run, reader.survey(), accept_short_times=accept_short_times)
        if reader.unknown_columns:
            text = f"Columns that are not used: {', '.join(reader.unknown_columns)}."
            run.notes([(JobMessage.Level.INFO, "", text)])
        run.progress(0, total, stage="Writing trials")
        writer = TrialWriter(project, kind=Annotator.Kind.IMPORTED, time_limit_ms=time_limit_ms)
        summary = TrialSummary()
        rows: list[TrialRow | RowProblem] = []
        for row in reader:
            rows.append(row)
            if len(rows) >= CHUNK_ROWS:
                _write(run, writer, rows, summary)
                run.progress(summary.n_read, total)
                rows = []
        _write(run, writer, rows, summary)
        run.progress(summary.n_read, total)
    finally:
        reader.close()
    summary.n_annotators = writer.n_annotators
    return summary


def _check_times(run: ImportRun, seen: TimesSurvey, *, accept_short_times: bool) -> None:
    """Refuse times that cannot be those of single items in milliseconds; warn of those that hardly can."""
    if seen.typical_ms is not None and seen.typical_ms < SECONDS_BELOW and not accept_short_times:
        raise BadFile(
            f"The median of response_ms is {seen.typical_ms:g}: nobody answers within {SECONDS_BELOW:g} ms, so these "
            "look like seconds. Multiply them by 1000."
        )
    if seen.like_seconds and not accept_short_times:
        name, value = next(iter(seen.like_seconds.items()))
        more = f" and {len(seen.like_seconds) - 1} more" if len(seen.like_seconds) > 1 else ""
        raise BadFile(
            f"The median of response_ms of annotator {name}{more} is {value:g}: nobody answers within "
            f"{SECONDS_BELOW:g} ms, so these look like seconds. Multiply them by 1000."
        )
    if seen.is_of_pages:
        raise BadFile(
            f"{seen.page_share:.0%} of the times in response_ms (beyond chance) equal the one before: they were "
            "measured for a page of items and say nothing about one item. Import times of single items, or leave "
            "response_ms empty: the labels count all the same."
        )
    warnings: list[tuple[str, str, str]] = [
        (JobMessage.Level.WARNING, name, f"The median of response_ms is {value:,.0f}: over ten minutes. Milliseconds?")
        for name, value in seen.very_long.items()
    ]
    run.notes(warnings)


def _write(run: ImportRun, writer: TrialWriter, rows: list[TrialRow | RowProblem], summary: TrialSummary) -> None:
    problems = [row for row in rows if isinstance(row, RowProblem)]
    written = writer.write([row for row in rows if isinstance(row, TrialRow)])
    problems = sorted([*problems, *written.problems], key=lambda problem: problem.number)
    run.notes([(JobMessage.Level.REFUSED, f"row {problem.number}", problem.reason) for problem in problems])
    summary.n_read += len(rows)
    summary.n_new += written.n_new
    summary.n_known += written.n_known
    summary.n_missed += written.n_missed
    summary.n_refused += len(problems)
