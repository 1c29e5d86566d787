# Names are text here: a path object for each step of each file took a third of an import's own time.
# ruff: noqa: PTH116, PTH118, PTH123
"""Files of a folder on this machine, and of the folders in it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from .source import Refusal, Refused, SourceFile, check_size, clean_path, is_system_file, printable


class FolderReader:
    """Reads a folder in the order of its names. Paths are relative to it; nothing outside is followed into."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise NotADirectoryError(f"{root} is no folder.")
        self.root = root
        self.n_ignored = 0

    def count(self) -> int:
        """Walk the folder once without opening a file."""
        return sum(not is_system_file(relative) for relative, _ in self._walk("") if relative)

    def __iter__(self) -> Iterator[SourceFile | Refusal]:
        self.n_ignored = 0
        for relative, problem in self._walk(""):
            if is_system_file(relative):
                self.n_ignored += 1
            elif problem:
                yield Refusal(printable(relative), problem)
            else:
                yield self._file(relative)

    def _walk(self, inside: str) -> Iterator[tuple[str, str]]:
        """Yield (relative path, reason why it cannot be read or "")."""
        try:
            with os.scandir(self.root / inside) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            yield inside or ".", f"The folder cannot be read: {error.strerror}."
            return
        for entry in entries:
            relative = f"{inside}/{entry.name}" if inside else entry.name
            if entry.is_dir(follow_symlinks=False):
                if is_system_file(entry.name):
                    yield relative, ""
                else:
                    yield from self._walk(relative)
            elif entry.is_dir():
                yield relative, "A link to a folder: import that folder itself."
            else:
                yield relative, ""

    def _file(self, relative: str) -> SourceFile | Refusal:
        try:
            path = clean_path(relative)
            found = os.stat(os.path.join(self.root, relative))
            if not stat.S_ISREG(found.st_mode):
                raise Refused("Not a regular file.")
            check_size(found.st_size)
        except Refused as reason:
            return Refusal(printable(relative), str(reason))
        except OSError as error:
            return Refusal(printable(relative), f"It cannot be read: {error.strerror}.")
        return SourceFile(path=path, n_bytes=found.st_size, read=partial(self._read, relative))

    def _read(self, relative: str) -> bytes:
        try:
            with open(os.path.join(self.root, relative), "rb", buffering=0) as file:
                data = file.read()
        except OSError as error:
            raise Refused(f"It cannot be read: {error.strerror}.") from None
        check_size(len(data))
        return data
