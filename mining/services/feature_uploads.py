"""Uploaded networks, vectors and groups become a job: the files are kept as they come, and tried by a worker."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import IO, Any

from django.core.files.base import File
from django.core.files.storage import default_storage

from annotations.intake.uploads import FOLDER, drop_old_uploads, drop_upload
from annotations.models import Project
from hardness_site.jobs.models import Job
from hardness_site.jobs.services import create_job, queue_job
from mining.prediction_checks import refused

from .feature_sources import checked_name

IMPORT_SOURCE = "import_source"
KINDS = {
    "network": ("Network", (".onnx",)),
    "file": ("Features", (".npy", ".npz", ".parquet", ".txt", ".csv")),
    "groups": ("Groups", (".csv", ".parquet")),
}

NamedFile = tuple[str, IO[bytes]]


def import_uploaded_source(
    *,
    project: Project,
    kind: str,
    name: str,
    files: Sequence[NamedFile],
    declared: dict[str, Any] | None = None,
    created_by: Any = None,
) -> Job:
    """Keep the files, (name, open file) each, and queue the job that checks and stores them.

    `kind` is one of `KINDS`; `declared` is what `store_network` takes, or `column` for groups. Raises
    `PredictionsRefused` for what can be seen without reading them, and then nothing is kept.
    """
    if kind not in KINDS:
        raise refused(f"kind is one of {', '.join(KINDS)}, not {kind!r}.")
    checked_name(name)
    title, suffixes = KINDS[kind]
    if not 1 <= len(files) <= (2 if kind == "file" else 1):
        raise refused("Give one file; with an NPY file, the list of its items beside it.")
    for file, _ in files:
        if PurePosixPath(file).suffix.lower() not in suffixes:
            raise refused(f"{file} must end in {', '.join(suffixes)}.")
    drop_old_uploads()
    kept: list[dict[str, str]] = []
    try:
        for file, content in files:
            upload = f"{FOLDER}/{secrets.token_hex(16)}{PurePosixPath(file).suffix.lower()}"
            kept.append({"name": PurePosixPath(file.replace("\\", "/")).name[:200], "upload": upload})
            kept[-1]["upload"] = default_storage.save(upload, File(content))
        job = create_job(
            kind=IMPORT_SOURCE,
            title=f"{title} {name}: check and store",
            scope=project.scope,
            params={
                "project_id": project.pk, "source": kind, "name": name, "files": kept, "declared": declared or {},
            },
            created_by=created_by,
        )  # fmt: skip
    except BaseException:
        for entry in kept:
            drop_upload(entry["upload"])
        raise
    queue_job(job)
    return job
