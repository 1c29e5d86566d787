"""A round that is done, with the files that a manifest reads, written by hand."""

from __future__ import annotations

import polars as pl

from annotations.models import Item
from mining.artifacts import Folder
from mining.models import HardSet, HardSetMember, Round
from tests.mining.done_round import make_round

CLASSES = ("cat", "dog")


def make_round_with_files(project, manager, items, *, held_out=(), unlabelled=()) -> Round:
    """Return a round over `items`, labels cat and dog in turn; `held_out` and `unlabelled` are places in the list."""
    round_ = make_round(project, manager)
    folder = Folder(round_.folder)
    folder.write_json("snapshot.json", {"classes": [{"name": name} for name in CLASSES], "has_synthetic": False})
    places = range(len(items))
    rows = Item.objects.filter(pk__in=[item.pk for item in items]).select_related("image").in_bulk()
    folder.write_table(
        "measures.parquet",
        pl.DataFrame(
            {
                "item": [item.pk for item in items],
                "ordinal": list(places),
                "path": [item.path for item in items],
                "label": [None if n in unlabelled else n % 2 for n in places],
                "label_from": ["" if n in unlabelled else "people" for n in places],
                "label_confidence": [None if n in unlabelled else 0.9 for n in places],
                "split": ["test" if n in held_out else "train" for n in places],
            },
            schema_overrides={"label": pl.Int16, "label_confidence": pl.Float64},
        ),
    )
    boxes = {name: [getattr(item, name) for item in items] for name in ("box_x", "box_y", "box_width", "box_height")}
    folder.write_table(
        "items.parquet",
        pl.DataFrame(
            {"item": [item.pk for item in items], "sha256": [rows[item.pk].image.sha256 for item in items], **boxes},
            schema_overrides=dict.fromkeys(boxes, pl.Float64),
        ),
    )
    return round_


def make_hard_set(round_, members: list[tuple[Item, str]], **fields) -> HardSet:
    """Return a hard set of (item, verdict), hardest first."""
    hard_set = HardSet.objects.create(
        round=round_, strategy=fields.pop("strategy", "suspicious"), sha256=fields.pop("sha256", "a" * 64),
        n_members=len(members), params={"max_p": 0.5}, summary={"title": "Suspicious", "description": "No opinion."},
        **fields,
    )  # fmt: skip
    HardSetMember.objects.bulk_create(
        HardSetMember(hard_set=hard_set, item=item, rank=rank, score=1 / rank, reason=f"reason {rank}", verdict=verdict)
        for rank, (item, verdict) in enumerate(members, start=1)
    )
    return hard_set
