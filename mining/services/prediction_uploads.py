"""Uploaded predictions become a job: the files are kept as they come, and read by a worker."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from django.core.files.base import File
from django.core.files.storage import default_storage

from annotations.intake.uploads import FOLDER, drop_old_uploads, drop_upload
from annotations.models import Project
from hardness_site.jobs.models import Job
from hardness_site.jobs.services import create_job, queue_job
from mining.prediction_checks import refused
from mining.services.predictions import FILES_ARE, NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

IMPORT_PREDICTIONS = "import_predictions"
SUFFIXES = (".csv", ".parquet", ".npz", ".json")
MOST_FILES = 1000
MOST_UPLOAD_BYTES = 4 * 1024**3
PIECE_BYTES = 1 << 20

NamedFile = tuple[str, IO[bytes]]


def import_uploaded_predictions(
    *,
    project: Project,
    name: str,
    files: Sequence[NamedFile],
    out_of_fold: bool,
    logits: bool = False,
    files_are: str = "",
    created_by: Any = None,
) -> Job:
    """Keep the files, (name, open file) each, and queue the job that checks and stores them.

    They are copied piece by piece: nothing is held in memory. Raises `PredictionsRefused` for what can be seen without
    reading them, and then nothing is kept.
    """
    _check(name, [file for file, _ in files], files_are)
    drop_old_uploads()
    kept: list[dict[str, str]] = []
    try:
        for file, content in files:
            upload = f"{FOLDER}/{secrets.token_hex(16)}{PurePosixPath(file).suffix.lower()}"
            kept.append({"name": PurePosixPath(file.replace("\\", "/")).name[:200], "upload": upload})
            kept[-1]["upload"] = default_storage.save(upload, File(content))
        job = create_job(
            kind=IMPORT_PREDICTIONS,
            title=f"Import of predictions {name}",
            scope=project.scope,
            params={
                "project_id": project.pk,
                "name": name,
                "files": kept,
                "out_of_fold": out_of_fold,
                "logits": logits,
                "files_are": files_are or "folds",
            },
            created_by=created_by,
        )
    except BaseException:
        for entry in kept:
            drop_upload(entry["upload"])
        raise
    queue_job(job)
    return job


def _check(name: str, files: Sequence[str], files_are: str) -> None:
    if not NAME.fullmatch(name):
        raise refused(f"{name!r} is no name: use small letters, digits, - and _, at most 40 of them.")
    if not files:
        raise refused("There is no file.")
    if len(files) > MOST_FILES:
        raise refused(f"{len(files):,} files; {MOST_FILES:,} is the most in one import.")
    for file in files:
        if PurePosixPath(file).suffix.lower() not in SUFFIXES:
            raise refused(f"{file} must end in {', '.join(SUFFIXES)}.")
    if files_are and files_are not in FILES_ARE:
        raise refused(f"files_are is one of {', '.join(FILES_ARE)}, not {files_are!r}.")
    if len(files) > 1 and not files_are:
        raise refused(f"Say what the {len(files)} files are: {', '.join(FILES_ARE)}.")


@contextmanager
def streamed(pieces: Iterable[bytes], most_bytes: int = MOST_UPLOAD_BYTES) -> Iterator[IO[bytes]]:
    """Hold what comes piece by piece in a temporary file; raises `PredictionsRefused` beyond `most_bytes`."""
    with tempfile.TemporaryFile() as file:
        size = 0
        for piece in pieces:
            size += len(piece)
            if size > most_bytes:
                raise refused(f"That is more than {most_bytes // 1024**2:,} MB: split it by items.")
            file.write(piece)
        file.seek(0)
        yield file


@contextmanager
def local_copy(upload: str) -> Iterator[Path]:
    """Give a kept upload as a file of this machine; FileNotFoundError when it is gone."""
    try:
        path: Path | None = Path(default_storage.path(upload))
    except NotImplementedError:  # an object store: nothing of it lies on this machine
        path = None
    if path is not None:
        if not path.is_file():
            raise FileNotFoundError(upload)
        yield path
        return
    with tempfile.NamedTemporaryFile(suffix=PurePosixPath(upload).suffix) as file:
        with default_storage.open(upload, "rb") as source:
            while piece := source.read(PIECE_BYTES):
                file.write(piece)
        file.flush()
        yield Path(file.name)
