"""Take in predictions of a model from elsewhere: check every row, store them, or say what is wrong with each."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from annotations.models import Item, ItemAlias, Project
from mining.artifacts import ArtifactMissing, Folder, project_folder
from mining.prediction_checks import (
    PredictionsRefused,
    PredictionTable,
    Problem,
    checked_probabilities,
    class_problems,
    item_ids,
    missing_items,
    refused,
)
from mining.selectors.choices import FILE_PREFIX

if TYPE_CHECKING:
    import numpy as np

__all__ = ["FILES_ARE", "ImportedPredictions", "PredictionsRefused", "drop_predictions", "store_predictions"]

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
FILES_ARE = {
    "folds": "Parts of the items, each predicted by another model",
    "seeds": "The same items, predicted by the same model trained again",
    "epochs": "The same items, after every epoch of one training, in order",
}
"""What several files of one import are to each other."""
FORGOTTEN_AFTER = timedelta(days=1)
"""Files that an import left behind when it was killed are removed by a later one."""

OnFile = Callable[[str, int], None]


@dataclass(frozen=True)
class ImportedPredictions:
    learner: str
    n_items: int
    n_without: int
    """Items of the project for which there is no prediction."""
    out_of_fold: bool
    n_files: int = 1


@dataclass
class _Import:
    """What has been checked so far. Files written are found by nobody until `name`.json names them."""

    project: Project
    folder: Folder
    name: str
    codes: dict[str, int]
    known: dict[str, int]
    kind: str
    problems: list[Problem] = field(default_factory=list)
    seen: dict[int, str] = field(default_factory=dict)
    parts: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    files: list[dict[str, str]] = field(default_factory=list)
    first: np.ndarray | None = None
    paths: dict[int, str] = field(default_factory=dict)

    def take(self, table: PredictionTable, *, logits: bool) -> None:
        """Check one file; where nothing is wrong so far, keep it (folds) or write it (seeds, epochs)."""
        import numpy as np

        if found := class_problems(table, self.codes, self.project.slug):
            self.problems += found
            return
        if self.kind != "folds":
            self.seen = {}
        ids, unknown = item_ids(table, self.known, self.project.slug, self.seen)
        values, bad = checked_probabilities(table, logits=logits if table.logits is None else table.logits)
        found = sorted(unknown + bad)
        if not found and self.kind != "folds":
            found = self._others(table, np.sort(ids))
        self.problems += found
        if self.problems:
            return
        probabilities = np.zeros((len(values), len(self.codes)), dtype=np.float32)
        probabilities[:, [self.codes[label] for label in table.classes]] = values
        if self.kind == "folds":
            self.parts.append((ids, probabilities))
        else:
            self.write(ids, probabilities)

    def _others(self, table: PredictionTable, ids: np.ndarray) -> list[Problem]:
        if self.first is None:
            self.first = ids
            return []
        if len(ids) == len(self.first) and (ids == self.first).all():
            return []
        if not self.paths:
            self.paths = {item: path for path, item in self.known.items()}
        return missing_items(table, ids, self.first, self.paths)

    def write(self, ids: np.ndarray, probabilities: np.ndarray) -> None:
        import numpy as np

        order = np.argsort(ids, kind="stable")
        file = f"{self.name}/{secrets.token_hex(8)}.npz"
        self.files.append({"file": file, "sha256": ""})  # before it is there: what is written half is removed too
        arrays = {"item": ids[order], "probabilities": probabilities[order]}
        self.files[-1]["sha256"] = self.folder.write_arrays(file, arrays)
        self.n_items = len(ids)

    n_items: int = 0


def store_predictions(
    *,
    project: Project,
    name: str,
    tables: Iterable[PredictionTable],
    out_of_fold: bool,
    logits: bool = False,
    files_are: str = "folds",
    imported_by: str = "",
    on_file: OnFile | None = None,
) -> ImportedPredictions:
    """Check and store predictions: from then on they are the learner `file:<name>`, in place of earlier ones.

    `tables` are read one at a time; `files_are` says what several of them are (`FILES_ARE`). With `logits` values are
    turned into probabilities by softmax, where a file does not say what it holds. `out_of_fold` is what the user says
    of them; where it is False every figure made from them carries a warning. `on_file(name, number)` is called before
    each is checked, and may raise. Raises `PredictionsRefused`, and then nothing was stored.
    """
    if not NAME.fullmatch(name):
        raise refused(f"{name!r} is no name: use small letters, digits, - and _, at most 40 of them.")
    if files_are not in FILES_ARE:
        raise refused(f"Several files are {', '.join(FILES_ARE)}, not {files_are!r}.")
    folder = project_folder("predictions", project.pk)
    codes = dict(project.classes.order_by("code").values_list("name", "code"))
    taken = _Import(project, folder, name, codes, _known_paths(project), files_are)
    try:
        n_files = _take_all(taken, tables, logits, on_file)
        about = _about(taken, n_files, out_of_fold=out_of_fold, logits=logits, imported_by=imported_by)
        earlier = _files_of(folder, name)
        folder.write_json(f"{name}.json", about)
    except BaseException:
        _remove(folder, [entry["file"] for entry in taken.files])
        raise
    _remove(folder, [*earlier, *_forgotten(folder, name, about)])
    return ImportedPredictions(about["learner"], about["n_items"], about["n_without"], out_of_fold, n_files)


def _take_all(taken: _Import, tables: Iterable[PredictionTable], logits: bool, on_file: OnFile | None) -> int:
    import numpy as np

    n_files = 0
    for n_files, table in enumerate(tables, start=1):
        if on_file is not None:
            on_file(table.file, n_files)
        taken.take(table, logits=logits)
    if not n_files:
        raise refused("There is no file.")
    if taken.kind == "epochs" and n_files < 2:
        taken.problems.append(
            Problem(0, "Dynamics need the predictions of two epochs or more: give one file an epoch.")
        )
    if taken.problems:
        raise PredictionsRefused(taken.problems)
    if taken.kind == "folds":
        taken.write(*(np.concatenate(column) for column in zip(*taken.parts, strict=True)))
    return n_files


def _about(taken: _Import, n_files: int, *, out_of_fold: bool, logits: bool, imported_by: str) -> dict[str, Any]:
    hashes = [entry["sha256"] for entry in taken.files]
    whole = hashes[0] if len(hashes) == 1 else hashlib.sha256("".join([taken.kind, *hashes]).encode()).hexdigest()
    n_items = Item.objects.filter(project=taken.project).count()
    return {
        "name": taken.name, "learner": f"{FILE_PREFIX}{taken.name}", "n_items": taken.n_items,
        "n_without": n_items - taken.n_items, "out_of_fold": out_of_fold, "logits": logits, "sha256": whole,
        "files_are": taken.kind, "n_files": n_files, "files": [entry["file"] for entry in taken.files],
        "imported_at": timezone.now().isoformat(timespec="seconds"), "imported_by": imported_by,
    }  # fmt: skip


def drop_predictions(*, project: Project, name: str) -> bool:
    """Forget imported predictions; rounds that used them keep what they computed. False where there were none."""
    folder = project_folder("predictions", project.pk)
    if not NAME.fullmatch(name) or not folder.exists(f"{name}.json"):
        return False
    files = _files_of(folder, name)
    folder.delete(f"{name}.json")
    _remove(folder, files)
    return True


def _known_paths(project: Project) -> dict[str, int]:
    known: dict[str, int] = {}
    for rows in (
        ItemAlias.objects.filter(project=project).values_list("path", "item_id"),
        Item.objects.filter(project=project).order_by("-ordinal").values_list("path", "pk"),
    ):
        known.update(rows.iterator(chunk_size=20_000))
    return known


def _files_of(folder: Folder, name: str) -> list[str]:
    """Return the files of the import that is there now."""
    try:
        about = folder.read_json(f"{name}.json")
    except ArtifactMissing:
        return []
    return list(about.get("files") or [f"{name}.npz"])


def _forgotten(folder: Folder, name: str, about: dict[str, Any]) -> list[str]:
    inside = Folder(folder.full(name))
    before = timezone.now() - FORGOTTEN_AFTER
    return [
        f"{name}/{file}"
        for file in inside.names()
        if f"{name}/{file}" not in about["files"] and inside.storage.get_modified_time(inside.full(file)) < before
    ]


def _remove(folder: Folder, files: Iterable[str]) -> None:
    for file in files:
        folder.delete(file)
