"""Regions of images from a CSV file: one row a box, in pixels or as shares of the image."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass

COLUMNS = ("path", "x", "y", "width", "height")


class BadRegions(ValueError):
    """The file cannot be read as regions."""


@dataclass(frozen=True)
class RegionRow:
    """One box as it stands in the file; `number` is its line."""

    number: int
    path: str
    box: tuple[float, float, float, float]
    label: str | None


@dataclass(frozen=True)
class RegionProblem:
    """A row that cannot be taken, and why."""

    number: int
    reason: str


def read_regions(data: bytes) -> Iterator[RegionRow | RegionProblem]:
    """Yield every row; raise BadRegions where the encoding or the header cannot be read."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadRegions("The file is not UTF-8: save it as CSV in UTF-8.") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise BadRegions(f"Columns are missing: {', '.join(missing)}. Wanted: {', '.join(COLUMNS)}[,label].")
        for row in reader:
            yield _row(reader.line_num, row)
    except csv.Error as reason:
        raise BadRegions(f"Line {reader.line_num} is no CSV: {reason}.") from None


def _row(number: int, row: dict[str, str | None]) -> RegionRow | RegionProblem:
    path = (row["path"] or "").strip()
    if not path:
        return RegionProblem(number, "path is empty: give the path of the image.")
    sides = []
    for name in COLUMNS[1:]:
        try:
            value = float(row[name] or "")
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            return RegionProblem(number, f"{name} {row[name]!r} is no number.")
        sides.append(value)
    x, y, width, height = sides
    return RegionRow(number, path, (x, y, width, height), (row.get("label") or "").strip() or None)


def share_box(
    box: tuple[float, float, float, float], *, image_width: int, image_height: int, in_shares: bool
) -> tuple[float, float, float, float]:
    """Return the box as shares of the image; ValueError with the reason where it has no area or leaves the image."""
    x, y, width, height = box
    if width <= 0 or height <= 0:
        raise ValueError("The box has no area: width and height must be above 0.")
    across, down = (1.0, 1.0) if in_shares else (float(image_width), float(image_height))
    # Sums of decimal shares miss 1 by a rounding error.
    if x < 0 or y < 0 or x + width > across * (1 + 1e-9) or y + height > down * (1 + 1e-9):
        raise ValueError(f"The box leaves the image, which is {across:g} x {down:g}.")
    return x / across, y / down, width / across, height / down
