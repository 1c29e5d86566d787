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
from mining.selectors.hard_sets import MemberRow, members_page, overlaps_of, second_looks_of, verdicts_of
from mining.selectors.rounds import classes_of
from mining.services.second_look import MOST_JUDGMENTS, SecondLookRefused, ask_again

from .access import project_and_hard_set, signed_in
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
    request: HttpRequest, project: Project, hard_set: HardSet, form: AskAgainForm, status: int = 200
) -> HttpResponse:
    counts = verdicts_of(hard_set)
    chosen = request.GET.get("verdict")
    if chosen not in counts:
        chosen = None
    total = hard_set.n_members if chosen is None else counts[chosen]
    members = cast(Sequence[MemberRow], _Members(hard_set, chosen, total))
    page = Paginator(members, MEMBERS_PER_PAGE).get_page(request.GET.get("page"))
    classes = classes_of(hard_set.round)
    context = {
        "project": project,
        "section": "rounds",
        "round": hard_set.round,
        "hard_set": hard_set,
        "title": hard_set.summary.get("title", hard_set.strategy),
        "page": page,
        "rows": [_row(row, classes) for row in page.object_list],
        "verdicts": verdict_counts(counts),
        "chosen": chosen,
        "meaning": verdict(chosen).meaning if chosen is not None else "",
        "params": [
            (name.replace("_", " ").capitalize(), value) for name, value in hard_set.params.items() if value is not None
        ],
        "formats": list(FORMATS.values()),
        "overlaps": overlaps_of(hard_set),
        "second_looks": second_looks_of(hard_set)[:10],
        "form": form,
        "n_suspects": counts.get("mislabelled", 0),
    }
    return render(request, "mining/hard_set.html", context, status=status)


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


__all__ = ["VERDICTS", "hard_set_ask_again", "hard_set_download", "hard_set_page"]
