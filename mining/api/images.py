"""Images by their sha256, as they came, whole or in part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified, StreamingHttpResponse
from ninja import Router
from ninja.errors import HttpError

from annotations.api.auth import program_or_person
from annotations.api.schemas import ErrorOut
from annotations.models import ApiToken, Image
from annotations.selectors.access import managed_project

router = Router(auth=program_or_person(ApiToken.Scope.READ))
SHA256 = re.compile("[0-9a-f]{64}")
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
CHUNK_BYTES = 1 << 16
REFUSALS: dict[Any, Any] = {401: ErrorOut, 403: ErrorOut, 404: ErrorOut, 416: ErrorOut}


@router.api_operation(
    ["GET", "HEAD"], "/projects/{slug}/images/{sha256}", response={200: Any, 206: Any, 304: None, **REFUSALS},
    url_name="api_image",
    openapi_extra={"responses": {200: {"content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}}},
)  # fmt: skip
def image(request: HttpRequest, slug: str, sha256: str) -> Any:
    """Return the bytes of an image of the project. They never change: keep them under their sha256.

    `Range: bytes=…` gives a part; `If-None-Match` with the ETag, which is the sha256, gives 304.
    """
    project = managed_project(request.user, slug)
    found = None
    if SHA256.fullmatch(sha256):
        found = Image.objects.filter(sha256=sha256, items__project=project).first()
    if found is None:
        raise HttpError(404, f"{slug} has no image with this sha256.")
    tag = f'"{found.sha256}"'
    if tag in [one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")]:
        return _headed(HttpResponseNotModified(), tag)
    return _headed(_file(request, found, tag), tag)


def _file(request: HttpRequest, found: Image, tag: str) -> HttpResponseBase:
    try:
        file = default_storage.open(found.file, "rb")
    except FileNotFoundError:
        raise HttpError(404, "The file is missing from the site's storage: tell whoever runs it.") from None
    size = file.size
    part = None if request.headers.get("If-Range", tag) != tag else byte_range(request.headers.get("Range", ""), size)
    if part is not None and part[0] >= part[1]:
        file.close()
        refused = HttpResponse(status=416)
        refused["Content-Range"] = f"bytes */{size}"
        return refused
    start, stop = part or (0, size)
    response: HttpResponseBase
    if request.method == "HEAD":
        file.close()
        response = HttpResponse(content_type=found.media_type, status=206 if part else 200)
    else:
        response = StreamingHttpResponse(
            _pieces(file, start, stop), content_type=found.media_type, status=206 if part else 200
        )
    response["Content-Length"] = str(stop - start)
    if part is not None:
        response["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return response


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """Return start and stop of the part that is asked for; None for all of it, as for a header that cannot be read.

    An empty part (start not before stop) means that the file has no such part. RFC 9110, section 14.
    """
    match = RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size if int(last) else 0
    if last and int(last) < int(first):
        return None
    return int(first), min(size, int(last) + 1) if last else size


def _pieces(file: Any, start: int, stop: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        left = stop - start
        while left > 0 and (piece := file.read(min(CHUNK_BYTES, left))):
            left -= len(piece)
            yield piece


def _headed(response: HttpResponseBase, tag: str) -> HttpResponseBase:
    response["ETag"] = tag
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    return response
