"""What a stage of a round holds while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hardness_site.jobs.models import JobMessage
from hardness_site.jobs.running import JobCancelled, JobRun
from mining.artifacts import Folder
from mining.models import Round, RoundStage

CHECK_EVERY_SECONDS = 0.5

OnProgress = Callable[[int, int], None]


@dataclass
class StageRun:
    """One run of one stage: its round, its folder, its progress, and what it has found to be missing."""

    run: JobRun
    round: Round
    missing: list[dict[str, str]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Folder:
        return Folder(self.round.folder)

    @property
    def params(self) -> dict[str, Any]:
        return dict(self.round.params)

    def on_progress(self, doing: str) -> OnProgress:
        """Return a function (done, total) that says so in words and raises when the job was cancelled."""

        def progress(done: int, total: int) -> None:
            self.run.progress(done, total, stage=doing)

        return progress

    def lack(self, what: str, remedy: str) -> None:
        """Note what is missing and what to do about it; the stage goes on where it can."""
        entry = {"what": what, "remedy": remedy}
        if entry not in self.missing:
            self.missing.append(entry)
            self.run.note(f"{what} {remedy}", level=JobMessage.Level.WARNING)

    def write_json(self, name: str, content: Any) -> None:
        self.files[name] = self.folder.write_json(name, content)

    def write_table(self, name: str, table: Any) -> None:
        self.files[name] = self.folder.write_table(name, table)

    def write_arrays(self, name: str, arrays: Any) -> None:
        self.files[name] = self.folder.write_arrays(name, arrays)

    def result(self, **facts: Any) -> dict[str, Any]:
        """Return what the stage's row keeps: what is missing, its files with their sha256, and these facts."""
        return {**facts, "missing": self.missing, "files": self.files}


@dataclass
class PieceRun(StageRun):
    """One run of one piece of a stage's work: what it finds is its result, and the stage makes words of it."""

    stage_id: int = 0
    _checked: float = 0.0

    def check(self) -> None:
        """Raise JobCancelled when the piece or its stage is to stop, JobLost when somebody else does it."""
        if time.monotonic() - self._checked < CHECK_EVERY_SECONDS:
            return
        self.run.check()
        self.check_stage(RoundStage.objects.filter(pk=self.stage_id).select_related("job").first())

    def check_stage(self, stage: RoundStage | None) -> None:
        """Raise JobCancelled when the stage, read just now with its job, is not running or is to stop."""
        self._checked = time.monotonic()
        if stage is None or stage.status != Round.Status.RUNNING or stage.job is None or stage.job.cancel_requested:
            raise JobCancelled
