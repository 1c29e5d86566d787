"""The pages of annotators: the workbench, and their own progress."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from annotations.models import Annotator
from annotations.selectors.access import is_manager, project_for
from annotations.selectors.drawn import images_to_search
from annotations.selectors.progress import progress_of, sittings_of
from annotations.services.answers import SKIP_REASONS


@require_safe
@ensure_csrf_cookie
def workbench(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the workbench. What it shows in the place of an image comes through the API."""
    project = project_for(request.user, slug)
    classes = list(project.classes.order_by("code").values("code", "name", "key"))
    api = reverse("api-1:trials_next", args=[slug]).removesuffix("next")
    config = {
        "api": api,
        "scope": f"{request.user.pk}:{project.pk}",
        "classes": classes,
        "lookahead": project.lookahead,
        "idleMs": project.idle_ms,
        "protocol": {
            "timeLimitMs": project.time_limit_ms,
            "flashFrames": project.flash_frames,
            "breakAfter": project.break_after,
        },
        "draws": project.draws_boxes,
        "images": images_to_search(project),
        "progressUrl": reverse("my_progress", args=[slug]),
        "signInUrl": f"{reverse('login')}?next={request.path}",
    }
    response = render(
        request,
        "annotations/label.html",
        {
            "project": project,
            "section": "label",
            "is_manager": is_manager(request.user, project),
            "classes": classes,
            "keyed": [each for each in classes if each["key"]],
            "is_searched": any(not each["key"] for each in classes),
            "zero_is_answer": any(each["key"] == "0" for each in classes),
            "skip_reasons": list(SKIP_REASONS.items()),
            "config": config,
        },
    )
    # With the opener policy of all pages (same-origin) this isolates the page from other origins: only then does
    # Chromium date paints exactly, and not rounded up to 4 ms, and the clock steps by 5 us in place of 100.
    response["Cross-Origin-Embedder-Policy"] = "require-corp"
    return response


@require_safe
def my_progress(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the annotator their own counts and pace, and nothing of anybody else."""
    project = project_for(request.user, slug)
    user: Any = request.user
    annotator = Annotator.objects.select_related("project").filter(project=project, user=user).first()
    return render(
        request,
        "annotations/my_progress.html",
        {
            "project": project,
            "section": "progress",
            "is_manager": is_manager(request.user, project),
            "progress": progress_of(annotator) if annotator else None,
            "sittings": sittings_of(annotator) if annotator else [],
        },
    )
