"""Pages of items, and the image files that they and the workbench show."""

from __future__ import annotations

import logging
import mimetypes
from pathlib import PurePosixPath

from django.core.files.storage import default_storage
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotModified,
    QueryDict,
)
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotations.models import Item, Project
from annotations.selectors.access import managed_project, project_for
from annotations.selectors.consensus import consensus_labels
from annotations.selectors.drawn import boxes_in_image
from annotations.selectors.items import ItemFilters, item_detail, item_with_image, items_page
from annotations.selectors.projects import has_synthetic
from annotations.services.crops import object_crop

logger = logging.getLogger(__name__)

# The bytes behind an item never change: known by their sha256.
CACHE_CONTROL = "private, max-age=31536000, immutable"
KEPT = ("given", "answers", "path", "with_role", "what", "from", "before")
"""What a page of items is, in its address."""
WHAT_FILTERS = (("", "Images and objects"), ("objects", "Objects"), ("images", "Whole images"))
ANSWER_FILTERS = (("", "All"), ("none", "Not judged"), ("some", "Partly judged"), ("done", "Judged"))


def _ordinal(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def filters_of(values: QueryDict) -> ItemFilters:
    """Return the filters that a query string or a form names."""
    return ItemFilters(
        given=values.get("given", "")[:20],
        answers=values.get("answers", "")[:20],
        what=values.get("what", "")[:20],
        path=values.get("path", "").strip().replace("\x00", "")[:200],
        role=values.get("with_role", "") if values.get("with_role", "") in Item.Role.values else "",
    )


@require_safe
def items(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the items as a grid, a page at a time, with filters."""
    project = managed_project(request.user, slug)
    filters = filters_of(request.GET)
    page = items_page(project, filters, start=_ordinal(request, "from"), before=_ordinal(request, "before"))
    consensus = consensus_labels(project, [item.pk for item in page.items])
    return render(
        request,
        "annotations/items.html",
        {
            "project": project,
            "section": "items",
            "page": page,
            "entries": [(item, consensus.get(item.pk)) for item in page.items],
            "filters": filters,
            "classes": project.classes.order_by("code"),
            "answer_filters": ANSWER_FILTERS,
            "roles": Item.Role,
            "kept": [(name, request.GET[name]) for name in KEPT if request.GET.get(name)],
            "what_filters": WHAT_FILTERS if project.unit == Project.Unit.OBJECT else (),
            "has_synthetic": has_synthetic(project),
        },
    )


@require_safe
def item(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Show one item: its image, and what people said of it."""
    project = managed_project(request.user, slug)
    detail = item_detail(project, pk)
    if detail is None:
        raise Http404("There is no such item.")
    return render(
        request,
        "annotations/item.html",
        {
            "project": project,
            "section": "items",
            "detail": detail,
            "item": detail.item,
            "roles": Item.Role,
            "boxes": boxes_in_image(detail.item) if project.unit == Project.Unit.OBJECT else [],
            "consensus": consensus_labels(project, [pk]).get(pk),
        },
    )


@require_safe
def image_file(request: HttpRequest, slug: str, pk: int) -> HttpResponseBase:
    """Send the item's image to members: the file as it came, or the copy that browsers can show."""
    project = project_for(request.user, slug)
    found = item_with_image(project, pk)
    if found is None:
        raise Http404("There is no such item.")
    image = found.image
    if image.display:
        return _file(request, image.display, "image/png", tag=f"{image.sha256}-display")
    return _file(request, image.file, image.media_type, tag=image.sha256)


@require_safe
def image_thumbnail(request: HttpRequest, slug: str, pk: int) -> HttpResponseBase:
    """Send the item's thumbnail to members."""
    project = project_for(request.user, slug)
    found = item_with_image(project, pk)
    if found is None:
        raise Http404("There is no such item.")
    if found.box_width is not None:
        return _crop(request, found)
    name = found.image.thumbnail
    kind = found.image.media_type if name == found.image.file else mimetypes.guess_type(name)[0] or "image/jpeg"
    return _file(request, name, kind, tag=f"{found.image.sha256}-thumbnail")


def _crop(request: HttpRequest, item: Item) -> HttpResponseBase:
    try:
        name, tag = object_crop(item)
    except FileNotFoundError:
        logger.error("The file %s is missing from the storage.", item.image.file)
        raise Http404("The file is missing from the storage.") from None
    response = _file(request, name, "image/jpeg", tag=tag)
    # The box of a drawn object moves while people draw.
    response["Cache-Control"] = "private, no-cache"
    return response


def _file(request: HttpRequest, name: str, media_type: str, *, tag: str) -> HttpResponseBase:
    etag = f'"{tag}"'
    response: HttpResponseBase
    if etag in [part.strip().removeprefix("W/") for part in request.headers.get("If-None-Match", "").split(",")]:
        response = HttpResponseNotModified()
    else:
        try:
            file = default_storage.open(name, "rb")
        except FileNotFoundError:
            logger.error("The file %s is missing from the storage.", name)
            raise Http404("The file is missing from the storage.") from None
        response = FileResponse(file, content_type=media_type, filename=PurePosixPath(name).name)
    response["ETag"] = etag
    response["Cache-Control"] = CACHE_CONTROL
    response["X-Content-Type-Options"] = "nosniff"
    return response
