"""The handlers of a round's stages, of what people say as of now, and of uploaded predictions."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from annotations.intake.uploads import drop_upload
from annotations.models import LabelClass, Project
from hardness_site.jobs.models import JobMessage
from hardness_site.jobs.registry import job_handler
from hardness_site.jobs.running import JobFailed, JobRun
from mining.artifacts import plain
from mining.learners.one_thread import one_thread
from mining.models import RoundStage
from mining.services.detection import DETECTION_JOB
from mining.services.people_now import DETAILS_JOB, PEOPLE_JOB
from mining.services.pieces import PIECE_JOB
from mining.services.prediction_uploads import IMPORT_PREDICTIONS, local_copy
from mining.services.predictions import PredictionsRefused, store_predictions
from mining.services.rounds import STAGE_JOB, RoundRefused, begin_stage

if TYPE_CHECKING:
    from mining.prediction_checks import PredictionTable


@job_handler(STAGE_JOB)
def run_stage(run: JobRun, *, stage_id: int) -> dict[str, Any]:
    """Run one stage of a round. Safe to run again: a stage replaces its own files and rows only."""
    from mining.artifacts import ArtifactMissing
    from mining.stages.context import StageRun
    from mining.stages.fold_pieces import forget_features

    try:
        stage = begin_stage(stage_id)
    except RoundRefused as reason:
        raise JobFailed(str(reason)) from None
    module = import_module(f"mining.stages.{stage.name}")
    with one_thread():
        try:
            result = module.run(StageRun(run, stage.round))
        except (ArtifactMissing, OSError) as reason:
            raise JobFailed(f"{reason}") from reason
        finally:
            forget_features()
    return dict(plain(result))


@job_handler(PIECE_JOB)
def run_piece(run: JobRun, *, stage_id: int, work: dict[str, Any], key: str) -> dict[str, Any]:
    """Do one piece of a stage's work (`key` names it). Safe to run twice: it writes one file, in one step."""
    from mining.artifacts import ArtifactMissing
    from mining.stages.context import PieceRun

    stage = RoundStage.objects.select_related("round__project", "round__created_by", "job").filter(pk=stage_id).first()
    if stage is None:
        raise JobFailed("The stage is no longer there.")
    piece = PieceRun(run, stage.round, stage_id=stage_id)
    piece.check_stage(stage)
    module = import_module(f"mining.stages.{stage.name}")
    with one_thread():
        try:
            return dict(plain(module.do_piece(piece, **work)))
        except (ArtifactMissing, OSError) as reason:
            raise JobFailed(f"{reason}") from reason


@job_handler(PEOPLE_JOB)
def refresh_people_job(run: JobRun, *, project_id: int) -> dict[str, Any]:
    """Bring a project's Hardness page up to date."""
    return _of_people("refresh_hardness", run, project_id)


@job_handler(DETAILS_JOB)
def refresh_people_details_job(run: JobRun, *, project_id: int) -> dict[str, Any]:
    """Bring a project's pages of annotators and measures up to date."""
    return _of_people("refresh_details", run, project_id)


@job_handler(DETECTION_JOB)
def mine_detector_job(
    run: JobRun, *, project_id: int, class_id: int, photographs: bool = False, rounds: int = 2
) -> dict[str, Any]:
    """Mine the hard negatives of one class's detector. Safe to run again: it writes the same file."""
    label = LabelClass.objects.filter(pk=class_id, project=project_id).select_related("project").first()
    if label is None:
        raise JobFailed("The class is no longer there.")
    module = import_module("mining.detector_mining")
    with one_thread():
        try:
            result = module.mine_detector(run, label.project, label, photographs=photographs, rounds=rounds)
        except OSError as reason:
            raise JobFailed(f"An image cannot be read: {reason}") from reason
    return dict(plain(result))


def _of_people(verb: str, run: JobRun, project_id: int) -> dict[str, Any]:
    project = Project.objects.filter(pk=project_id).first()
    if project is None:
        raise JobFailed("The project is no longer there.")
    module = import_module("mining.people_now.run")
    return dict(plain(getattr(module, verb)(run, project)))


@job_handler(IMPORT_PREDICTIONS)
def import_predictions_job(
    run: JobRun,
    *,
    project_id: int,
    name: str,
    files: list[dict[str, str]],
    out_of_fold: bool,
    logits: bool = False,
    files_are: str = "folds",
) -> dict[str, Any]:
    """Check and store uploaded predictions; every problem becomes a line of the log, with its file and row."""
    project = Project.objects.filter(pk=project_id).first()
    if project is None:
        raise JobFailed("The project is no longer there.")
    run.job.messages.all().delete()  # of a run that was cut short: this one says everything again
    try:
        stored = store_predictions(
            project=project,
            name=name,
            tables=_read_uploads(run, files),
            out_of_fold=out_of_fold,
            logits=logits,
            files_are=files_are,
            imported_by=run.job.created_by.get_username() if run.job.created_by else "",
        )
    except PredictionsRefused as reason:
        lines = [
            (
                JobMessage.Level.REFUSED.value,
                ", ".join(filter(None, [one.file, f"row {one.row}" if one.row else ""])),
                one.text,
            )
            for one in reason.problems
        ]
        run.notes(lines)
        shown = f" The first {len(lines):,} are listed below." if len(lines) < reason.n_problems else ""
        count = "1 problem" if reason.n_problems == 1 else f"{reason.n_problems:,} problems"
        raise JobFailed(f"Nothing was stored: {count}.{shown} Mend the file and send it again.") from None
    except FileNotFoundError:
        raise JobFailed("The uploaded file is no longer there: send it again.") from None
    if not out_of_fold:
        run.note("They are in-sample: every figure made from them carries a warning.", level=JobMessage.Level.WARNING)
    if stored.n_without:
        run.note(f"{stored.n_without:,} items have no prediction.", level=JobMessage.Level.WARNING)
    for file in files:
        drop_upload(file["upload"])
    return {"learner": stored.learner, "n_predicted": stored.n_items, "n_without_prediction": stored.n_without}


def _read_uploads(run: JobRun, files: list[dict[str, str]]) -> Iterator[PredictionTable]:
    from mining.prediction_files import read_predictions

    for done, file in enumerate(files):
        run.progress(done, len(files), stage=f"Reading {file['name']}")
        with local_copy(file["upload"]) as path:
            yield read_predictions(path, name=file["name"], among_several=len(files) > 1)
    run.progress(len(files), len(files), stage="Checking all together")
