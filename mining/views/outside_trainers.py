"""The page for outside trainers: webhooks with their messages, and the commands to begin with."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotations.models import ApiToken, Project
from annotations.selectors.access import managed_project
from annotations.views.projects import take_over_errors
from mining.models import HardSet, Webhook
from mining.selectors.webhooks import deliveries_of, delivery_of, delivery_row, webhook_of, webhooks_of
from mining.services.webhooks import (
    MOST_WEBHOOKS,
    change_webhook,
    create_webhook,
    remove_webhook,
    rotate_secret,
    send_again,
    send_test,
)

DELIVERIES_PER_PAGE = 20
PAGE = "outside_trainers"


class WebhookForm(forms.Form):
    """Whom to tell, and of what."""

    url = forms.CharField(
        label="Address", max_length=500,
        help_text="Where the trainer listens, for example https://trainer.example.org/hook",
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    events = forms.MultipleChoiceField(
        label="It is told that", choices=Webhook.Event.choices, widget=forms.CheckboxSelectMultiple
    )


class ChangeForm(WebhookForm):
    """The same for a webhook there is, which can also be switched off."""

    is_active = forms.BooleanField(label="Switched on", required=False)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def outside_trainers(request: HttpRequest, slug: str) -> HttpResponse:
    """Show webhooks, messages and commands; a POST adds a webhook and shows its secret, this once."""
    project = managed_project(request.user, slug)
    form = WebhookForm(request.POST if request.method == "POST" else None, initial={"events": ["hard_set.created"]})
    if request.method == "POST" and form.is_valid():
        try:
            webhook, secret = create_webhook(project=project, created_by=request.user, **form.cleaned_data)
        except ValidationError as error:
            take_over_errors(form, error)
        else:
            fresh = WebhookForm(initial={"events": ["hard_set.created"]})
            return _page(request, project, fresh, made=webhook, secret=secret)
    return _page(request, project, form, status=422 if request.method == "POST" else 200)


def _page(
    request: HttpRequest, project: Project, form: WebhookForm, *, status: int = 200,
    changed: tuple[int, ChangeForm] | None = None, **shown: Any,
) -> HttpResponse:  # fmt: skip
    hooks = list(webhooks_of(project))
    newest = HardSet.objects.filter(round__project=project, n_members__gt=0).order_by("-pk").first()
    context = {
        "project": project,
        "section": "settings",
        "form": form,
        "full": len(hooks) >= MOST_WEBHOOKS,
        "webhooks": [_hook(hook, changed) for hook in hooks],
        "has_token": ApiToken.objects.filter(project=project, revoked_at=None).exists(),
        "commands": commands(request.build_absolute_uri("/").rstrip("/"), project.slug, newest),
        **_deliveries(request, project),
        **shown,
    }
    return render(request, "mining/outside_trainers.html", context, status=status)


def commands(site: str, slug: str, newest: HardSet | None) -> list[tuple[str, str]]:
    """Return what to copy into a terminal: a title and the lines of each."""
    api = f"{site}/api/v1/projects/{slug}"
    number = newest.pk if newest is not None else "<hard set>"
    start = f"python examples/trainer.py --site {site} --project {slug}"
    token = "export HARDNESS_TOKEN=hardness_…"
    bearer = '-H "Authorization: Bearer $HARDNESS_TOKEN"'
    return [
        ("Ask for hard sets, and train on each new one", f"{token}\n{start}"),
        (
            "Wait for the webhook instead",
            f"{token}\nexport HARDNESS_WEBHOOK_SECRET=whsec_…\n{start} --listen 0.0.0.0:9009",
        ),
        (
            "By hand: the manifest, the weights, and the way back",
            f"curl {bearer} '{api}/hard-sets/{number}/manifest?format=ndjson' > manifest.jsonl\n"
            f"curl {bearer} '{api}/hard-sets/{number}/weights?format=csv' > weights.csv\n"
            f"curl {bearer} -H 'Content-Type: text/csv' --data-binary @predictions.csv "
            f"'{api}/predictions?name=my-model&out_of_fold=true'",
        ),
    ]  # fmt: skip


def _hook(hook: Webhook, changed: tuple[int, ChangeForm] | None) -> dict[str, Any]:
    initial = {"url": hook.url, "events": hook.events, "is_active": hook.is_active}
    form = ChangeForm(initial=initial, auto_id=f"id_{hook.pk}_%s")
    if changed is not None and changed[0] == hook.pk:
        form = changed[1]
    words = [Webhook.Event(event).label for event in hook.events if event in Webhook.Event.values]
    return {"webhook": hook, "form": form, "events": words}


def _deliveries(request: HttpRequest, project: Project) -> dict[str, Any]:
    page = Paginator(deliveries_of(project), DELIVERIES_PER_PAGE).get_page(request.GET.get("page"))
    rows = [delivery_row(one) for one in page.object_list]
    return {"page": page, "rows": rows, "moves": any(row["moves"] for row in rows)}


@require_GET
@never_cache
def webhook_deliveries(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the table of messages alone, for polling while one is on its way."""
    project = managed_project(request.user, slug)
    return render(request, "mining/_deliveries.html", {"project": project, **_deliveries(request, project)})


def _webhook(request: HttpRequest, slug: str, pk: int) -> tuple[Project, Webhook]:
    project = managed_project(request.user, slug)
    webhook = webhook_of(project, pk)
    if webhook is None:
        raise Http404("There is no such webhook.")
    return project, webhook


@require_POST
def webhook_change(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Change address and events, or switch it on and off; a refusal is shown at its form."""
    project, webhook = _webhook(request, slug, pk)
    form = ChangeForm(request.POST, auto_id=f"id_{pk}_%s")
    if form.is_valid():
        try:
            change_webhook(webhook=webhook, **form.cleaned_data)
        except ValidationError as error:
            take_over_errors(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect(PAGE, slug=slug)
    fresh = WebhookForm(initial={"events": ["hard_set.created"]})
    return _page(request, project, fresh, status=422, changed=(pk, form))


@require_POST
@never_cache
def webhook_secret(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Give a webhook a new secret and show it, this once."""
    project, webhook = _webhook(request, slug, pk)
    keep_old = request.POST.get("old") != "stop"
    secret = rotate_secret(webhook=webhook, keep_old=keep_old)
    fresh = WebhookForm(initial={"events": ["hard_set.created"]})
    return _page(request, project, fresh, made=webhook, secret=secret, rotated=True, keep_old=keep_old)


@require_POST
def webhook_test(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Send a test message."""
    _, webhook = _webhook(request, slug, pk)
    send_test(webhook=webhook)
    messages.info(request, "A test is on its way: see below how it ends.")
    return redirect(PAGE, slug=slug)


@require_POST
def webhook_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Remove a webhook with its messages."""
    _, webhook = _webhook(request, slug, pk)
    remove_webhook(webhook=webhook)
    messages.success(request, f"{webhook.url} is told nothing any more.")
    return redirect(PAGE, slug=slug)


@require_POST
def delivery_again(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Send one message again."""
    project = managed_project(request.user, slug)
    delivery = delivery_of(project, pk)
    if delivery is None:
        raise Http404("There is no such message.")
    if send_again(delivery=delivery):
        messages.info(request, "It is sent again, with the same id.")
    else:
        messages.info(request, "It is on its way already.")
    return redirect(PAGE, slug=slug)
