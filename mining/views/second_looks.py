"""What came of asking again, for the pages of a round and of a hard set."""

from __future__ import annotations

from typing import Any

from annotations.models import Item, Project
from mining.models import HardSet, Round, SecondLook
from mining.selectors.rounds import second_looks_in

from .words import OUTCOMES, Verdict, outcome_counts

EXAMPLES = 12


def looks_in_words(project: Project, round_: Round, *, only: HardSet | None = None) -> list[dict[str, Any]]:
    """Return what the round says of each look (of `only` this set): counts, and example items of each outcome."""
    looks = [look for look in second_looks_in(round_) if only is None or look["hard_set"] == only.pk]
    shown = {number for look in looks for items in look["items"].values() for number in items[:EXAMPLES]}
    rows = Item.objects.filter(project=project).in_bulk(shown)
    return [
        {
            **look,
            "counts": outcome_counts(look["counts"]),
            "parts": [_part(OUTCOMES[name], look, rows) for name in OUTCOMES if look["items"].get(name)],
        }
        for look in looks
    ]


def _part(outcome: Verdict, look: dict[str, Any], rows: dict[int, Item]) -> dict[str, Any]:
    items = look["items"][outcome.name]
    examples = [
        {"item": rows[number], "labels": look["labels"].get(str(number)) if outcome.name == "label_changed" else None}
        for number in items[:EXAMPLES]
        if number in rows
    ]
    return {"outcome": outcome, "count": len(items), "examples": examples, "more": len(items) - len(examples)}


def outcomes_of(project: Project, hard_set: HardSet, looks: list[SecondLook]) -> list[dict[str, Any]]:
    """Return what the latest rounds say of these looks at a set, newest look first."""
    rounds = {look.reported_in.pk: look.reported_in for look in looks if look.reported_in is not None}
    latest = {look.pk: look.reported_in_id for look in looks}
    found = [
        {**entry, "reported_in": round_}
        for round_ in rounds.values()
        for entry in looks_in_words(project, round_, only=hard_set)
        if latest.get(entry["id"]) == round_.pk
    ]
    return sorted(found, key=lambda entry: -entry["id"])
