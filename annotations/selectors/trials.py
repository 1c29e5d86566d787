"""Reads for the workbench: one trial of one person, with what its answer needs, in one query."""

from __future__ import annotations

from typing import Any

from annotations.models import Trial
from annotations.services.statements import trial_of_user

LARGEST_ID = 2**63 - 1


class NoSuchTrial(LookupError):
    """There is no such trial for this person, or the project does not exist for them."""


def own_trial(user: Any, slug: str, trial_id: int, *, label: int | None = None) -> Trial:
    """Return the user's trial with what an answer needs; NoSuchTrial for everything else.

    Of its project, session and annotator only the columns that count are loaded; the others come when asked for.
    With `label`, the code of a class, the trial has `label_id`: that class of the project, or None.
    """
    trial = find_trial(user.pk, slug, trial_id, label=label)
    if trial is None:
        raise NoSuchTrial("You have no such trial in this project.")
    return trial


def find_trial(user_id: int, slug: str, trial_id: int, *, label: int | None = None) -> Trial | None:
    """Return what `own_trial` does, or None. Of `annotator.user` it has what tells whether they may sign in."""
    if abs(trial_id) > LARGEST_ID:  # SQLite cannot be asked for more
        return None
    return trial_of_user(user_id=user_id, slug=slug, trial_id=trial_id, label=label)
