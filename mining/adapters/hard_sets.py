"""A hard set from arrays to rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from django.db import transaction

from mining.artifacts import plain
from mining.models import HardSet, HardSetMember, Round
from mining.models.hard_set import NOT_TRAINED_ON
from mining.selectors.hard_sets import earlier_set, hard_sets_of
from mining.strategies.set_comparison import change_since, overlaps


def store_hard_set(
    *,
    round_: Round,
    strategy: str,
    params: dict[str, Any],
    items: np.ndarray,
    scores: np.ndarray,
    reasons: Sequence[str],
    verdicts: Sequence[str],
    summary: dict[str, Any],
) -> HardSet:
    """Write version 1 of a round's hard set with its members, hardest first; the same content is written only once.

    Where the same round has other content under this strategy (the stage ran before, on other data), that is replaced.
    """
    digest = content_sha256(
        strategy=strategy, params=params, round_=round_, items=items, scores=scores, reasons=reasons, verdicts=verdicts
    )
    with transaction.atomic():
        present = HardSet.objects.filter(round=round_, strategy=strategy, version=1).first()
        if present is not None and present.sha256 == digest:
            return present
        # Versions made of a set that no longer stands go with it.
        HardSet.objects.filter(round=round_, strategy=strategy).delete()
        hard_set = HardSet.objects.create(
            round=round_,
            strategy=strategy,
            params=params,
            sha256=digest,
            n_members=len(items),
            summary=plain(summary),
        )
        write_members(hard_set, zip(items.tolist(), scores.tolist(), reasons, verdicts, strict=True))
    return hard_set


def write_members(hard_set: HardSet, rows: Iterable[tuple[int, float, str, str]]) -> None:
    """Write members from (item, score, reason, verdict), hardest first."""
    HardSetMember.objects.bulk_create(
        (
            HardSetMember(hard_set=hard_set, item_id=item, rank=rank, score=score, reason=reason[:300], verdict=verdict)
            for rank, (item, score, reason, verdict) in enumerate(rows, start=1)
        ),
        batch_size=2000,
    )


def content_sha256(
    *,
    strategy: str,
    params: dict[str, Any],
    round_: Round,
    items: np.ndarray,
    scores: np.ndarray,
    reasons: Sequence[str],
    verdicts: Sequence[str],
) -> str:
    """Return the sha256 of what a hard set says: strategy, parameters, round, and its members in order."""
    digest = hashlib.sha256()
    head = {"strategy": strategy, "params": params, "project": round_.project_id, "round": round_.number}
    digest.update(json.dumps(plain(head), sort_keys=True).encode())
    for item, score, reason, verdict in zip(items.tolist(), scores.tolist(), reasons, verdicts, strict=True):
        digest.update(f"\n{item}\t{score!r}\t{reason}\t{verdict}".encode())
    return digest.hexdigest()


def member_weights(included: Sequence[dict[str, Any]], item_ids: np.ndarray) -> np.ndarray | None:
    """Return (n,) training weights: 1, and for members of the included hard sets the largest of their weights.

    `included` holds {"id", "weight"} as in a round's parameters. None when nothing is included. Members that the noise
    gate called mislabelled or unclear keep a weight of 1: a wrong label must not count for more.
    """
    if not included:
        return None
    weight_of = {entry["id"]: float(entry["weight"]) for entry in included}
    rows = (
        HardSetMember.objects.filter(hard_set__in=weight_of)
        .exclude(verdict__in=NOT_TRAINED_ON)
        .values_list("item_id", "hard_set_id")
    )
    members = np.array(list(rows.iterator(chunk_size=20_000)), dtype=np.int64).reshape(-1, 2)
    weights = np.ones(len(item_ids))
    for hard_set, weight in weight_of.items():
        inside = np.isin(item_ids, members[members[:, 1] == hard_set, 0])
        weights[inside] = np.maximum(weights[inside], weight)
    return weights


def member_items(hard_set: HardSet) -> np.ndarray:
    """Return the item ids of a set, hardest first."""
    return np.array(hard_set.members.order_by("rank").values_list("item_id", flat=True), dtype=np.int64)


def compare_sets(round_: Round) -> dict[str, Any]:
    """Return what the round's sets share with each other, and what is new in each since the round before.

    Sets go by the name of their strategy; of each the newest version counts.
    """
    sets = {hard_set.strategy: hard_set for hard_set in hard_sets_of(round_)}
    items = {name: member_items(hard_set) for name, hard_set in sets.items()}
    changes = {}
    for name, hard_set in sets.items():
        before = earlier_set(hard_set)
        if before is not None:
            change = change_since(member_items(before), items[name])
            changes[name] = {**vars(change), "new_share": change.new_share, "round": before.round.number}
    return {"overlaps": [vars(one) for one in overlaps(items)], "changes": changes}
