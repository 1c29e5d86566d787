"""Hard sets as files: one format a file, over the same records and manifest.

A format yields text, so that a million members are never held at once. `FORMATS` names them; `hard_set_export` is what
the page and the command call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mining.models import HardSet

from . import csv_format, jsonl
from .records import ExportRefused, Record, export_columns, manifest_of, records_of

__all__ = ["FORMATS", "Export", "ExportFormat", "ExportRefused", "hard_set_export"]


@dataclass(frozen=True)
class ExportFormat:
    """A format: `write(manifest, columns, records)` yields the file's text piece by piece."""

    name: str
    title: str
    suffix: str
    media_type: str
    write: Callable[[dict, list[str], Iterator[Record]], Iterator[str]]


FORMATS: dict[str, ExportFormat] = {
    one.name: one
    for one in (
        ExportFormat("csv", "CSV, for spreadsheets", ".csv", "text/csv; charset=utf-8", csv_format.write),
        ExportFormat("jsonl", "JSON Lines, for programs", ".jsonl", "application/x-ndjson", jsonl.write),
    )
}


@dataclass(frozen=True)
class Export:
    """A file to be sent or written: its name, its media type, and its text in pieces."""

    file_name: str
    media_type: str
    pieces: Iterator[str]


def hard_set_export(*, hard_set: HardSet, format_name: str) -> Export:
    """Return a hard set as a file; raises `ExportRefused` for an unknown format."""
    if format_name not in FORMATS:
        raise ExportRefused(f"There is no format {format_name!r}; there are {', '.join(FORMATS)}.")
    chosen = FORMATS[format_name]
    manifest = manifest_of(hard_set)
    columns = export_columns(hard_set)
    project, round_ = manifest["project"], manifest["round"]
    synthetic = "-synthetic" if manifest["synthetic"] else ""
    name = f"{project}-round-{round_}-{hard_set.strategy}-v{hard_set.version}{synthetic}{chosen.suffix}"
    return Export(name, chosen.media_type, chosen.write(manifest, columns, records_of(hard_set, columns)))
