"""Uploaded files, kept in the default storage until they have been imported."""

from __future__ import annotations

import secrets
import tempfile
import zipfile
from collections.abc import Sequence
from datetime import timedelta
from typing import BinaryIO, cast

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

FOLDER = "uploads"
KEPT_DAYS = 7


def keep_upload(files: Sequence[UploadedFile]) -> str:
    """Keep one zip archive as it is, or pack images into one; return its name in the storage."""
    name = f"{FOLDER}/{secrets.token_hex(16)}.zip"
    if len(files) == 1 and is_archive(files[0]):
        return default_storage.save(name, files[0])
    with tempfile.TemporaryFile() as packed:
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
            for file in files:
                with archive.open(str(file.name), "w", force_zip64=True) as entry:
                    for chunk in file.chunks():
                        entry.write(chunk)
        packed.seek(0)
        return default_storage.save(name, File(packed))


def is_archive(file: UploadedFile) -> bool:
    """Whether the file is a zip archive, whatever it is called."""
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    return start in (b"PK\x03\x04", b"PK\x05\x06")


def open_upload(name: str) -> BinaryIO:
    """Open a kept upload; FileNotFoundError when it is gone."""
    return cast(BinaryIO, default_storage.open(name, "rb"))


def drop_upload(name: str) -> None:
    """Remove a kept upload; one that is gone is fine."""
    default_storage.delete(name)


def drop_old_uploads() -> int:
    """Remove uploads that nobody imported within KEPT_DAYS; return how many."""
    try:
        _, names = default_storage.listdir(FOLDER)
    except FileNotFoundError:
        return 0
    before = timezone.now() - timedelta(days=KEPT_DAYS)
    old = [name for name in names if default_storage.get_modified_time(f"{FOLDER}/{name}") < before]
    for name in old:
        drop_upload(f"{FOLDER}/{name}")
    return len(old)
