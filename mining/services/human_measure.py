"""Verb for the measure of hardness by people that a project uses everywhere."""

from __future__ import annotations

from django.db import transaction

from annotations.models import Project
from mining.human_words import measure_words

from .people_now import refresh_people


class MeasureRefused(Exception):
    """There is no such measure; the message says which there are."""


@transaction.atomic
def choose_measure(*, project: Project, name: str) -> Project:
    """Use another measure from now on: on pages, in new rounds, in the queue and in exports.

    Rounds that are there keep the one they were made with. The Hardness page is computed anew.
    """
    if name not in measure_words():
        raise MeasureRefused(f"No measure is called {name!r}; there are {', '.join(measure_words())}.")
    Project.objects.select_for_update().get(pk=project.pk)
    Project.objects.filter(pk=project.pk).update(human_measure=name)
    project.refresh_from_db(fields=["human_measure"])
    refresh_people(project=project)
    return project
