"""The handler that checks and stores uploaded networks, vectors and groups."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from annotations.intake.uploads import drop_upload
from annotations.models import Project
from hardness_site.jobs.models import JobMessage
from hardness_site.jobs.registry import job_handler
from hardness_site.jobs.running import JobFailed, JobRun
from mining.models import FeatureSource
from mining.prediction_checks import PredictionsRefused, refused
from mining.services.feature_sources import store_features, store_network
from mining.services.feature_uploads import IMPORT_SOURCE
from mining.services.groups import read_groups, store_groups
from mining.services.prediction_uploads import local_copy


@job_handler(IMPORT_SOURCE)
def import_source_job(
    run: JobRun, *, project_id: int, source: str, name: str, files: list[dict[str, str]], declared: dict[str, Any]
) -> dict[str, Any]:
    """Check and store what was uploaded; every problem becomes a line of the log, with its row."""
    from mining.networks.process import NetworkRefused

    project = Project.objects.filter(pk=project_id).first()
    if project is None:
        raise JobFailed("The project is no longer there.")
    run.job.messages.all().delete()  # of a run that was cut short: this one says everything again
    run.progress(0, 1, stage="Checking")
    try:
        with ExitStack() as stack:
            paths = {file["name"]: stack.enter_context(local_copy(file["upload"])) for file in files}
            result = _store(run, project, source, name, paths, declared)
    except NetworkRefused as reason:
        raise JobFailed(f"The network was refused. {reason}") from None
    except PredictionsRefused as reason:
        lines = [
            (JobMessage.Level.REFUSED.value, f"row {one.row}" if one.row else one.file, one.text)
            for one in reason.problems
        ]
        run.notes(lines)
        count = "1 problem" if reason.n_problems == 1 else f"{reason.n_problems:,} problems"
        raise JobFailed(f"Nothing was stored: {count}, listed below. Mend the file and send it again.") from None
    except FileNotFoundError:
        raise JobFailed("The uploaded file is no longer there: send it again.") from None
    for file in files:
        drop_upload(file["upload"])
    return result


def _store(
    run: JobRun, project: Project, source: str, name: str, paths: dict[str, Path], declared: dict[str, Any]
) -> dict[str, Any]:
    if source == "network":
        (path,) = paths.values()
        stored = store_network(
            project=project, name=name, data=path.read_bytes(), declared=declared, created_by=run.job.created_by
        )
        return {"n_numbers": stored.dimension, "choice": stored.choice}
    if source == "groups":
        ((file, path),) = paths.items()
        items, values, first_row = read_groups(path, column=declared.get("column", ""), name=file)
        n_groups = store_groups(project=project, name=name, paths=items, values=values, first_row=first_row)
        return {"n_groups": n_groups, "n_items": len(items)}
    stored = _store_features(run, project, name, paths)
    return {"n_items": stored.n_items, "n_numbers": stored.dimension, "choice": stored.choice}


def _store_features(run: JobRun, project: Project, name: str, paths: dict[str, Path]) -> FeatureSource:
    from mining.feature_files import LIST_SUFFIXES, open_feature_file

    lists = [file for file in paths if Path(file).suffix.lower() in LIST_SUFFIXES]
    vectors = [file for file in paths if file not in lists]
    if len(vectors) != 1 or len(lists) > 1:
        raise refused("Give one file of vectors; with an NPY file, the list of its items beside it.")
    table = open_feature_file(paths[vectors[0]], paths[lists[0]] if lists else None, name=vectors[0])
    stored = store_features(project=project, name=name, table=table, created_by=run.job.created_by)
    for line in remarks_on(stored):
        run.note(line, level=JobMessage.Level.WARNING)
    return stored


def remarks_on(stored: FeatureSource) -> list[str]:
    """Return what whoever sent the vectors should know: items without any, numbers that tell nothing."""
    lines = []
    without = stored.project.items.count() - (stored.n_items or 0)
    if without > 0:
        lines.append(f"{without:,} items have no features in this file: a round goes on without them.")
    constant = stored.facts.get("constant", [])
    if constant:
        some = ", ".join(str(place + 1) for place in constant[:10]) + (", …" if len(constant) > 10 else "")
        lines.append(f"Numbers that are the same for every item tell nothing: number {some} of {stored.dimension:,}.")
    return lines
