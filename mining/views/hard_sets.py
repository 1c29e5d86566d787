"""The pages of a hard set: its members, downloads, and asking people again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from annotations.models import Project
from mining.exports import FORMATS, ExportRefused, hard_set_export
from mining.models import HardSet
from mining.selectors.hard_sets import (
    MemberRow,
    earlier_set,
    members_page,
    new_items,
    overlaps_of,
    second_looks_of,
    shared_with,
    verdicts_of,
    versions_of,
)
from mining.selectors.rounds import classes_of, is_active
from mining.services.hard_set_versions import LONGEST_REASON, DropRefused, drop_members
from mining.services.second_look import MOST_JUDGMENTS, SecondLookRefused, ask_again

from .access import project_and_hard_set, signed_in
from .second_looks import outcomes_of
from .words import VERDICTS, verdict, verdict_counts

MEMBERS_PER_PAGE = 50


class AskAgainForm(forms.Form):
    """How many more judgments each item of the set needs."""

    extra_judgments = forms.IntegerField(
        label="More judgments an item", min_value=1, max_value=MOST_JUDGMENTS, initial=2
    )
    same_people = forms.BooleanField(
        label="People who have judged an item may be asked again", required=False,
        help_text="Leave it off and only others are asked.",
    )  # fmt: skip


class DropForm(forms.Form):
    """Which members are dropped, and why."""

    reason = forms.CharField(
        label="Reason", max_length=LONGEST_REASON, widget=forms.TextInput,
        help_text="Stays with the new version, with your name.",
    )  # fmt: skip


class _Members:
    """The members as Django's Paginator wants them: a length and slices, read a page at a time."""

    ordered = True

    def __init__(self, hard_set: HardSet, verdict_name: str | None, total: int) -> None:
        self.hard_set, self.verdict_name, self.total = hard_set, verdict_name, total

    def __len__(self) -> int:
        return self.total

    def __getitem__(self, part: slice) -> list[MemberRow]:
        rows, _ = members_page(
            self.hard_set, offset=part.start, limit=part.stop - part.start, verdict=self.verdict_name
        )
        return rows


def _show(
    request: HttpRequest,
    project: Project,
    hard_set: HardSet,
    form: AskAgainForm,
    status: int = 200,
    drop_form: DropForm | None = None,
) -> HttpResponse:
    counts = verdicts_of(hard_set)
    chosen = request.GET.get("verdict")
    if chosen not in counts:
        chosen = None
    total = hard_set.n_members if chosen is None else counts[chosen]
    members = cast(Sequence[MemberRow], _Members(hard_set, chosen, total))
    page = Paginator(members, MEMBERS_PER_PAGE).get_page(request.GET.get("page"))
    classes = classes_of(hard_set.round)
    looks = list(second_looks_of(hard_set)[:10])
    earlier = earlier_set(hard_set)
    chosen_items = {int(number) for number in request.POST.getlist("item") if number.isdigit()}
    context = {
        "project": project,
        "section": "rounds",
        "round": hard_set.round,
        "hard_set": hard_set,
        "title": hard_set.summary.get("title", hard_set.strategy),
        "page": page,
        "rows": _rows(list(page.object_list), classes, hard_set, earlier, chosen_items),
        "verdicts": verdict_counts(counts),
        "chosen": chosen,
        "meaning": verdict(chosen).meaning if chosen is not None else "",
        "params": [
            (name.replace("_", " ").capitalize(), f"{value:,}" if type(value) is int else value)
            for name, value in hard_set.params.items()
            if value is not None
        ],
        "formats": list(FORMATS.values()),
        "overlaps": overlaps_of(hard_set),
        "second_looks": looks,
        "outcomes": outcomes_of(project, hard_set, looks),
        "versions": versions_of(hard_set),
        "since": _since(hard_set, earlier),
        "form": form,
        "drop_form": drop_form or DropForm(auto_id="drop_%s"),
        "can_drop": not is_active(hard_set.round) and hard_set.n_members > 1,
        "n_suspects": counts.get("mislabelled", 0),
    }
    return render(request, "mining/hard_set.html", context, status=status)


def _since(hard_set: HardSet, earlier: HardSet | None) -> dict[str, Any] | None:
    """Return how the set differs from what the same strategy picked in the round before."""
    if earlier is None:
        return None
    shared = shared_with(hard_set, earlier)
    return {
        "earlier": earlier,
        "shared": shared,
        "new": hard_set.n_members - shared,
        "gone": earlier.n_members - shared,
    }


def _rows(
    members: list[MemberRow], classes: list[str], hard_set: HardSet, earlier: HardSet | None, chosen: set[int]
) -> list[dict[str, Any]]:
    ids = [row.member.item_id for row in members]
    new = new_items(hard_set, earlier, ids) if earlier is not None else set()
    return [
        {**_row(row, classes), "is_new": row.member.item_id in new, "is_chosen": row.member.item_id in chosen}
        for row in members
    ]


def _row(row: MemberRow, classes: list[str]) -> dict[str, Any]:
    measures = row.measures
    learner = next((name.rpartition(".")[0] for name in measures if name.endswith(".loss")), "")
    return {
        "member": row.member,
        "item": row.member.item,
        "verdict": verdict(row.member.verdict),
        "label": _class(measures.get("label"), classes),
        "label_from": measures.get("label_from") or "",
        "predicted": _class(measures.get(f"{learner}.predicted"), classes),
        "loss": measures.get(f"{learner}.loss"),
        "time_ms": measures.get("geometric_mean_ms"),
        "time_hardness": measures.get("time_hardness"),
        "n_judgments": measures.get("n_judgments"),
    }


def _class(code: int | None, classes: list[str]) -> str:
    return classes[code] if code is not None and 0 <= code < len(classes) else ""


@require_GET
@never_cache
def hard_set_page(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Show a hard set, a page of members at a time; `?verdict=` keeps those of one verdict."""
    project, hard_set = project_and_hard_set(request, slug, pk)
    return _show(request, project, hard_set, AskAgainForm())


@require_GET
def hard_set_download(request: HttpRequest, slug: str, pk: int, format_name: str) -> HttpResponseBase:
    """Send the hard set as a file, in pieces."""
    _, hard_set = project_and_hard_set(request, slug, pk)
    try:
        export = hard_set_export(hard_set=hard_set, format_name=format_name)
    except ExportRefused as reason:
        raise Http404(str(reason)) from None
    response = StreamingHttpResponse(export.pieces, content_type=export.media_type)
    response["Content-Disposition"] = f'attachment; filename="{export.file_name}"'
    return response


@require_POST
def hard_set_ask_again(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Send the members back to people; a refusal is shown at the form."""
    project, hard_set = project_and_hard_set(request, slug, pk)
    form = AskAgainForm(request.POST)
    if form.is_valid():
        try:
            look = ask_again(hard_set=hard_set, created_by=signed_in(request), **form.cleaned_data)
        except SecondLookRefused as reason:
            form.add_error(None, str(reason))
        else:
            more = "1 more judgment" if look.extra_judgments == 1 else f"{look.extra_judgments} more judgments"
            items = "1 item goes" if look.n_items == 1 else f"{look.n_items:,} items go"
            messages.success(request, f"{items} to the front of the queue, for {more} each.")
            return redirect(hard_set)
    return _show(request, project, hard_set, form, status=422)


@require_POST
def hard_set_drop(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Drop the chosen members and go to the new version; a refusal is shown at the form, and nothing was dropped."""
    project, hard_set = project_and_hard_set(request, slug, pk)
    form = DropForm(request.POST, auto_id="drop_%s")
    numbers = request.POST.getlist("item")
    if form.is_valid():
        try:
            made = drop_members(
                hard_set=hard_set,
                item_ids=[int(number) for number in numbers if number.isdigit()],
                reason=form.cleaned_data["reason"],
                created_by=signed_in(request),
            )
        except DropRefused as reason:
            form.add_error(None, str(reason))
        else:
            dropped = hard_set.n_members - made.n_members
            items = "1 item is" if dropped == 1 else f"{dropped:,} items are"
            messages.success(request, f"{items} dropped. This is version {made.version}; the old one stays.")
            return redirect(made)
    return _show(request, project, hard_set, AskAgainForm(), status=422, drop_form=form)


__all__ = ["VERDICTS", "hard_set_ask_again", "hard_set_download", "hard_set_drop", "hard_set_page"]
