"""The order of import, the same for everybody.

For protocols that need it. Item and practice cannot be told apart in its response times: the reports say so.
"""

from __future__ import annotations

from random import Random

from annotations.models import Annotator, Project, Trial

from .draw import CHUNK, Draw, open_to


def draw_fixed(annotator: Annotator, project: Project, rng: Random) -> Draw:
    """Draw the next items by ordinal, from where the annotator is; at the end, what was passed over before."""
    last = (
        Trial.objects.filter(annotator=annotator, source=Trial.Source.BROWSER, drawing__isnull=True)
        .order_by("-position")
        .values_list("item__ordinal", flat=True)
        .first()
    )
    ids: list[int] = []
    if last is not None:
        ids = _from(annotator, project, last + 1)
    return Draw(ids=ids or _from(annotator, project, 0), by="fixed", of=0)


def _from(annotator: Annotator, project: Project, ordinal: int) -> list[int]:
    items = open_to(annotator, project).filter(ordinal__gte=ordinal).order_by("ordinal")
    return list(items.values_list("pk", flat=True)[:CHUNK])
