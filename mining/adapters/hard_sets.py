"""A hard set from arrays to rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db import transaction

from mining.artifacts import plain
from mining.models import HardSet, HardSetMember, Round

NOT_TRAINED_ON = ("mislabelled", "unclear")
"""Verdicts of members that count for no more than others: a wrong label must not."""


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
        if present is not None:
            present.delete()
        hard_set = HardSet.objects.create(
            round=round_,
            strategy=strategy,
            params=params,
            sha256=digest,
            n_members=len(items),
            summary=plain(summary),
        )
        members = zip(items.tolist(), scores.tolist(), reasons, verdicts, strict=True)
        HardSetMember.objects.bulk_create(
            (
                HardSetMember(
                    hard_set=hard_set, item_id=item, rank=rank, score=score, reason=reason[:300], verdict=verdict
                )
                for rank, (item, score, reason, verdict) in enumerate(members, start=1)
            ),
            batch_size=2000,
        )
    return hard_set


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
