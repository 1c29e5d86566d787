"""The one way regions become items of an object project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath

from django.db import transaction
from django.db.models import F

from annotations.intake.regions_csv import BadRegions, RegionProblem, RegionRow, share_box
from annotations.intake.regions_file import is_json, read_any_regions
from annotations.intake.source import Refused, SourceFile
from annotations.models import Item, ItemAlias, LabelClass, Project
from hardness_site.jobs.models import JobMessage

from .images import ImportRun, Line

CHUNK_ROWS = 500
Shares = tuple[float, float, float, float]


@dataclass
class RegionSummary:
    """How many rows were read, and what became of them: n_read = n_new + n_known + n_refused."""

    n_read: int = 0
    n_new: int = 0
    n_known: int = 0
    n_refused: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts as a job's result."""
        return asdict(self)


def import_regions(
    *, run: ImportRun, project: Project, data: bytes, in_shares: bool = False, name: str = ""
) -> RegionSummary:
    """Make an item of every box of a CSV or COCO file (`annotations.intake.regions_file`) in images of the project.

    The objects of `a.png` are called `a.png#1`, `a.png#2`, …; the first takes the place of the whole image. Safe to run
    again: boxes that are there are only counted. `name`: path of the file where it came beside images; paths in it may
    then be relative to its folder. Raises BadRegions, before anything is written, for a project that
    judges whole images and for a file that cannot be read.
    """
    if project.unit != Project.Unit.OBJECT:
        raise BadRegions(f"{project.name} judges whole images: make a project with the unit object for regions.")
    if project.draws_boxes:
        raise BadRegions(f"In {project.name} the annotators draw the boxes: make a project with imported boxes.")
    in_shares = in_shares and not is_json(data)  # COCO knows pixels only
    rows = list(read_any_regions(data))
    word = f"{name} {'annotation' if is_json(data) else 'row'}".strip()
    summary = RegionSummary()
    run.progress(0, len(rows), stage="Writing regions")
    for start in range(0, len(rows), CHUNK_ROWS):
        chunk = rows[start : start + CHUNK_ROWS]
        chunk = _found_from(project, chunk, folder=str(PurePosixPath(name).parent) if name else ".")
        lines = _write(project, chunk, summary, word, in_shares=in_shares)
        if lines:
            run.notes(lines)
        run.progress(summary.n_read, len(rows))
    return summary


def import_regions_beside(
    *, run: ImportRun, project: Project, files: Sequence[SourceFile], in_shares: bool = False
) -> RegionSummary:
    """Import the files of regions that came with images; one that cannot be read is named and stops no other."""
    total = RegionSummary()
    for file in files:
        try:
            made = import_regions(run=run, project=project, data=file.read(), in_shares=in_shares, name=file.path)
        except (BadRegions, Refused) as reason:
            run.notes([(JobMessage.Level.REFUSED, file.path, str(reason))])
            total.n_read, total.n_refused = total.n_read + 1, total.n_refused + 1
            continue
        for count, value in made.as_dict().items():
            setattr(total, count, getattr(total, count) + value)
    return total


def _found_from(
    project: Project, rows: list[RegionRow | RegionProblem], *, folder: str
) -> list[RegionRow | RegionProblem]:
    """Return the rows with paths as they are in the project, where a path was meant from the folder of the file."""
    if folder == ".":
        return rows
    known = _first_items(project, {row.path for row in rows if isinstance(row, RegionRow)})
    return [
        replace(row, path=f"{folder}/{row.path}") if isinstance(row, RegionRow) and row.path not in known else row
        for row in rows
    ]


@transaction.atomic
def _write(
    project: Project, rows: list[RegionRow | RegionProblem], summary: RegionSummary, word: str, *, in_shares: bool
) -> list[Line]:
    # The lock makes this the only import that writes into the project until the chunk is in.
    locked = Project.objects.select_for_update().get(pk=project.pk)
    classes = {label.name: label for label in locked.classes.all()}
    first_at = _first_items(locked, {row.path for row in rows if isinstance(row, RegionRow)})
    whole, boxes = _present(locked, first_at)
    new: list[Item] = []
    replaced: list[int] = []
    lines: list[Line] = []
    for row in rows:
        try:
            made = _take(row, first_at, whole, boxes, classes, in_shares=in_shares)
        except ValueError as reason:
            lines.append((JobMessage.Level.REFUSED, f"{word} {row.number}", str(reason)))
            summary.n_refused += 1
            continue
        if made is None:
            summary.n_known += 1
            continue
        made.project, made.needed, made.ordinal = locked, locked.overlap, locked.n_items + len(new) - len(replaced)
        there = whole.pop(made.image_id, None)
        if there is not None:
            made.pk, made.ordinal, made.needed = there.pk, there.ordinal, there.needed
            made.given = made.given or there.given
            replaced.append(there.pk)
        new.append(made)
        summary.n_new += 1
    summary.n_read += len(rows)
    fresh = [item for item in new if item.pk is None]
    Item.objects.bulk_create(fresh, batch_size=500)
    fields = ["path", "given", "box_x", "box_y", "box_width", "box_height"]
    Item.objects.bulk_update([item for item in new if item.pk in set(replaced)], fields, batch_size=100)
    if new:
        Project.objects.filter(pk=locked.pk).update(n_items=F("n_items") + len(fresh), reopened=F("reopened") + 1)
    return lines


def _first_items(project: Project, paths: set[str]) -> dict[str, Item]:
    """Return path of an image -> an item in it, which carries the image's own name."""
    items = Item.objects.filter(project=project).select_related("image")
    found = {item.path: item for item in items.filter(path__in=paths, box_width__isnull=True)}
    numbered = items.filter(path__in=[f"{path}#1" for path in paths], box_width__isnull=False)
    found |= {item.path.removesuffix("#1"): item for item in numbered}
    aliases = ItemAlias.objects.filter(project=project, path__in=paths).select_related("item__image")
    return {alias.path: alias.item for alias in aliases} | found


def _present(project: Project, first_at: dict[str, Item]) -> tuple[dict[int, Item], dict[int, set[Shares]]]:
    """Return image -> its whole-image item that nobody was asked about or None, and image -> boxes it has."""
    images = {item.image_id for item in first_at.values()}
    boxes: dict[int, set[Shares]] = {image: set() for image in images}
    whole: dict[int, Item] = {}
    here = Item.objects.select_for_update().filter(project=project, image__in=images).order_by("pk")
    for item in here:
        if item.box_width is None:
            whole[item.image_id] = item
        else:
            # A constraint of the table: with one side of a box there are all four, which types cannot say.
            boxes[item.image_id].add(_rounded((item.box_x, item.box_y, item.box_width, item.box_height)))  # type: ignore[arg-type]
    return whole, boxes


def _take(
    row: RegionRow | RegionProblem,
    first_at: dict[str, Item],
    whole: dict[int, Item],
    boxes: dict[int, set[Shares]],
    classes: dict[str, LabelClass],
    *,
    in_shares: bool,
) -> Item | None:
    """Return the new item, or None where it is there; ValueError with the reason where it cannot be."""
    if isinstance(row, RegionProblem):
        raise ValueError(row.reason)
    first = first_at.get(row.path)
    if first is None:
        raise ValueError(f"No image of the project is called {row.path}: import the images first.")
    if row.label is not None and row.label not in classes:
        raise ValueError(f'"{row.label}" is no class of the project: {", ".join(classes)}.')
    image = first.image
    box = share_box(row.box, image_width=image.width, image_height=image.height, in_shares=in_shares)
    there = boxes[image.pk]
    if _rounded(box) in there:
        return None
    judged = whole.get(image.pk)
    if judged is not None and (judged.taken or judged.answered or judged.skipped):
        raise ValueError(f"{row.path} was handed out as a whole image already: use a new project for its regions.")
    there.add(_rounded(box))
    base = first.path.removesuffix("#1") if first.box_width is not None else first.path
    item = Item(image=image, path=f"{base}#{len(there)}", given=classes[row.label] if row.label else None)
    item.box_x, item.box_y, item.box_width, item.box_height = box
    return item


def _rounded(box: Shares) -> Shares:
    x, y, width, height = (round(side, 7) for side in box)
    return x, y, width, height
