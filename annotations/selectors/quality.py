"""Reads for managers: how right annotators are on gold items, and how steady on hidden repeats."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Exists, F, OuterRef, Q

from annotations.models import Annotation, Project, Trial


@dataclass(frozen=True, slots=True)
class Quality:
    """Counts of one annotator: gold answers and those that are right, repeats and those answered as the first time."""

    n_gold: int = 0
    n_right: int = 0
    n_repeats: int = 0
    n_same: int = 0


NO_QUALITY = Quality()


def quality_by_annotator(project: Project) -> dict[int, Quality]:
    """Return the quality of each annotator of the project who has had gold items or repeats, in one query."""
    first = Annotation.objects.filter(
        is_current=True, trial__item=OuterRef("trial__item"), trial__annotator=OuterRef("trial__annotator"),
        trial__look=OuterRef("trial__look"), trial__purpose=Trial.Purpose.JUDGMENT, label=OuterRef("label"),
    )  # fmt: skip
    gold, repeat = Q(trial__purpose=Trial.Purpose.GOLD), Q(trial__purpose=Trial.Purpose.REPEAT)
    rows = (
        # The first condition is that of the index, word for word.
        Annotation.objects.filter(~Q(trial__purpose=""), gold | repeat, is_current=True, trial__project=project)
        .annotate(as_before=Exists(first))
        .order_by()
        .values_list("trial__annotator")
        .annotate(
            n_gold=Count("pk", filter=gold),
            n_right=Count("pk", filter=gold & Q(label=F("trial__item__given"))),
            n_repeats=Count("pk", filter=repeat),
            n_same=Count("pk", filter=repeat & Q(as_before=True)),
        )
    )
    return {annotator: Quality(*counts) for annotator, *counts in rows}
