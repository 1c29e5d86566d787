"""Files of regions beside images: which they are, and what is in them, whether CSV or COCO's JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from .regions_csv import BadRegions, RegionProblem, RegionRow, read_regions
from .source import Reader, Refusal, SourceFile

SUFFIXES = (".csv", ".json")


class BesideImages:
    """A reader that passes files of regions over and keeps them in `regions`, for when the images are in."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.regions: list[SourceFile] = []
        self.n_ignored = 0

    def count(self) -> int:
        """Return how many files will come, those of regions among them."""
        return self.reader.count()

    def __iter__(self) -> Iterator[SourceFile | Refusal]:
        self.regions = []
        for entry in self.reader:
            if isinstance(entry, SourceFile) and PurePosixPath(entry.path).suffix.lower() in SUFFIXES:
                self.regions.append(entry)
            else:
                yield entry
        self.n_ignored = self.reader.n_ignored


def is_json(data: bytes) -> bool:
    """Whether the file is JSON and not CSV, by its first sign."""
    return data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def read_any_regions(data: bytes) -> Iterator[RegionRow | RegionProblem]:
    """Yield every region of a CSV or COCO file; raise BadRegions where it is neither."""
    return read_coco(data) if is_json(data) else read_regions(data)


def read_coco(data: bytes) -> Iterator[RegionRow | RegionProblem]:
    """Yield the annotations of a COCO file, numbered from 1 in its order; raise BadRegions where it cannot be read.

    Needed are `images` (`id`, `file_name`), `annotations` (`image_id`, `bbox` as x, y, width, height in pixels) and,
    for labels, `categories` (`id`, `name`) with `category_id`. Everything else is passed over.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as reason:
        raise BadRegions(f"The file is no JSON that can be read: {reason}.") from None
    if not isinstance(content, dict) or not all(isinstance(content.get(n), list) for n in ("images", "annotations")):
        raise BadRegions("Not a COCO file: it needs the lists images and annotations.")
    paths = _named(content["images"], "file_name")
    categories = content.get("categories")
    labels = _named(categories if isinstance(categories, list) else [], "name")
    for number, entry in enumerate(content["annotations"], start=1):
        yield _annotation(number, entry, paths, labels)


def _named(entries: list[Any], name: str) -> dict[Any, str]:
    return {
        entry["id"]: entry[name]
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("id"), int | str) and isinstance(entry.get(name), str)
    }


def _annotation(number: int, entry: Any, paths: dict[Any, str], labels: dict[Any, str]) -> RegionRow | RegionProblem:
    if not isinstance(entry, dict):
        return RegionProblem(number, "It is no object with image_id and bbox.")
    image, category, box = entry.get("image_id"), entry.get("category_id"), entry.get("bbox")
    if not isinstance(image, int | str) or image not in paths:
        return RegionProblem(number, f"No image of the file has the id {image!r:.40}.")
    if category is not None and (not isinstance(category, int | str) or category not in labels):
        return RegionProblem(number, f"No category of the file has the id {category!r:.40}.")
    if not isinstance(box, list) or len(box) != 4 or not all(_is_number(side) for side in box):
        return RegionProblem(number, "bbox is not x, y, width, height.")
    x, y, width, height = (float(side) for side in box)
    return RegionRow(number, paths[image].strip(), (x, y, width, height), labels.get(category))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9 and math.isfinite(value)
