"""The typed HTTP API, version 1: routers of the apps behind one address, sign-in by session or one refusal."""

from __future__ import annotations

import logging
import math
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from ninja import NinjaAPI
from ninja.errors import HttpError, Throttled, ValidationError
from ninja.security import SessionAuth

from annotations.api import router as annotations_router
from mining.api import router as mining_router

api = NinjaAPI(
    title="Hardness",
    version="1.0.0",
    description="Label images, measure how hard each one is, and mine what is hard.",
    urls_namespace="api-1",
    auth=SessionAuth(csrf=True),
    docs_url="/docs",
)
api.add_router("", annotations_router)
api.add_router("", mining_router)
logger = logging.getLogger(__name__)


def refuse(request: HttpRequest, status: int, detail: Any) -> HttpResponse:
    """Return a refusal, said in one line of the log: which address, and why."""
    logger.warning("refused: %s: %s: %s", request.path, status, str(detail)[:500])
    response = api.create_response(request, {"detail": detail}, status=status)
    response._has_been_logged = True  # type: ignore[attr-defined]  # or Django would say it again, without the reason
    return response


@api.exception_handler(HttpError)
def refuse_by_view(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Say what a view refused, and after which time it would not."""
    response = refuse(request, error.status_code, str(error))
    if isinstance(error, Throttled) and error.wait:
        response["Retry-After"] = str(math.ceil(error.wait))
    return response


@api.exception_handler(Http404)
def refuse_what_is_not_there(request: HttpRequest, error: Http404) -> HttpResponse:
    """Say what there is not."""
    return refuse(request, 404, str(error) or "Not Found")


@api.exception_handler(ValidationError)
def refuse_by_schema(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Say which fields of the body are not what they should be."""
    return refuse(request, 422, error.errors)


@api.exception_handler(RequestDataTooBig)
def refuse_by_size(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    """Say how much a request may hold."""
    most = (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0) // 1024**2
    return refuse(request, 413, f"That is more than {most} MB: send less at a time.")


def api_urls() -> tuple[list[Any], str, str]:
    """Return the API's addresses, freed from the redirect to the sign-in page.

    A program that is not signed in gets 401 from the API itself, not the HTML of a form.
    """
    patterns, app_name, namespace = api.urls
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            pattern.callback = login_not_required(pattern.callback)
    return patterns, app_name, namespace
