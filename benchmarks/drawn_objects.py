"""How long drawn boxes take to become objects: matching alone, the whole update, and what its rows cost at the least.

Simulated annotators draw boxes with known truth in every image, off by some per cent, and miss some. Timed: the pure
matching (`match_boxes`), the whole `update_objects` (read, match, write items, trials and answers), and, as the limit
that no program beats on this database, inserting as many rows of the same kind in one transaction by `executemany`.

    python benchmarks/drawn_objects.py --images 1000 --annotators 4 --objects 5
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hardness_site.settings.test")

MISSED = 0.1
OFF = 0.08
"""SD of how far a side lies from where it should, as a share of the object's size."""


def true_boxes(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return n boxes on a grid of places, so that different objects do not mean the same."""
    per_row = int(np.ceil(np.sqrt(n)))
    place = rng.permutation(per_row**2)[:n]
    cell = 1 / per_row
    size = rng.uniform(0.5, 0.8, (n, 2)) * cell
    corner = np.column_stack([place % per_row, place // per_row]) * cell + 0.1 * cell
    return np.column_stack([corner, size])


def drawn(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return what one annotator draws: some objects are missed, all sides are a little off."""
    seen = truth[rng.random(len(truth)) > MISSED]
    size = seen[:, 2:]
    corner = np.clip(seen[:, :2] + rng.normal(0, OFF / 2, size.shape) * size, 0, 0.99)
    sides = np.clip(size * np.exp(rng.normal(0, OFF, size.shape)), 1e-3, 1 - corner)
    return np.column_stack([corner, sides])


def make_project(n_images: int, n_annotators: int, n_objects: int) -> Any:
    """Return a project in which everybody has drawn in every image; nothing is matched yet."""
    from django.utils import timezone

    from annotations.models import DrawnBox, Image, Item, Trial
    from tests import factories

    rng = np.random.default_rng(0)
    project = factories.make_project(classes=["a", "b"], overlap=n_annotators, unit="object", boxes="drawn")
    labels = list(project.classes.order_by("code"))
    images = Image.objects.bulk_create(
        Image(sha256=f"{i:064x}", file="none", thumbnail="none", media_type="image/png", width=1, height=1, n_bytes=1)
        for i in range(n_images)
    )
    items = Item.objects.bulk_create(
        Item(project=project, image=image, ordinal=i, path=f"{i}.png", needed=n_annotators, taken=n_annotators,
             answered=n_annotators, unmatched=True)
        for i, image in enumerate(images)
    )  # fmt: skip
    type(project).objects.filter(pk=project.pk).update(n_items=n_images)
    truths = [true_boxes(n_objects, rng) for _ in items]
    for _ in range(n_annotators):
        annotator, now = factories.make_annotator(project), timezone.now()
        trials = Trial.objects.bulk_create(
            Trial(project=project, item=item, annotator=annotator, source="synthetic", state="answered", position=i + 1,
                  issued_at=now, received_at=now)
            for i, item in enumerate(items)
        )  # fmt: skip
        DrawnBox.objects.bulk_create(
            (
                DrawnBox(trial=trial, number=number + 1, x=x, y=y, width=width, height=height, response_ms=900.0,
                         label=labels[int(rng.random() < 0.5)])
                for trial, truth in zip(trials, truths, strict=True)
                for number, (x, y, width, height) in enumerate(drawn(truth, rng).tolist())
            ),
            batch_size=500,
        )  # fmt: skip
    project.refresh_from_db()
    return project


def match_all(project: Any) -> int:
    """Group the boxes of every image; return how many there are."""
    from annotations.models import DrawnBox
    from annotations.objects import match_boxes, median_boxes

    boxes = DrawnBox.objects.filter(trial__project=project).order_by("trial__item").values_list(
        "trial__item", "trial__annotator", "x", "y", "width", "height"
    )  # fmt: skip
    rows = np.array(list(boxes))
    starts = np.flatnonzero(np.diff(rows[:, 0], prepend=-1))
    start = time.perf_counter()
    for part in np.split(rows, starts[1:]):
        code = match_boxes(part[:, 2:], part[:, 1])
        median_boxes(part[:, 2:], code, int(code.max()) + 1)
    print(f"matching alone: {len(rows):,} boxes in {time.perf_counter() - start:.2f} s")
    return len(rows)


def rows_alone() -> float:
    """Return the seconds that it takes to insert the rows which the update wrote, by `executemany` in one transaction.

    They are taken out before, so that all indexes are there and are filled as they were.
    """
    from django.db import connection, transaction

    from annotations.models import Annotation, Item, Trial

    written = ((Item, "box_width IS NOT NULL"), (Trial, "drawing_id IS NOT NULL"), (Annotation, "TRUE"))
    with connection.cursor() as cursor, transaction.atomic():
        copies = []
        for model, condition in written:
            columns = [field.column for field in model._meta.concrete_fields]
            names = ", ".join(f'"{column}"' for column in columns)
            cursor.execute(f"SELECT {names} FROM {model._meta.db_table} WHERE {condition}")
            marks = ", ".join(["%s"] * len(columns))
            sql = f"INSERT INTO {model._meta.db_table} ({names}) VALUES ({marks})"
            copies.append((sql, [tuple(map(plain, row)) for row in cursor.fetchall()]))
        cursor.execute("UPDATE annotations_drawnbox SET object_id = NULL")
        for model, condition in reversed(written):
            cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE {condition}")
        start = time.perf_counter()
        for sql, rows in copies:
            cursor.executemany(sql, rows)
        seconds = time.perf_counter() - start
    print(f"its rows alone ({', '.join(f'{len(rows):,}' for _, rows in copies)}): {seconds:.2f} s")
    return seconds


def plain(value: Any) -> Any:
    """Return a value as the database takes it back: JSON as text."""
    return json.dumps(value) if isinstance(value, list | dict) else value


def main() -> None:
    """Print the seconds of matching, of the whole update, and of its rows alone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--annotators", type=int, default=4)
    parser.add_argument("--objects", type=int, default=5, help="True objects an image.")
    options = parser.parse_args()
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from annotations.services.drawn_objects import update_objects

    project = make_project(options.images, options.annotators, options.objects)
    match_all(project)
    start = time.perf_counter()
    summary = update_objects(project=project)
    seconds = time.perf_counter() - start
    true = options.images * options.objects
    print(f"the whole update: {summary.n_new:,} objects ({true:,} true ones) in {seconds:.2f} s")
    limit = rows_alone()
    print(f"the update takes {seconds / limit:.1f} times as long as its rows alone")
    start = time.perf_counter()
    again = update_objects(project=project, every=True)
    print(f"all images again, nothing new ({again.n_rewritten} rewritten): {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
