"""The one way files become images and items of a project."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from django.db import transaction
from django.db.models import F

from annotations.intake.class_folders import class_of_path
from annotations.intake.source import Reader, Refusal, Refused, SourceFile
from annotations.intake.store import StoredBatch, display_name, image_name, thumbnail_name
from annotations.intake.verify import VerifiedImage, sha256_of, verify_image
from annotations.models import Image, Project
from hardness_site.jobs.models import JobMessage

from .imported_items import ItemWriter
from .many_rows import insert_rows

BATCH_FILES = 256
BATCH_BYTES = 32 * 2**20
CHUNK_FILES = 16
# Pillow decodes without holding the interpreter, so threads do; a worker may not start processes of its own.
N_THREADS = 2

IMAGE_COLUMNS = ("sha256", "file", "thumbnail", "display", "media_type", "width", "height", "n_bytes")

Line = tuple[str, str, str]


class ImportRun(Protocol):
    """What an import reports to: a job's run, or anything with its two methods."""

    def progress(self, done: int, total: int | None = None, *, stage: str | None = None) -> None: ...

    def notes(self, lines: list[Line]) -> None: ...


@dataclass
class ImportSummary:
    """How many files were read, and what became of them: n_read = n_new + n_known + n_refused.

    n_known: the bytes were in the project already. n_ignored: hidden and system files, passed over.
    """

    n_read: int = 0
    n_new: int = 0
    n_known: int = 0
    n_refused: int = 0
    n_ignored: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts as a job's result."""
        return asdict(self)


@dataclass(frozen=True)
class ReadFile:
    """A file of the present batch: where it came from, its bytes, and the class its folder names."""

    path: str
    data: bytes
    sha256: str
    label: str | None


@dataclass(frozen=True)
class NamedFile:
    """What stays of a file when its bytes are stored."""

    path: str
    sha256: str
    label: str | None


@dataclass
class Batch:
    """A batch on its way: what was read, and the images among it that are being verified and stored."""

    entries: list[NamedFile | Refusal]
    stored: StoredBatch
    verifying: list[Future[list[VerifiedImage | Refusal]]]


def import_images(
    *, run: ImportRun, project: Project, reader: Reader, labels_from_folders: bool = False
) -> ImportSummary:
    """Import what the reader gives, a batch at a time: each is decoded, stored, and written in one transaction.

    Safe to run again and to be killed anywhere: images are stored by their sha256 before their rows are written, and
    what is in the project already is only counted. The same bytes under another path become another name of the item
    and are said so; the first given label stays. Memory does not grow with the number of files.
    """
    summary = ImportSummary()
    run.progress(0, None, stage="Counting files")
    total = reader.count()
    run.progress(0, total, stage="Reading images")
    names = set(project.classes.values_list("name", flat=True)) if labels_from_folders else None

    def write(batch: Batch) -> None:
        lines = _write_batch(project, batch, summary)
        if lines:
            run.notes(lines)
        run.progress(summary.n_read, max(total, summary.n_read))

    # While the rows of one batch are written, the threads read and decode the next one. They end before what they
    # could not finish is taken away.
    with ExitStack() as unfinished, ThreadPoolExecutor(N_THREADS, thread_name_prefix="decode") as pool:
        before: Batch | None = None
        for found in _batches(reader):
            reading = [pool.submit(_read, chunk, names) for chunk in _chunks(found)]
            if before is not None:
                _settle(before)
            batch = _begin(reading, pool, unfinished.enter_context(StoredBatch()))
            if before is not None:
                write(before)
            before = batch
        if before is not None:
            _settle(before)
            write(before)
    summary.n_ignored = reader.n_ignored
    return summary


def _batches(reader: Reader) -> Iterator[list[SourceFile | Refusal]]:
    batch: list[SourceFile | Refusal] = []
    n_bytes = 0
    for entry in reader:
        batch.append(entry)
        n_bytes += entry.n_bytes if isinstance(entry, SourceFile) else 0
        if len(batch) >= BATCH_FILES or n_bytes >= BATCH_BYTES:
            yield batch
            batch, n_bytes = [], 0
    if batch:
        yield batch


def _chunks(entries: list[Any]) -> list[list[Any]]:
    return [entries[start : start + CHUNK_FILES] for start in range(0, len(entries), CHUNK_FILES)]


def _read(entries: list[SourceFile | Refusal], names: set[str] | None) -> list[ReadFile | Refusal]:
    found: list[ReadFile | Refusal] = []
    for entry in entries:
        if isinstance(entry, Refusal):
            found.append(entry)
            continue
        try:
            label = class_of_path(entry.path, names) if names is not None else None
            data = entry.read()
        except Refused as reason:
            found.append(Refusal(entry.path, str(reason)))
        else:
            found.append(ReadFile(entry.path, data, sha256_of(data), label))
    return found


def _begin(reading: list[Future[list[ReadFile | Refusal]]], pool: ThreadPoolExecutor, stored: StoredBatch) -> Batch:
    """Have what the database does not know verified and stored."""
    entries = [entry for chunk in reading for entry in chunk.result()]
    files = {entry.sha256: entry for entry in entries if isinstance(entry, ReadFile)}
    known = set(Image.objects.filter(sha256__in=files).values_list("sha256", flat=True))
    new = [file for sha256, file in files.items() if sha256 not in known]
    return Batch(
        entries=[
            NamedFile(entry.path, entry.sha256, entry.label) if isinstance(entry, ReadFile) else entry
            for entry in entries
        ],
        stored=stored,
        verifying=[pool.submit(_verify_and_put, chunk, stored) for chunk in _chunks(new)],
    )


def _verify_and_put(files: list[ReadFile], stored: StoredBatch) -> list[VerifiedImage | Refusal]:
    """Return the verified images, and refusals whose `path` is the sha256 of the file."""
    found: list[VerifiedImage | Refusal] = []
    for file in files:
        try:
            image = verify_image(file.data, sha256=file.sha256)
        except Refused as reason:
            found.append(Refusal(file.sha256, str(reason)))
        else:
            stored.put_image(image, file.data)
            # What is on disk need not stay in memory until the batch is done.
            found.append(replace(image, thumbnail=b"", display=None if image.display is None else b""))
    return found


def _settle(batch: Batch) -> None:
    for chunk in batch.verifying:
        chunk.result()
    batch.stored.settle()


def _write_batch(project: Project, batch: Batch, summary: ImportSummary) -> list[Line]:
    verified = [image for chunk in batch.verifying for image in chunk.result()]
    broken = {refusal.path: refusal.reason for refusal in verified if isinstance(refusal, Refusal)}
    # In one order everywhere: two imports of the same images would otherwise wait for each other.
    images = sorted((image for image in verified if isinstance(image, VerifiedImage)), key=lambda image: image.sha256)
    lines: list[Line] = []
    with transaction.atomic():
        # The lock makes this the only import that writes into the project until the batch is in.
        locked = Project.objects.select_for_update().get(pk=project.pk)
        insert_rows(Image, IMAGE_COLUMNS, [_row(image) for image in images], common={}, skip_known=True)
        writer = ItemWriter(locked, [entry for entry in batch.entries if isinstance(entry, NamedFile)])
        counts = {"n_new": 0, "n_known": 0, "n_refused": 0}
        for entry in batch.entries:
            if isinstance(entry, NamedFile) and entry.sha256 in broken:
                entry = Refusal(entry.path, broken[entry.sha256])
            elif isinstance(entry, NamedFile):
                outcome = writer.take(entry.path, entry.sha256, entry.label)
                if isinstance(outcome, Refusal):
                    entry = outcome
                else:
                    counts[outcome] += 1
            if isinstance(entry, Refusal):
                counts["n_refused"] += 1
                lines.append((JobMessage.Level.REFUSED, entry.path, entry.reason))
        lines += writer.lines
        n_new = writer.save()
        if n_new:
            Project.objects.filter(pk=project.pk).update(n_items=F("n_items") + n_new, reopened=F("reopened") + 1)
    for name, count in counts.items():
        setattr(summary, name, getattr(summary, name) + count)
    summary.n_read += len(batch.entries)
    return lines


def _row(image: VerifiedImage) -> tuple[str | int, ...]:
    file = image_name(image.sha256, image.extension)
    display = display_name(image.sha256) if image.display is not None else ""
    facts = (image.media_type, image.width, image.height, image.n_bytes)
    return (image.sha256, file, thumbnail_name(image), display, *facts)
