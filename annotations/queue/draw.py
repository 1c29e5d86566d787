"""What a policy returns, and what may be drawn at all."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, QuerySet

from annotations.models import Annotator, Item, Project, Trial

CHUNK = 200
"""Items drawn at a time."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Items drawn for one annotator.

    `ids`: in the order in which they will be shown. `by`: the policy's name. `of`: how many items stood to be chosen,
    each with the same chance; 0 where the order leaves nothing to chance.
    """

    ids: list[int]
    by: str
    of: int


def open_to(annotator: Annotator, project: Project) -> QuerySet[Item]:
    """Return the items that want judgments and that this annotator has not had in their present look.

    A trial that was given back counts as not had: it is taken up again.
    """
    had = Trial.objects.filter(item=OuterRef("pk"), annotator=annotator, look__gte=OuterRef("look")).exclude(
        state=Trial.State.ABANDONED
    )
    return Item.objects.filter(~Exists(had), project=project, taken__lt=F("needed")).order_by()
