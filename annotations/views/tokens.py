"""The page of a project's API tokens: make one, see its secret once, revoke it."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotations.models import ApiToken, Project
from annotations.selectors.access import managed_project
from annotations.services.tokens import create_token, revoke_token
from annotations.token_form import TokenForm

from .projects import take_over_errors

REVOKED_SHOWN = 20


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def tokens(request: HttpRequest, slug: str) -> HttpResponse:
    """List the tokens; a POST makes one and shows its secret, this once."""
    project = managed_project(request.user, slug)
    form = TokenForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            token, secret = create_token(project=project, user=request.user, **form.cleaned_data)
        except ValidationError as error:
            take_over_errors(form, error)
        else:
            return _page(request, project, TokenForm(), made=token, secret=secret)
    return _page(request, project, form, status=422 if request.method == "POST" else 200)


def _page(
    request: HttpRequest, project: Project, form: TokenForm, *, status: int = 200, **made: object
) -> HttpResponse:
    rows = ApiToken.objects.filter(project=project).select_related("user")
    context = {
        "project": project,
        "section": "settings",
        "form": form,
        "tokens": rows.filter(revoked_at=None),
        "revoked": rows.exclude(revoked_at=None).order_by("-revoked_at")[:REVOKED_SHOWN],
        **made,
    }
    return render(request, "annotations/tokens.html", context, status=status)


@require_POST
def token_revoke(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """End a token; any manager of the project may."""
    project = managed_project(request.user, slug)
    token = ApiToken.objects.filter(project=project, pk=pk).first()
    if token is None:
        raise Http404("There is no such token.")
    if revoke_token(token=token):
        messages.success(request, f"The token “{token.name}” opens nothing any more.")
    else:
        messages.info(request, f"The token “{token.name}” was revoked before.")
    return redirect("tokens", slug=slug)
