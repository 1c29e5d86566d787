"""Small pictures of objects: the box with a tenth of its size around it, cut out once and kept."""

from __future__ import annotations

import hashlib
import io

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image as Picture
from PIL import ImageOps

from annotations.models import Item

SIDE = 320
CONTEXT = 0.1


def object_crop(item: Item) -> tuple[str, str]:
    """Return the name in the storage of the picture of an object, made when it is not there, and a tag of its content.

    `item`: with its image. Raises FileNotFoundError where the image's file is gone.
    """
    box = (item.box_x, item.box_y, item.box_width, item.box_height)
    digest = hashlib.sha256(repr((item.image.sha256, SIDE, CONTEXT, *box)).encode()).hexdigest()[:32]
    name = f"crops/{digest[:2]}/{digest}.jpg"
    if not default_storage.exists(name):
        saved = default_storage.save(name, ContentFile(_crop(item)))
        if saved != name:  # somebody else was faster
            default_storage.delete(saved)
    return name, digest


def _crop(item: Item) -> bytes:
    file = item.image.display or item.image.file
    with default_storage.open(file, "rb") as opened, Picture.open(opened) as picture:
        upright = ImageOps.exif_transpose(picture)
        wide, high = upright.size
        x, y, width, height = (float(side or 0) for side in (item.box_x, item.box_y, item.box_width, item.box_height))
        left, top = max(0, round((x - CONTEXT * width) * wide)), max(0, round((y - CONTEXT * height) * high))
        right = min(wide, max(left + 1, round((x + (1 + CONTEXT) * width) * wide)))
        bottom = min(high, max(top + 1, round((y + (1 + CONTEXT) * height) * high)))
        cut = upright.crop((left, top, right, bottom)).convert("RGB")
    cut.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    cut.save(buffer, format="JPEG", quality=85)
    return buffer.getvalue()
