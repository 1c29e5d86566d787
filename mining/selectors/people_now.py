"""Reads of what people say of a project as of now: files that jobs keep up to date. No arithmetic here."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from annotations.models import Project
from hardness_site.jobs.models import Job
from mining.artifacts import ArtifactMissing, Folder
from mining.services.people_now import DETAILS_JOB, FILES_VERSION, PEOPLE_JOB, trials_seen


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the figures are, and how many trials they do not know of."""

    computed_at: datetime | None
    n_new: int
    job: Job | None

    @property
    def is_computing(self) -> bool:
        return self.job is not None and not self.job.is_final

    @property
    def has_failed(self) -> bool:
        return self.job is not None and self.job.status == Job.Status.FAILED


def hardness_of(project: Project) -> dict[str, Any] | None:
    """Return hardness.json, or None while it has not been computed."""
    return _json(project, "hardness.json")


def clock_warnings_of(project: Project) -> list[dict[str, Any]]:
    """Return the warnings of clocks that run at another speed than the server's; empty while none is known."""
    return list((_json(project, "clocks.json") or {}).get("warnings", []))


def annotators_of(project: Project) -> dict[str, Any] | None:
    """Return annotators.json, or None while it has not been computed."""
    return _json(project, "annotators.json")


def annotator_of(project: Project, annotator_id: int) -> dict[str, Any] | None:
    """Return what the page of one annotator draws, or None where that has not been computed."""
    import polars as pl

    try:
        # Read at once, not scanned: the file may be replaced meanwhile.
        file = io.BytesIO(Folder(f"people/{project.pk}").read_bytes("annotator_pages.parquet"))
    except ArtifactMissing:
        return None
    found = pl.scan_parquet(file).filter(pl.col("id") == annotator_id).collect()
    return json.loads(found["facts"][0]) if len(found) else None


def measures_of(project: Project) -> dict[str, Any] | None:
    """Return measures.json, or None while it has not been computed."""
    return _json(project, "measures.json")


def freshness_of(project: Project, facts: dict[str, Any] | None, *, details: bool = False) -> Freshness:
    """Compare the figures with what has come since."""
    job = Job.objects.filter(kind=DETAILS_JOB if details else PEOPLE_JOB, scope=project.scope).first()
    now = trials_seen([project]).get(project.pk, {"n": 0})["n"]
    if facts is None:
        return Freshness(None, now, job)
    return Freshness(datetime.fromisoformat(facts["computed_at"]), max(now - facts["seen"]["n"], 0), job)


def _json(project: Project, name: str) -> dict[str, Any] | None:
    try:
        facts = dict(Folder(f"people/{project.pk}").read_json(name))
    except ArtifactMissing:
        return None
    return facts if facts.get("version") == FILES_VERSION else None
