"""What a reader gives: files that can be read, and refusals with their reason."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

MAX_FILE_BYTES = 100 * 2**20
MAX_PATH_LENGTH = 500
SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "__macosx", "ehthumbs.db"})


class Refused(Exception):
    """A file cannot be taken; the message is the reason, in words for whoever imports it."""


@dataclass(frozen=True)
class SourceFile:
    """A file of the source. `read()` returns its bytes and raises Refused where that cannot be."""

    path: str
    n_bytes: int
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Refusal:
    """A file that was not taken, and why."""

    path: str
    reason: str


class Reader(Protocol):
    """A source of files, in a fixed order. `n_ignored` counts system and hidden files met on the way."""

    n_ignored: int

    def count(self) -> int:
        """Return how many files and refusals will come."""
        ...

    def __iter__(self) -> Iterator[SourceFile | Refusal]: ...


def is_system_file(path: str) -> bool:
    """Whether the path is hidden or one of those that operating systems leave behind: passed over in silence."""
    return any(
        (part.startswith(".") and part not in (".", "..")) or part.lower() in SYSTEM_FILES for part in path.split("/")
    )


def clean_path(path: str) -> str:
    """Return the path as it names the item: slashes, composed Unicode. Raises Refused for one that cannot be a name."""
    try:
        path.encode()
    except UnicodeEncodeError:
        raise Refused("Its name is not valid UTF-8: rename it.") from None
    name = unicodedata.normalize("NFC", path)
    if not name.isprintable():
        raise Refused("Its name holds control characters: rename it.")
    if "\\" in name:
        raise Refused("Its name holds a backslash: rename it.")
    parts = name.split("/")
    if name.startswith("/") or (len(name) > 1 and name[1] == ":") or ".." in parts:
        raise Refused("Its path leads out of the archive.")
    if "" in parts or "." in parts:
        name = str(PurePosixPath(name))
    if len(name) > MAX_PATH_LENGTH:
        raise Refused(f"Its path is longer than {MAX_PATH_LENGTH} characters.")
    return name


def printable(path: str) -> str:
    """Return the path so that it can be stored and shown, whatever bytes it was made of."""
    return "".join(c if c.isprintable() else "\ufffd" for c in path.encode("utf-8", "replace").decode())


def check_size(n_bytes: int) -> None:
    """Raise Refused for an empty file and for one beyond MAX_FILE_BYTES."""
    if n_bytes == 0:
        raise Refused("The file is empty.")
    if n_bytes > MAX_FILE_BYTES:
        raise Refused(f"{n_bytes / 2**20:,.0f} MiB; {MAX_FILE_BYTES // 2**20} MiB is the most.")
