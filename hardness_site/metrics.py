"""Figures of the running site in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count, Max

from annotations.models import Annotation, Trial
from hardness_site.jobs.models import Job


def as_text() -> str:
    """Return all figures as text.

    Counting millions of rows at every scrape would cost seconds, so trials and annotations are given as the highest
    primary key: rows are only added, and a counter may only rise.
    """
    by_status = dict(Job.objects.order_by().values_list("status").annotate(n=Count("pk")))
    lines = [
        *_series(
            "hardness_jobs",
            "gauge",
            "Jobs by status.",
            ((f'{{status="{s}"}}', by_status.get(s, 0)) for s in Job.Status.values),
        ),
        *_series("hardness_trials_total", "counter", "Trials ever made.", [("", _highest(Trial))]),
        *_series("hardness_annotations_total", "counter", "Annotations ever made.", [("", _highest(Annotation))]),
    ]
    return "\n".join(lines) + "\n"


def _highest(model: type[Trial] | type[Annotation]) -> int:
    return model._default_manager.aggregate(highest=Max("pk"))["highest"] or 0


def _series(name: str, kind: str, text: str, values: Iterable[tuple[str, int]]) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}", *(f"{name}{labels} {value}" for labels, value in values)]
