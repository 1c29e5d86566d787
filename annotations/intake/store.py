"""Image files in the default storage, named by their sha256: written once, in one step."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from .verify import VerifiedImage


def image_name(sha256: str, extension: str) -> str:
    """Return the name of the file as it came."""
    return f"images/{sha256[:2]}/{sha256}.{extension}"


def display_name(sha256: str) -> str:
    """Return the name of the copy that browsers can show."""
    return f"images/{sha256[:2]}/{sha256}.display.png"


def thumbnail_name(sha256: str, extension: str) -> str:
    """Return the name of the thumbnail."""
    return f"thumbnails/{sha256[:2]}/{sha256}.{extension}"


def store_image(image: VerifiedImage, data: bytes) -> None:
    """Store the file, its thumbnail and, where it has one, its display copy."""
    store_once(image_name(image.sha256, image.extension), data)
    store_once(thumbnail_name(image.sha256, image.thumbnail_extension), image.thumbnail)
    if image.display is not None:
        store_once(display_name(image.sha256), image.display)


def store_once(name: str, data: bytes) -> None:
    """Store bytes under exactly this name, unless they are there. A killed writer leaves no half file under it."""
    try:
        path = Path(default_storage.path(name))
    except NotImplementedError:  # an object store: puts are whole there
        if not default_storage.exists(name):
            saved = default_storage.save(name, ContentFile(data))
            if saved != name:  # somebody else stored it in between
                default_storage.delete(saved)
        return
    if path.exists() and path.stat().st_size == len(data):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with unfinished.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
