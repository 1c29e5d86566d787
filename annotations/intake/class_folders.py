"""Folders named by class: which class a path says an image belongs to."""

from __future__ import annotations

from collections.abc import Collection

from .source import Refused


def class_of_path(path: str, names: Collection[str]) -> str:
    """Return the class that a folder on the path is called by: the one nearest to the file, case mattering.

    So `cat/a.png`, `photos/cat/a.png` and `cat/2024/a.png` are all of class `cat`. Raises Refused where no folder is
    called like a class.
    """
    folders = path.split("/")[:-1]
    for folder in reversed(folders):
        if folder in names:
            return folder
    known = ", ".join(sorted(names))
    if not folders:
        raise Refused(f"It lies in no folder, so it has no class. The classes are: {known}.")
    raise Refused(f'"{folders[-1]}" is no class of the project. The classes are: {known}.')
