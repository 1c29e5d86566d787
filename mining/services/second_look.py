"""Ask people again about the items of a hard set."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from annotations.models import Item
from annotations.services.leases import reopen
from mining.models import HardSet, SecondLook

FIRST_VERDICT = "mislabelled"
PRIORITY, FIRST_PRIORITY = 1, 2
MOST_JUDGMENTS = 100
DOUBLE_CLICK = timedelta(seconds=30)


class SecondLookRefused(Exception):
    """The items cannot be asked again; the message says why and what to do."""


def ask_again(
    *,
    hard_set: HardSet,
    extra_judgments: int = 1,
    same_people: bool = False,
    created_by: User | None = None,
) -> SecondLook:
    """Send a hard set back to people: its items need so many more judgments and come before all others.

    Those that look wrongly labelled come first of all. With `same_people`, people who have judged an item may be asked
    again; else only others are. The same request within half a minute is a double click and gives the first one's
    answer. Raises `SecondLookRefused` for an empty set or a number of judgments that cannot be.
    """
    if not 1 <= extra_judgments <= MOST_JUDGMENTS:
        raise SecondLookRefused(f"Ask for 1 to {MOST_JUDGMENTS} more judgments, not {extra_judgments}.")
    if hard_set.n_members == 0:
        raise SecondLookRefused("This hard set is empty: there is nothing to ask.")
    with transaction.atomic():
        # The lock on the set is what makes two simultaneous requests one.
        HardSet.objects.select_for_update().get(pk=hard_set.pk)
        before = SecondLook.objects.filter(
            hard_set=hard_set, extra_judgments=extra_judgments, same_people=same_people, created_by=created_by,
            created_at__gt=timezone.now() - DOUBLE_CLICK,
        ).first()  # fmt: skip
        if before is not None:
            return before
        n_items = _reopen(hard_set, extra_judgments=extra_judgments, same_people=same_people)
        reopen(project_ids=[hard_set.round.project_id], redraw=True)
        return SecondLook.objects.create(
            hard_set=hard_set,
            extra_judgments=extra_judgments,
            same_people=same_people,
            n_items=n_items,
            created_by=created_by,
        )


def _reopen(hard_set: HardSet, *, extra_judgments: int, same_people: bool) -> int:
    """Open the members' items in a few statements; return how many there were."""
    # Imported trials may have given an item more judgments than it needed: the extra ones come on top of those.
    changes = {"needed": Greatest("needed", "taken") + extra_judgments, "priority": PRIORITY}
    if same_people:
        changes["look"] = F("look") + 1
    members = hard_set.members
    n_items = Item.objects.filter(pk__in=members.values("item")).update(**changes)
    suspects = members.filter(verdict=FIRST_VERDICT)
    Item.objects.filter(pk__in=suspects.values("item")).update(priority=FIRST_PRIORITY)
    return n_items
