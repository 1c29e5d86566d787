"""Making items training or gold items from their pages."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from annotations.models import Item
from annotations.selectors.access import managed_project
from annotations.selectors.items import filtered_items
from annotations.services.roles import set_role

from .items import KEPT, filters_of

DONE = {
    Item.Role.TRAINING: "changed to training: everybody gets them first.",
    Item.Role.GOLD: "changed to gold: mixed in at the share that the protocol says.",
    Item.Role.ORDINARY: "changed to ordinary.",
}
ORDINARY = "ordinary"


@require_POST
def items_role(request: HttpRequest, slug: str) -> HttpResponse:
    """Give the chosen items, or all that the filters leave, another role; back to the page it came from."""
    project = managed_project(request.user, slug)
    wanted = request.POST.get("role", "")
    role = Item.Role.ORDINARY.value if wanted == ORDINARY else wanted
    chosen = [int(pk) for pk in request.POST.getlist("item") if pk.isascii() and pk.isdigit() and len(pk) < 19]
    if request.POST.get("which") == "filtered":
        items = filtered_items(project, filters_of(request.POST))
    else:
        items = Item.objects.filter(project=project, pk__in=chosen)
    try:
        if not wanted:
            raise ValidationError("Choose a role.")
        if not chosen and request.POST.get("which") != "filtered":
            raise ValidationError("Choose at least one item.")
        n_changed = set_role(project=project, role=role, items=items)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        words = f"{n_changed:,} item{'' if n_changed == 1 else 's'} {DONE[Item.Role(role)]}"
        messages.success(request, words if n_changed else "Nothing had to be changed.")
    if request.POST.get("back") == "item" and len(chosen) == 1:
        return redirect("item", slug, chosen[0])
    kept = {name: value for name in KEPT if (value := request.POST.get(name))}
    return redirect(reverse("items", args=[slug]) + (f"?{urlencode(kept)}" if kept else ""))
