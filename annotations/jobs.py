"""Background work of people's part: handlers as thin as views, registered when the app is ready."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from annotations.intake.folder import FolderReader
from annotations.intake.regions_csv import BadRegions
from annotations.intake.regions_file import BesideImages
from annotations.intake.source import Reader
from annotations.intake.uploads import drop_upload, open_upload
from annotations.intake.zip_archive import NotAZip, ZipReader
from annotations.models import Project
from annotations.services.demo_data import DEMO, fill_demo_project
from annotations.services.images import import_images
from annotations.services.regions import import_regions, import_regions_beside
from annotations.services.trial_import import BadFile, import_trials
from hardness_site.jobs.registry import job_handler
from hardness_site.jobs.running import JobFailed, JobRun

IMPORT_IMAGES = "import_images"
IMPORT_TRIALS = "import_trials"
IMPORT_REGIONS = "import_regions"
FILL_DEMO = "import_demo"


@job_handler(IMPORT_IMAGES)
def import_images_job(
    run: JobRun,
    *,
    project_id: int,
    source: dict[str, str],
    labels_from_folders: bool = False,
    boxes_in_shares: bool = False,
) -> dict[str, Any]:
    """Import from `source`: {"folder": path}, {"archive": path} on this machine, or {"upload": name in the storage}.

    In a project of objects whose boxes come with the import, CSV and COCO files beside the images are files of boxes.
    """
    project = Project.objects.get(pk=project_id)
    run.job.messages.all().delete()  # of a run that was cut short: this one says everything again
    with ExitStack() as opened:
        reader = _reader(source, opened)
        takes_boxes = project.unit == Project.Unit.OBJECT and not project.draws_boxes
        beside = BesideImages(reader) if takes_boxes else None
        summary = import_images(
            run=run, project=project, reader=beside or reader, labels_from_folders=labels_from_folders
        )
        result = summary.as_dict()
        if beside is not None and beside.regions:
            boxes = import_regions_beside(
                run=run, project=project, files=beside.regions, in_shares=boxes_in_shares
            ).as_dict()
            result |= {f"{name}_boxes": boxes[name] for name in ("n_new", "n_known", "n_refused")}
        elif not summary.n_read:
            raise JobFailed("There is no file in it.")
    if upload := source.get("upload"):
        drop_upload(upload)
    return result


def _reader(source: dict[str, str], opened: ExitStack) -> Reader:
    ((kind, name),) = source.items()
    try:
        if kind == "folder":
            return FolderReader(Path(name))
        return ZipReader(opened.enter_context(open_upload(name) if kind == "upload" else Path(name).open("rb")))
    except NotAZip as reason:
        raise JobFailed(str(reason)) from None
    except FileNotFoundError:
        what = "The uploaded file is" if kind == "upload" else f"{name} is"
        raise JobFailed(f"{what} no longer there: import it anew.") from None
    except OSError as error:
        raise JobFailed(f"{name} cannot be read: {error.strerror or error}.") from None


@job_handler(IMPORT_TRIALS)
def import_trials_job(
    run: JobRun,
    *,
    project_id: int,
    path: str,
    time_limit_ms: float | None = None,
    accept_short_times: bool = False,
) -> dict[str, Any]:
    """Import trials from a CSV file on this machine."""
    project = Project.objects.get(pk=project_id)
    run.job.messages.all().delete()
    try:
        with Path(path).open("rb") as file:
            summary = import_trials(
                run=run,
                project=project,
                file=file,
                time_limit_ms=time_limit_ms,
                accept_short_times=accept_short_times,
            )
    except BadFile as reason:
        raise JobFailed(str(reason)) from None
    except OSError as error:
        raise JobFailed(f"{path} cannot be read: {error.strerror}.") from None
    return summary.as_dict()


@job_handler(IMPORT_REGIONS)
def import_regions_job(run: JobRun, *, project_id: int, path: str, in_shares: bool = False) -> dict[str, Any]:
    """Import the regions of a CSV file on this machine."""
    project = Project.objects.get(pk=project_id)
    run.job.messages.all().delete()
    try:
        data = Path(path).read_bytes()
        return import_regions(run=run, project=project, data=data, in_shares=in_shares).as_dict()
    except BadRegions as reason:
        raise JobFailed(str(reason)) from None
    except OSError as error:
        raise JobFailed(f"{path} cannot be read: {error.strerror}.") from None


@job_handler(FILL_DEMO)
def fill_demo_job(run: JobRun, *, project_id: int, slug: str) -> dict[str, Any]:
    """Give a demo project its images and synthetic trials."""
    run.job.messages.all().delete()
    return fill_demo_project(run=run, demo=DEMO[slug], project=Project.objects.get(pk=project_id))
