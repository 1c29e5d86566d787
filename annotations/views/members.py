"""The page of a project's members: add, change role, remove, and sign-in links."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotations.forms import InviteForm
from annotations.models import Membership, Project
from annotations.selectors.access import managed_project
from annotations.selectors.projects import member_rows
from annotations.services.members import invite_member, may_have_link, remove_member, set_role
from hardness_site.sign_in import sign_in_link

from .projects import take_over_errors


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def project_members(request: HttpRequest, slug: str) -> HttpResponse:
    """List the members; a POST adds one, and shows the link that signs them in where there is one to be had."""
    project = managed_project(request.user, slug)
    form = InviteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            membership, made = invite_member(
                project=project,
                name_or_email=form.cleaned_data["name_or_email"],
                role=form.cleaned_data["role"],
            )
        except ValidationError as error:
            take_over_errors(form, error)
        else:
            if made or may_have_link(actor=request.user, user=membership.user):
                return _page(request, project, InviteForm(), linked=membership)
            messages.success(request, f"{membership.user} is a member now, and signs in as before.")
            return redirect("project_members", slug=slug)
    return _page(request, project, form)


def _page(
    request: HttpRequest, project: Project, form: InviteForm, *, linked: Membership | None = None
) -> HttpResponse:
    context = {
        "project": project,
        "section": "members",
        "form": form,
        "rows": member_rows(project, actor=request.user),
        "roles": Membership.Role.choices,
    }
    if linked is not None:
        next_path = reverse("project" if linked.role == Membership.Role.MANAGER else "label", args=[project.slug])
        context["linked"] = linked
        context["link"] = request.build_absolute_uri(sign_in_link(linked.user, next_path))
    status = 422 if request.method == "POST" and linked is None else 200
    return render(request, "annotations/members.html", context, status=status)


def _membership(project: Project, pk: int) -> Membership:
    membership = Membership.objects.filter(project=project, pk=pk).select_related("user", "project").first()
    if membership is None:
        raise Http404("There is no such member.")
    return membership


@require_POST
@never_cache
def member_link(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Show a new link that signs the member in once."""
    project = managed_project(request.user, slug)
    membership = _membership(project, pk)
    if not may_have_link(actor=request.user, user=membership.user):
        messages.error(request, f"{membership.user} signs in by other means: you cannot make a link for them.")
        return redirect("project_members", slug=slug)
    return _page(request, project, InviteForm(), linked=membership)


@require_POST
def member_role(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Give a member another role."""
    project = managed_project(request.user, slug)
    membership = _membership(project, pk)
    try:
        changed = set_role(membership=membership, role=request.POST.get("role", ""))
        messages.success(request, f"{changed.user} is {changed.get_role_display().lower()} now.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return _back(request, slug)


@require_POST
def member_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """End a membership; what the person answered stays."""
    project = managed_project(request.user, slug)
    membership = _membership(project, pk)
    try:
        remove_member(membership=membership)
        messages.success(request, f"{membership.user} is no member any more. What they answered stays.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return _back(request, slug)


def _back(request: HttpRequest, slug: str) -> HttpResponse:
    """Go back to the members, or home for whoever has just given up the project."""
    try:
        managed_project(request.user, slug)
    except Http404:
        return redirect("home")
    return redirect("project_members", slug=slug)
