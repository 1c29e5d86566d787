"""Pages of projects: the list, a new one, one project's state, its settings."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from annotations.forms import ClassesForm, ProjectForm, SettingsForm, lines_of
from annotations.models import Project
from annotations.selectors.access import is_manager, managed_project, project_for
from annotations.selectors.projects import has_synthetic, project_cards, project_overview, queue_ranking
from annotations.services.projects import add_classes, create_project, update_settings
from hardness_site.jobs.models import Job

JOBS_SHOWN = 5
ROUNDS_SHOWN = 3


def take_over_errors(form: BaseForm, error: ValidationError) -> None:
    """Show what a service refused at the fields it names; what names no field of the form goes above them."""
    for field, problems in error.message_dict.items() if hasattr(error, "error_dict") else [(None, error.messages)]:
        for problem in problems:
            form.add_error(field if field in form.fields else None, problem)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """List the user's projects."""
    cards = project_cards(request.user)
    return render(request, "annotations/home.html", {"cards": cards, "manages": any(card.is_manager for card in cards)})


@require_http_methods(["GET", "HEAD", "POST"])
def project_create(request: HttpRequest) -> HttpResponse:
    """Make a project; whoever makes it manages it."""
    form = ProjectForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            project = create_project(
                name=data["name"],
                classes=lines_of(data["classes"]),
                unit=data["unit"],
                boxes=data["boxes"] if data["unit"] == Project.Unit.OBJECT else Project.Boxes.IMPORTED,
                overlap=data["overlap"],
                guidelines=data["guidelines"],
                created_by=request.user,
            )
        except ValidationError as error:
            take_over_errors(form, error)
        else:
            messages.success(request, f"{project.name} is made. Now import its images.")
            return redirect("import_images", slug=project.slug)
    status = 200 if request.method != "POST" else 422
    return render(request, "annotations/project_create.html", {"form": form}, status=status)


@require_safe
def project_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the state of a project to its managers; annotators go to the workbench."""
    project = project_for(request.user, slug)
    if not is_manager(request.user, project):
        return redirect("label", slug=slug)
    rounds = list(project.rounds.all()[:ROUNDS_SHOWN])
    return render(
        request,
        "annotations/project.html",
        {
            "project": project,
            "section": "overview",
            "overview": project_overview(project),
            "jobs": Job.objects.filter(scope=project.scope, kind__startswith="import_")[:JOBS_SHOWN],
            "classes": project.classes.order_by("code"),
            "ranking": queue_ranking(project),
            "rounds": rounds,
            "finished": next((each for each in rounds if each.status == "succeeded"), None),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def project_settings(request: HttpRequest, slug: str) -> HttpResponse:
    """Change how people are asked, or add classes."""
    project = managed_project(request.user, slug)
    adding = "add_classes" in request.POST
    changing = request.method == "POST" and not adding
    # A form writes what was typed into its instance: a refused name must not stand in the head of the page.
    form = SettingsForm(request.POST if changing else None, instance=managed_project(request.user, slug))
    classes_form = ClassesForm(request.POST if adding else None)
    try:
        if changing and form.is_valid():
            update_settings(project=project, **form.cleaned_data)
            messages.success(request, "Saved.")
            return redirect("project_settings", slug=slug)
        if adding and classes_form.is_valid():
            added = add_classes(project=project, names=lines_of(classes_form.cleaned_data["names"]))
            messages.success(request, f"Added {', '.join(label.name for label in added)}.")
            return redirect("project_settings", slug=slug)
    except ValidationError as error:
        take_over_errors(classes_form if adding else form, error)
    context = {
        "project": project,
        "section": "settings",
        "form": form,
        "classes_form": classes_form,
        "classes": project.classes.order_by("code"),
        "has_synthetic": has_synthetic(project),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "annotations/project_settings.html", context, status=status)
