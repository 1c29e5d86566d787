"""Items of one batch of an import: new ones, other names of those there are, and names that are taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from annotations.intake.source import Refusal
from annotations.models import Image, Item, ItemAlias, LabelClass, Project
from hardness_site.jobs.models import JobMessage


class Named(Protocol):
    """A file with its name and what it holds."""

    @property
    def path(self) -> str: ...

    @property
    def sha256(self) -> str: ...


class ItemWriter:
    """Decides file by file, from maps read once, and writes all of it at the end.

    The caller holds the lock on the project's row from before it is made until after `save`.
    """

    def __init__(self, project: Project, files: Sequence[Named]) -> None:
        self.project = project
        self.lines: list[tuple[str, str, str]] = []
        self._images = {image.sha256: image for image in Image.objects.filter(sha256__in={f.sha256 for f in files})}
        self._classes: dict[str, LabelClass] = {label.name: label for label in project.classes.all()}
        self._name_of = {label.pk: name for name, label in self._classes.items()}
        paths = {file.path for file in files}
        whole = Item.objects.filter(project=project, box_width__isnull=True).select_related("image")
        self._by_sha256 = {item.image.sha256: item for item in whole.filter(image__in=self._images.values())}
        aliases = ItemAlias.objects.filter(project=project, path__in=paths).select_related("item__image")
        self._sha256_at = {item.path: item.image.sha256 for item in whole.filter(path__in=paths)}
        # An image whose regions are in is known by its objects: it must not come back as a whole image.
        objects = Item.objects.filter(project=project, box_width__isnull=False, image__in=self._images.values())
        for item in objects.select_related("image").order_by("-ordinal"):
            self._by_sha256.setdefault(item.image.sha256, item)
            if item.path.endswith("#1"):
                self._by_sha256[item.image.sha256] = item
        numbered = objects.model.objects.filter(project=project, box_width__isnull=False)
        numbered = numbered.filter(path__in=[f"{path}#1" for path in paths]).select_related("image")
        self._sha256_at |= {
            item.path.removesuffix("#1"): item.image.sha256 for item in numbered.select_related("image")
        }
        self._sha256_at |= {alias.path: alias.item.image.sha256 for alias in aliases}
        self._new: list[Item] = []
        self._aliases: list[ItemAlias] = []
        self._labelled: dict[int, Item] = {}

    def take(self, path: str, sha256: str, label: str | None) -> Literal["n_new", "n_known"] | Refusal:
        """Make an item of a file whose image is stored, or find the one there is."""
        there = self._sha256_at.get(path)
        if there is not None and there != sha256:
            return Refusal(path, "Another image of the project has this name: rename the file.")
        self._sha256_at[path] = sha256
        item = self._by_sha256.get(sha256)
        if item is None:
            self._by_sha256[sha256] = self._make(path, sha256, label)
            return "n_new"
        if there is None:
            self._aliases.append(ItemAlias(project=self.project, item=item, path=path))
            self.lines.append((JobMessage.Level.INFO, path, f"Same bytes as {item.path}: one item under both names."))
        if label is not None:
            self._label(item, path, label)
        return "n_known"

    def _make(self, path: str, sha256: str, label: str | None) -> Item:
        item = Item(
            project=self.project,
            image=self._images[sha256],
            ordinal=self.project.n_items + len(self._new),
            path=path,
            given=None if label is None else self._classes[label],
            needed=self.project.overlap,
        )
        self._new.append(item)
        return item

    def _label(self, item: Item, path: str, label: str) -> None:
        """Give a label to an item without one. The first that came stays: rounds may have been trained on it."""
        if item.given_id is None:
            item.given = self._classes[label]
            if item.pk is not None:
                self._labelled[item.pk] = item
        elif self._name_of[item.given_id] != label:
            first = self._name_of[item.given_id]
            self.lines.append(
                (JobMessage.Level.WARNING, path, f"Comes as {label}, but {item.path} came as {first}: {first} stays.")
            )

    def save(self) -> int:
        """Write everything; return how many items are new."""
        Item.objects.bulk_create(self._new, batch_size=500)
        for alias in self._aliases:
            alias.item_id = alias.item.pk
        ItemAlias.objects.bulk_create(self._aliases, batch_size=500)
        Item.objects.bulk_update(self._labelled.values(), ["given"], batch_size=200)
        return len(self._new)
