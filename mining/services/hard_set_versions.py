"""Drop members of a hard set with a reason: that makes a new version, and the old one stays as it is."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max

from mining.models import HardSet
from mining.selectors.rounds import is_active

LONGEST_REASON = 300


class DropRefused(Exception):
    """The members cannot be dropped; the message says why and what to do."""


def drop_members(*, hard_set: HardSet, item_ids: Iterable[int], reason: str, created_by: User | None = None) -> HardSet:
    """Return a new version of the set without these items; ranks close up, everything else stays.

    The same request twice (a double click) gives the first one's version. Raises `DropRefused`, and then nothing is
    written: without a reason, without items, for items that are no members, for all of them, and while the round is
    still at work and may pick anew.
    """
    wanted, reason = set(item_ids), " ".join(reason.split())
    if not reason:
        raise DropRefused("Say why these items are dropped: the reason stays with the new version.")
    if len(reason) > LONGEST_REASON:
        raise DropRefused(f"The reason may have {LONGEST_REASON} characters, not {len(reason)}.")
    if not wanted:
        raise DropRefused("Choose the items to drop first.")
    if is_active(hard_set.round):
        raise DropRefused(f"Round {hard_set.round.number} is still at work: wait until it is over.")
    with transaction.atomic():
        # Versions are numbered within round and strategy: whoever makes one holds the first.
        family = HardSet.objects.filter(round=hard_set.round, strategy=hard_set.strategy)
        list(family.filter(version=1).select_for_update())
        rows = list(hard_set.members.order_by("rank").values_list("item_id", "score", "reason", "verdict"))
        foreign = wanted - {row[0] for row in rows}
        if foreign:
            raise DropRefused(f"Item {min(foreign)} is not in version {hard_set.version} of this set: nothing dropped.")
        kept = [row for row in rows if row[0] not in wanted]
        if not kept:
            raise DropRefused("That would leave no item at all. Keep at least one.")
        return _next_version(hard_set, kept, reason, created_by)


def _next_version(
    parent: HardSet, kept: list[tuple[int, float, str, str]], reason: str, created_by: User | None
) -> HardSet:
    # Adapters bring tables along, which no page needs.
    from mining.adapters.hard_sets import content_sha256, write_members

    items, scores, reasons, verdicts = zip(*kept, strict=True)
    digest = content_sha256(
        strategy=parent.strategy, params=parent.params, round_=parent.round, items=np.array(items),
        scores=np.array(scores), reasons=reasons, verdicts=verdicts,
    )  # fmt: skip
    family = HardSet.objects.filter(round=parent.round, strategy=parent.strategy)
    present = family.filter(parent=parent, sha256=digest).first()
    if present is not None:
        return present
    counts = {verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts)) if verdict}
    made = HardSet.objects.create(
        round=parent.round, strategy=parent.strategy, params=parent.params, parent=parent, sha256=digest,
        version=(family.aggregate(last=Max("version"))["last"] or 0) + 1, n_members=len(kept), reason=reason,
        created_by=created_by, summary={**parent.summary, "verdicts": counts},
    )  # fmt: skip
    write_members(made, kept)
    return made
