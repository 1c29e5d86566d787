"""The one way files become images and items of a project."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from django.db import transaction
from django.db.models import F

from annotations.intake.class_folders import class_of_path
from annotations.intake.source import Reader, Refusal, Refused, SourceFile
from annotations.intake.store import display_name, image_name, store_image, thumbnail_name
from annotations.intake.verify import VerifiedImage, sha256_of, verify_image
from annotations.models import Image, Project
from hardness_site.jobs.models import JobMessage

from .imported_items import ItemWriter

BATCH_FILES = 256
BATCH_BYTES = 64 * 2**20
# Pillow decodes without holding the interpreter, so threads do; a worker may not start processes of its own.
N_THREADS = 2

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
    with ThreadPoolExecutor(N_THREADS, thread_name_prefix="decode") as pool:
        for batch in _batches(reader):
            lines = _import_batch(project, batch, names, pool, summary)
            if lines:
                run.notes(lines)
            run.progress(summary.n_read, max(total, summary.n_read))
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


def _import_batch(
    project: Project,
    batch: Sequence[SourceFile | Refusal],
    names: set[str] | None,
    pool: ThreadPoolExecutor,
    summary: ImportSummary,
) -> list[Line]:
    def read(entry: SourceFile | Refusal) -> ReadFile | Refusal:
        if isinstance(entry, Refusal):
            return entry
        try:
            label = class_of_path(entry.path, names) if names is not None else None
            data = entry.read()
        except Refused as reason:
            return Refusal(entry.path, str(reason))
        return ReadFile(entry.path, data, sha256_of(data), label)

    entries = list(pool.map(read, batch))
    files = {entry.sha256: entry for entry in entries if isinstance(entry, ReadFile)}
    known = set(Image.objects.filter(sha256__in=files).values_list("sha256", flat=True))
    new = [file for sha256, file in files.items() if sha256 not in known]
    verified: dict[str, VerifiedImage | Refused] = dict(
        zip((file.sha256 for file in new), pool.map(_verify_and_store, new), strict=True)
    )
    broken = {sha256: str(found) for sha256, found in verified.items() if isinstance(found, Refused)}
    # In one order everywhere: two imports of the same images would otherwise wait for each other.
    images = [_row(found) for _, found in sorted(verified.items()) if isinstance(found, VerifiedImage)]
    lines: list[Line] = []
    with transaction.atomic():
        # The lock makes this the only import that writes into the project until the batch is in.
        locked = Project.objects.select_for_update().get(pk=project.pk)
        Image.objects.bulk_create(images, ignore_conflicts=True)
        writer = ItemWriter(locked, [entry for entry in entries if isinstance(entry, ReadFile)])
        counts = {"n_new": 0, "n_known": 0, "n_refused": 0}
        for entry in entries:
            if isinstance(entry, ReadFile) and entry.sha256 in broken:
                entry = Refusal(entry.path, broken[entry.sha256])
            elif isinstance(entry, ReadFile):
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
    summary.n_read += len(entries)
    return lines


def _verify_and_store(file: ReadFile) -> VerifiedImage | Refused:
    try:
        image = verify_image(file.data, sha256=file.sha256)
    except Refused as reason:
        return reason
    store_image(image, file.data)
    # What is on disk need not stay in memory until the batch is done.
    return replace(image, thumbnail=b"", display=None if image.display is None else b"")


def _row(image: VerifiedImage) -> Image:
    fields: dict[str, Any] = {name: getattr(image, name) for name in ("sha256", "width", "height", "n_bytes")}
    return Image(
        **fields,
        file=image_name(image.sha256, image.extension),
        thumbnail=thumbnail_name(image.sha256, image.thumbnail_extension),
        display=display_name(image.sha256) if image.display is not None else "",
        media_type=image.media_type,
    )
