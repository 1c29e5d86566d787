"""Items of one batch of an import: new ones, other names of those there are, and names that are taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from annotations.intake.source import Refusal
from annotations.models import Image, Item, ItemAlias, Project
from hardness_site.jobs.models import JobMessage

from .many_rows import insert_rows


class Named(Protocol):
    """A file with its name and what it holds."""

    @property
    def path(self) -> str: ...

    @property
    def sha256(self) -> str: ...


@dataclass(slots=True)
class Known:
    """An item that is there (`pk`) or about to be (`ordinal`)."""

    pk: int | None
    ordinal: int
    path: str
    given: int | None


class ItemWriter:
    """Decides file by file, from maps read once, and writes all of it at the end.

    The caller holds the lock on the project's row from before it is made until after `save`.
    """

    def __init__(self, project: Project, files: Sequence[Named]) -> None:
        self.project = project
        self.lines: list[tuple[str, str, str]] = []
        stored = Image.objects.filter(sha256__in={file.sha256 for file in files}).order_by()
        self._images: dict[str, int] = dict(stored.values_list("sha256", "pk"))
        self._class_of = {name: pk for pk, name in project.classes.values_list("pk", "name")}
        self._name_of = {pk: name for name, pk in self._class_of.items()}
        self._by_sha256: dict[str, Known] = {}
        self._sha256_at: dict[str, str] = {}
        self._new: list[tuple[Known, int]] = []
        self._aliases: list[tuple[Known, str]] = []
        self._labelled: dict[int, Known] = {}
        self._read_images(list(self._images.values()))
        self._read_paths({file.path for file in files})

    def _read_images(self, images: list[int]) -> None:
        columns = ("pk", "ordinal", "path", "given_id", "image__sha256", "box_width")
        items = Item.objects.filter(project=self.project, image__in=images).order_by("-ordinal")
        objects: list[tuple[str, Known]] = []
        for *facts, sha256, box_width in items.values_list(*columns):
            if box_width is None:
                self._by_sha256[sha256] = Known(*facts)
            else:
                objects.append((sha256, Known(*facts)))
        # An image whose regions are in is known by its objects: it must not come back as a whole image.
        for sha256, item in objects:
            self._by_sha256.setdefault(sha256, item)
            if item.path.endswith("#1"):
                self._by_sha256[sha256] = item

    def _read_paths(self, paths: set[str]) -> None:
        items = Item.objects.filter(project=self.project).order_by()
        whole = items.filter(box_width__isnull=True, path__in=paths)
        self._sha256_at |= dict(whole.values_list("path", "image__sha256"))
        objects = items.filter(box_width__isnull=False, path__in=[f"{path}#1" for path in paths])
        for path, sha256 in objects.values_list("path", "image__sha256"):
            self._sha256_at[path.removesuffix("#1")] = sha256
        aliases = ItemAlias.objects.filter(project=self.project, path__in=paths)
        self._sha256_at |= dict(aliases.values_list("path", "item__image__sha256"))

    def take(self, path: str, sha256: str, label: str | None) -> Literal["n_new", "n_known"] | Refusal:
        """Make an item of a file whose image is stored, or find the one there is."""
        there = self._sha256_at.get(path)
        if there is not None and there != sha256:
            return Refusal(path, "Another image of the project has this name: rename the file.")
        self._sha256_at[path] = sha256
        item = self._by_sha256.get(sha256)
        if item is None:
            given = None if label is None else self._class_of[label]
            item = Known(None, self.project.n_items + len(self._new), path, given)
            self._by_sha256[sha256] = item
            self._new.append((item, self._images[sha256]))
            return "n_new"
        if there is None:
            self._aliases.append((item, path))
            self.lines.append((JobMessage.Level.INFO, path, f"Same bytes as {item.path}: one item under both names."))
        if label is not None:
            self._label(item, path, label)
        return "n_known"

    def _label(self, item: Known, path: str, label: str) -> None:
        """Give a label to an item without one. The first that came stays: rounds may have been trained on it."""
        if item.given is None:
            item.given = self._class_of[label]
            if item.pk is not None:
                self._labelled[item.pk] = item
        elif self._name_of[item.given] != label:
            first = self._name_of[item.given]
            self.lines.append(
                (JobMessage.Level.WARNING, path, f"Comes as {label}, but {item.path} came as {first}: {first} stays.")
            )

    def save(self) -> int:
        """Write everything; return how many items are new."""
        insert_rows(
            Item,
            ("image", "ordinal", "path", "given"),
            [(image, item.ordinal, item.path, item.given) for item, image in self._new],
            common={"project": self.project.pk, "needed": self.project.overlap},
        )
        self._save_aliases()
        labelled = [Item(pk=pk, given_id=item.given) for pk, item in self._labelled.items()]
        Item.objects.bulk_update(labelled, ["given"], batch_size=200)
        return len(self._new)

    def _save_aliases(self) -> None:
        fresh = [item.ordinal for item, _ in self._aliases if item.pk is None]
        made = dict(Item.objects.filter(project=self.project, ordinal__in=fresh).values_list("ordinal", "pk"))
        aliases = [
            ItemAlias(project=self.project, item_id=made[item.ordinal] if item.pk is None else item.pk, path=path)
            for item, path in self._aliases
        ]
        ItemAlias.objects.bulk_create(aliases, batch_size=500)
