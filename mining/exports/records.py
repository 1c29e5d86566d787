"""What every format writes: a record for each member, and a manifest that says where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mining.models import HardSet
from mining.selectors.predictions import in_sample_learners
from mining.selectors.rounds import classes_of, human_measure, measure_columns, measures_of, time_unit

Record = dict[str, Any]
MEMBERS_AT_ONCE = 2000
FIRST_COLUMNS = (
    "rank", "item", "path", "sha256", "box", "score", "reason", "verdict", "label", "label_from", "label_confidence",
    "given_label", "people_label", "people_label_confidence", "synthetic",
)  # fmt: skip
CODES = {"label": "label", "given": "given_label", "consensus": "people_label"}
"""Columns of class codes -> the name under which the class is written."""
LEFT_OUT = {"item", "ordinal", "path", "label_from", "label_confidence", "consensus_confidence", *CODES}


class ExportRefused(Exception):
    """The export cannot be made; the message says why and what to do."""


def manifest_of(hard_set: HardSet) -> dict[str, Any]:
    """Return where the set comes from: enough to check it and to make it again."""
    round_ = hard_set.round
    return {
        "kind": "hard set", "version": 1, "project": round_.project.slug, "round": round_.number,
        "hard_set": hard_set.pk, "strategy": hard_set.strategy, "set_version": hard_set.version,
        "params": hard_set.params, "sha256": hard_set.sha256, "n_members": hard_set.n_members,
        "synthetic": round_.has_synthetic, "in_sample": in_sample_learners(round_), "classes": classes_of(round_),
        "human_measure": human_measure(round_),
        "measures": f"Higher is always harder; time_hardness in {time_unit(round_)}, times in milliseconds.",
    }  # fmt: skip


def export_columns(hard_set: HardSet) -> list[str]:
    """Return the columns of an export: who and why, labels, then every measure of the round."""
    measures = [name for name in measure_columns(hard_set.round) if name not in LEFT_OUT]
    return [*FIRST_COLUMNS, *measures]


def records_of(hard_set: HardSet, columns: list[str]) -> Iterator[Record]:
    """Yield a record for every member, hardest first, 2,000 at a time from the database."""
    classes = classes_of(hard_set.round)
    members = hard_set.members.select_related("item__image").order_by("rank")
    for start in range(0, hard_set.n_members, MEMBERS_AT_ONCE):
        page = list(members[start : start + MEMBERS_AT_ONCE])
        measures = measures_of(hard_set.round, [member.item_id for member in page])
        for member in page:
            row = measures.get(member.item_id, {})
            item = member.item
            box = None if item.box_x is None else [item.box_x, item.box_y, item.box_width, item.box_height]
            record: Record = {
                "rank": member.rank, "item": item.pk, "path": item.path, "sha256": item.image.sha256, "box": box,
                "score": member.score, "reason": member.reason, "verdict": member.verdict,
                "label_from": row.get("label_from") or "", "label_confidence": row.get("label_confidence"),
                "people_label_confidence": row.get("consensus_confidence"),
                "synthetic": hard_set.round.has_synthetic,
            }  # fmt: skip
            record |= {name: _named(row.get(code), classes) for code, name in CODES.items()}
            record |= {
                name: _named(value, classes) if name.endswith(".predicted") else value
                for name, value in row.items()
                if name not in LEFT_OUT
            }
            yield {name: record.get(name) for name in columns}


def _named(code: int | None, classes: list[str]) -> str:
    return classes[code] if code is not None and 0 <= code < len(classes) else ""
