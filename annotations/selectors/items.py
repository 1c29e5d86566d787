"""Reads about items: a page of them, and one with everything people said of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, Prefetch, QuerySet

from annotations.models import Annotation, Annotator, Item, LabelClass, Project, Trial

from .drawn import add_drawn_boxes

PAGE_SIZE = 60
TRIALS_SHOWN = 500


@dataclass(frozen=True, slots=True)
class ItemFilters:
    """Which items: by given label (a class code, or "none"), by answers ("none", "some", "done"), by part of path, by
    role ("training", "gold"), and by `what` they are ("objects", "images").
    """

    given: str = ""
    answers: str = ""
    path: str = ""
    role: str = ""
    what: str = ""

    @property
    def any(self) -> bool:
        """Whether anything is filtered."""
        return bool(self.given or self.answers or self.path or self.role or self.what)


@dataclass(frozen=True, slots=True)
class ItemsPage:
    """Items in their order. `next_from` and `previous_from` are ordinals to go on from, None at the ends."""

    items: list[Item]
    next_from: int | None
    previous_from: int | None

    @property
    def last_number(self) -> int:
        """Number of the last item, counting from 1."""
        return self.items[-1].number if self.items else 0


def filtered_items(project: Project, filters: ItemFilters) -> QuerySet[Item]:
    """Return the project's items that the filters leave, unordered."""
    items = Item.objects.filter(project=project).order_by()
    if filters.given == "none":
        items = items.filter(given__isnull=True)
    elif filters.given.isdigit():
        items = items.filter(given__project=project, given__code=int(filters.given[:6]))
    if filters.answers == "none":
        items = items.filter(answered=0)
    elif filters.answers == "some":
        items = items.filter(answered__gt=0, answered__lt=F("needed"))
    elif filters.answers == "done":
        items = items.filter(answered__gte=F("needed"))
    if filters.role:
        items = items.filter(role=filters.role)
    if filters.what in ("objects", "images"):
        items = items.filter(box_width__isnull=filters.what == "images")
    if filters.path:
        items = items.filter(path__icontains=filters.path)
    return items


def items_page(
    project: Project,
    filters: ItemFilters,
    *,
    start: int | None = None,
    before: int | None = None,
    size: int = PAGE_SIZE,
) -> ItemsPage:
    """Return a page of items from ordinal `start` on, or the last page that ends before ordinal `before`.

    By ordinal, not by offset: the last page of a million items costs what the first does.
    """
    items = filtered_items(project, filters).select_related("given")
    if before is not None:
        found = list(items.filter(ordinal__lt=before).order_by("-ordinal")[: size + 1])
        page = found[:size][::-1]
        has_previous, has_next = len(found) > size, True
    else:
        found = list(items.filter(ordinal__gte=start or 0).order_by("ordinal")[: size + 1])
        page = found[:size]
        has_next = len(found) > size
        has_previous = bool(start) and items.filter(ordinal__lt=start).exists()
    return ItemsPage(
        items=page,
        next_from=page[-1].ordinal + 1 if page and has_next else None,
        previous_from=page[0].ordinal if page and has_previous else None,
    )


@dataclass(frozen=True, slots=True)
class LabelCount:
    """How often a label was given to an item."""

    label: LabelClass
    n: int
    share: float


@dataclass(frozen=True, slots=True)
class ItemDetail:
    """An item with its trials, its labels by how often they were given, and its neighbours in order."""

    item: Item
    trials: Sequence[Trial]
    labels: list[LabelCount]
    aliases: list[str]
    previous: Item | None
    next: Item | None
    has_synthetic: bool


def item_detail(project: Project, item_id: int) -> ItemDetail | None:
    """Return everything about one item of the project; None where there is no such item."""
    item = Item.objects.filter(project=project, pk=item_id).select_related("image", "given", "project").first()
    if item is None:
        return None
    history = Prefetch(
        "annotations", queryset=Annotation.objects.select_related("label").order_by("pk"), to_attr="history"
    )
    trials = list(
        Trial.objects.filter(item=item)
        .exclude(state=Trial.State.ABANDONED)
        .select_related("annotator", "drawing")
        .defer("annotator__drawn")
        .order_by("pk")
        .prefetch_related(history)[:TRIALS_SHOWN]
    )
    add_drawn_boxes(item, trials)
    # `history` is prefetched under that name, which types cannot see.
    current = [entry.label for trial in trials for entry in trial.history if entry.is_current]  # type: ignore[attr-defined]
    counts = Counter(current)
    neighbours = Item.objects.filter(project=project)
    return ItemDetail(
        item=item,
        trials=trials,
        labels=[LabelCount(label, n, n / len(current)) for label, n in counts.most_common()],
        aliases=list(item.aliases.order_by("path").values_list("path", flat=True)[:20]),
        previous=neighbours.filter(ordinal__lt=item.ordinal).order_by("-ordinal").first(),
        next=neighbours.filter(ordinal__gt=item.ordinal).order_by("ordinal").first(),
        has_synthetic=any(trial.annotator.kind == Annotator.Kind.SYNTHETIC for trial in trials),
    )


def item_with_image(project: Project, item_id: int) -> Item | None:
    """Return the item with its image, or None."""
    return Item.objects.filter(project=project, pk=item_id).select_related("image").first()
