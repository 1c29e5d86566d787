"""Uploaded images become a job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from annotations.intake.uploads import drop_old_uploads, drop_upload, is_archive, keep_upload
from annotations.models import Project
from hardness_site.jobs.models import Job
from hardness_site.jobs.services import create_job, queue_job

IMPORT_IMAGES = "import_images"


def import_upload(
    *,
    project: Project,
    files: Sequence[UploadedFile],
    labels_from_folders: bool,
    created_by: Any,
    boxes_in_shares: bool = False,
) -> Job:
    """Keep the files, and queue the job that imports them."""
    drop_old_uploads()
    name = keep_upload(files)
    first = str(files[0].name)
    what = first if len(files) == 1 else f"{len(files)} files"
    try:
        job = create_job(
            kind=IMPORT_IMAGES,
            title=f"Import of {what}",
            scope=project.scope,
            params={
                "project_id": project.pk,
                "source": {"upload": name},
                "labels_from_folders": labels_from_folders and is_archive(files[0]),
                **({"boxes_in_shares": True} if boxes_in_shares else {}),
            },
            created_by=created_by,
        )
    except Exception:
        drop_upload(name)
        raise
    queue_job(job)
    return job
