# Names are text here: a path object for each step of each file costs more than the steps.
# ruff: noqa: PTH103, PTH105, PTH108, PTH116, PTH123
"""Image files in the default storage, named by their sha256: written once, and seen whole or not at all.

Waiting for the disk costs more than everything else about a small image. So the files of a batch are written beside
their places, brought to the disk together, and only then given their names.
"""

from __future__ import annotations

import ctypes
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from types import TracebackType

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from .verify import VerifiedImage

FEW_FILES = 8
"""So few files are brought to the disk one by one: the whole file system may have much to write for others."""


def image_name(sha256: str, extension: str) -> str:
    """Return the name of the file as it came."""
    return f"images/{sha256[:2]}/{sha256}.{extension}"


def display_name(sha256: str) -> str:
    """Return the name of the copy that browsers can show."""
    return f"images/{sha256[:2]}/{sha256}.display.png"


def thumbnail_name(image: VerifiedImage) -> str:
    """Return the name of the thumbnail: the file's own where it is small enough to be shown as one."""
    if image.is_own_thumbnail:
        return image_name(image.sha256, image.extension)
    return f"thumbnails/{image.sha256[:2]}/{image.sha256}.{image.thumbnail_extension}"


class StoredBatch:
    """Files of one batch, stored when `settle` returns. `put` may be called by several threads.

    Use as a context manager: what was not settled is taken away again. A writer that was killed leaves no half file
    under any name that is asked for.
    """

    def __init__(self) -> None:
        self._unfinished: list[tuple[str, str]] = []

    def __enter__(self) -> StoredBatch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for unfinished, _ in self._unfinished:
            with suppress(FileNotFoundError):
                os.unlink(unfinished)
        self._unfinished.clear()

    def put_image(self, image: VerifiedImage, data: bytes) -> None:
        """Put the file, its thumbnail and, where it has one, its display copy."""
        self.put(image_name(image.sha256, image.extension), data)
        if not image.is_own_thumbnail:
            self.put(thumbnail_name(image), image.thumbnail)
        if image.display is not None:
            self.put(display_name(image.sha256), image.display)

    def put(self, name: str, data: bytes) -> None:
        """Put bytes under exactly this name, unless they are there."""
        try:
            path = default_storage.path(name)
        except NotImplementedError:  # an object store: puts are whole and lasting there
            _put_elsewhere(name, data)
            return
        with suppress(FileNotFoundError):
            if os.stat(path).st_size == len(data):
                return
        folder, _, file = path.rpartition(os.sep)
        unfinished = f"{folder}{os.sep}.{file}.{secrets.token_hex(4)}"
        try:
            _write(unfinished, data)
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)
            _write(unfinished, data)
        self._unfinished.append((unfinished, path))

    def settle(self) -> None:
        """Bring everything that was put to the disk, and give it its name."""
        if not self._unfinished:
            return
        sync_all = _file_system_sync() if len(self._unfinished) > FEW_FILES else None
        if sync_all is not None:
            sync_all(self._unfinished[0][0])
        else:
            for unfinished, _ in self._unfinished:
                _sync(unfinished)
        while self._unfinished:
            os.replace(*self._unfinished[-1])
            self._unfinished.pop()


def _put_elsewhere(name: str, data: bytes) -> None:
    if default_storage.exists(name):
        return
    saved = default_storage.save(name, ContentFile(data))
    if saved != name:  # somebody else stored it in between
        default_storage.delete(saved)


def _write(path: str, data: bytes) -> None:
    with open(path, "xb", buffering=0) as file:
        left = memoryview(data)
        try:
            while left:
                left = left[file.write(left) :]
        except OSError:  # a full disk
            os.unlink(path)
            raise


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@cache
def _file_system_sync() -> Callable[[str], None] | None:
    """Return what brings all of the file system that holds a path to the disk, or None where there is no such thing.

    One wait for hundreds of files: a batch of 256 small images took 6 ms an image with a wait for each file.
    """
    try:
        syncfs = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError, TypeError):  # not Linux
        return None

    def sync(path: str) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            if syncfs(descriptor):
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number), path)
        finally:
            os.close(descriptor)

    return sync
