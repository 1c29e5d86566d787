"""CSV for spreadsheets (RFC 4180, UTF-8 with a mark so that Excel reads it). Where it comes from is in its columns."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from .records import Record

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
BYTE_ORDER_MARK = "\ufeff"
PROVENANCE = ("project", "round", "strategy", "hard_set_sha256")


def write(manifest: dict[str, Any], columns: list[str], records: Iterator[Record]) -> Iterator[str]:
    """Yield a header line and a line for each record."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    origin = [
        safe_cell(value) for value in (manifest["project"], manifest["round"], manifest["strategy"], manifest["sha256"])
    ]
    yield BYTE_ORDER_MARK
    writer.writerow([*(safe_cell(name) for name in columns), *PROVENANCE])
    for record in records:
        writer.writerow([*(safe_cell(record[name]) for name in columns), *origin])
        if buffer.tell() > 1 << 16:
            yield _emptied(buffer)
    yield _emptied(buffer)


def safe_cell(value: Any) -> Any:
    """Return the value as a cell. Text that a spreadsheet would run as a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | dict):
        value = json.dumps(value)
    if isinstance(value, str):
        value = value.replace("\x00", "")
        return f"'{value}" if value.lstrip(" ").startswith(FORMULA_STARTS) else value
    return value


def _emptied(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
