"""JSON Lines for programs: the first line is the manifest, every other line a member."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mining.artifacts import plain

from .records import Record


def write(manifest: dict[str, Any], columns: list[str], records: Iterator[Record]) -> Iterator[str]:
    """Yield a line {"manifest": …} and a line for each record."""
    yield _line({"manifest": {**manifest, "columns": columns}})
    for record in records:
        yield _line(record)


def _line(content: dict[str, Any]) -> str:
    return json.dumps(plain(content), ensure_ascii=False, allow_nan=False) + "\n"
