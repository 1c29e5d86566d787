"""Whether the site is alive, whether it can work, and figures for a monitoring system."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from hardness_site import metrics as figures
from hardness_site.schema import n_missing_migrations

logger = logging.getLogger(__name__)


class HealthMiddleware:
    """Answer /healthz and /readyz before anything else looks at the request.

    Whoever watches the site calls it by its inner address and without TLS: no host to check, no redirect, no sign-in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._views = {"/healthz": healthz, "/readyz": readyz}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        view = self._views.get(request.path_info)
        return view(request) if view else self.get_response(request)


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer as long as this process can answer; asks nobody else."""
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether database, migrations and broker are in place: 200 when all are, else 503 with what is wrong."""
    checks = {"database": _outcome(_check_database), "migrations": _outcome(_check_migrations)}
    checks["broker"] = _outcome(check_broker)
    ready = all(outcome == "ok" for outcome in checks.values())
    body = {"status": "ok" if ready else "unavailable", "checks": checks}
    return JsonResponse(body, status=200 if ready else 503)


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Show figures in Prometheus' text format."""
    return HttpResponse(figures.as_text(), content_type="text/plain; version=0.0.4; charset=utf-8")


def check_broker() -> None:
    """Raise where the broker does not answer within two seconds."""
    import redis

    url = settings.CELERY_BROKER_URL
    if url.startswith("memory://"):
        return
    client = redis.Redis.from_url(
        url.replace("redis+socket://", "unix://", 1), socket_timeout=2, socket_connect_timeout=2
    )
    try:
        client.ping()
    finally:
        client.close()


def _check_migrations() -> None:
    missing = n_missing_migrations()
    if missing:
        raise RuntimeError(f"{missing} migrations are not applied; run `manage.py migrate`")


def _check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _outcome(check: Callable[[], None]) -> str:
    try:
        check()
    except Exception as error:
        # The answer is open to everybody: addresses and passwords in the error stay in the log.
        logger.warning("Not ready: %s: %s", check.__name__, error)
        return str(error) if isinstance(error, RuntimeError) else type(error).__name__
    return "ok"
