"""Pages of what models find hard: models, classes, candidate reasons, and the measures of one item."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotations.models import Item
from annotations.selectors.access import managed_project
from mining.selectors.choices import learner_title
from mining.selectors.models import items_by_id, model_of, reasons_of
from mining.selectors.predictions import in_sample_learners, learners_of
from mining.selectors.rounds import classes_of, latest_round, measures_of, report_of

from .access import project_and_round
from .reports import FAMILIES, round_frame

PEOPLE_WORDS = (
    ("time_hardness", "Time hardness", "How much longer people take for it than for others, net of who they are."),
    ("time_alone", "Time alone", "The same without help from the answers."),
    ("disagreement", "Disagreement", "Share of people's answers that differ from the consensus."),
    ("label_entropy", "Entropy of the labels", "How evenly people's answers are spread over the classes."),
)
STRENGTHS = ((0.5, "A strong association"), (0.3, "An association"), (0.1, "A weak association"))


def descriptions() -> dict[str, Any]:
    """Return the registry of measures of models, loaded by name like the other pure packages."""
    return dict(import_module("mining.hardness.registry").DESCRIPTIONS)


@require_GET
def models_page(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show suspicious items, probable label errors and the course of training, a learner at a time."""
    project, round_ = project_and_round(request, slug, number)
    context = round_frame(project, round_, report_of(round_))
    facts = model_of(round_)
    if facts is not None and facts["learners"]:
        learners = {one["name"]: one for one in facts["learners"]}
        chosen = learners.get(request.GET.get("learner", "")) or facts["learners"][0]
        suspicious, errors = chosen["suspicious"], chosen["label_errors"]
        rows = items_by_id(project, [one["item"] for one in (*suspicious["items"], *errors["items"])])
        classes = classes_of(round_)
        short = chosen["name"].rpartition(":")[2].replace("-", "_")
        quality = next((one for one in learners_of(round_) if one["name"] == chosen["name"]), {})
        charts = context["charts"]
        context |= {
            "learners": [(name, learner_title(name)) for name in learners],
            "chosen": chosen,
            "chosen_title": learner_title(chosen["name"]),
            "quality": quality,
            "suspicious": {**suspicious, "items": _named(suspicious["items"], rows, classes)},
            "errors": {**errors, "items": _named(errors["items"], rows, classes)},
            "gradient_chart": charts.get("loss_and_gradient") if chosen is facts["learners"][0] else None,
            "training_chart": charts.get(f"training_map_{short}"),
        }
    return render(request, "mining/models.html", {**context, "facts": facts})


def _named(entries: list[dict[str, Any]], rows: dict[int, Item], classes: list[str]) -> list[dict[str, Any]]:
    """Return entries with their item and the names of their classes."""

    def name(code: int | None) -> str:
        return classes[code] if code is not None and 0 <= code < len(classes) else ""

    return [
        {**one, "row": rows[one["item"]], **{key: name(one[key]) for key in CODES if key in one}}
        for one in entries
        if one["item"] in rows
    ]


CODES = ("label", "predicted", "argmax", "neighbours")


@require_GET
def classes_page(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show which classes are hard and which are confused, for people and for the model beside each other."""
    project, round_ = project_and_round(request, slug, number)
    context = round_frame(project, round_, report_of(round_))
    facts = model_of(round_)
    if facts is not None:
        found, classes = facts["classes"], classes_of(round_)
        wanted = [item for entry in (*found["rows"], *found["pairs"]) for item in entry["items"]]
        items = items_by_id(project, wanted)
        rows = [
            {**row, "name": classes[row["code"]], "examples": [items[one] for one in row["items"] if one in items]}
            for row in found["rows"]
            if row["n_items"]
        ]
        rows.sort(key=lambda row: -(row["loss"]["value"] or row["wrong"]["value"] or 0.0))
        pairs = [
            {
                **pair,
                "names": (classes[pair["first"]], classes[pair["second"]]),
                "examples": [items[one] for one in pair["items"] if one in items],
            }
            for pair in found["pairs"]
        ]
        context |= {
            "rows": rows,
            "pairs": pairs,
            "learner_title": learner_title(found["learner"]),
            "n_sampled": found["n_sampled"],
        }
    return render(request, "mining/classes.html", {**context, "facts": facts})


@require_GET
def reasons_page(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show which attributes go with hardness, and which items look the same."""
    project, round_ = project_and_round(request, slug, number)
    context = round_frame(project, round_, report_of(round_))
    reasons = reasons_of(round_)
    if reasons is not None:
        groups = reasons["duplicates"]["groups"]
        items = items_by_id(project, [one for group in groups for one in group["items"]])
        context |= {
            "targets": [
                {**target, "attributes": [_in_words(one) for one in target["attributes"]]}
                for target in reasons["targets"]
            ],
            "duplicates": reasons["duplicates"],
            "groups": [
                {**group, "examples": [items[one] for one in group["items"] if one in items]} for group in groups
            ],
        }
    return render(request, "mining/reasons.html", {**context, "reasons": reasons})


def _in_words(one: dict[str, Any]) -> dict[str, Any]:
    """Return an attribute with its title parted and one honest sentence on what the figures show."""
    title, _, meaning = one["title"].partition(": ")
    return {**one, "title": title, "meaning": meaning, "words": _verdict(one["alone"], one["beside_others"])}


def _verdict(alone: dict[str, Any], beside: dict[str, Any]) -> str:
    if alone["value"] is None:
        return f"Nothing can be said: {beside['reason'] or alone['reason']}."
    if not _shown(alone) and not _shown(beside):
        return "No association is shown."
    if not _shown(alone):
        return "Alone it shows nothing; beside the others it does."
    strength = next((words for least, words in STRENGTHS if abs(alone["value"]) >= least), "Hardly an association")
    words = f"{strength}: the {'more' if alone['value'] > 0 else 'less'} of it, the harder."
    if beside["value"] is None:
        return words
    if not _shown(beside):
        return f"{words} Beside the other attributes none is shown."
    turned = beside["value"] * alone["value"] < 0
    return f"{words} Beside the other attributes it {'turns round' if turned else 'holds'}."


def _shown(estimate: dict[str, Any]) -> bool:
    """Whether the interval leaves zero out."""
    return estimate["low"] is not None and (estimate["low"] > 0 or estimate["high"] < 0)


@require_GET
def measures_page(request: HttpRequest) -> HttpResponse:
    """Explain every measure of models: what it asks, its formula and range, where it comes from."""
    families: dict[str, list[Any]] = {}
    cautions = import_module("mining.hardness.cautions_of_measures").CAUTIONS
    for one in descriptions().values():
        families.setdefault(FAMILIES.get(one.family, one.family), []).append(
            {"measure": one, "caution": cautions[one.name]}
        )
    return render(request, "mining/measures_explained.html", {"families": families.items()})


@require_GET
def item_measures(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Return what every measure of the latest round says of one item, as a part of its page."""
    project = managed_project(request.user, slug)
    path = Item.objects.filter(project=project, pk=pk).values_list("path", flat=True).first()
    if path is None:
        raise Http404("There is no such item.")
    round_ = latest_round(project)
    row = measures_of(round_, [pk]).get(pk) if round_ is not None else None
    context: dict[str, Any] = {"project": project, "round": round_, "row": row}
    if round_ is not None and row is not None:
        context |= _of_item(row, classes_of(round_), in_sample_learners(round_))
    template = "mining/_item_measures.html" if request.headers.get("HX-Request") else "mining/item_measures.html"
    return render(request, template, {**context, "section": "items", "pk": pk, "path": path})


def _of_item(row: dict[str, Any], classes: list[str], in_sample: list[str]) -> dict[str, Any]:
    known = descriptions()
    learners: dict[str, dict[str, Any]] = {}
    general = []
    for name, value in row.items():
        learner, _, measure = name.rpartition(".")
        if measure in known and not learner and value is not None:
            general.append((known[measure], value))
        if not learner:
            continue
        entry = learners.setdefault(learner, {"title": learner_title(learner), "measures": [], "predicted": "",
                                              "in_sample": learner.rpartition(":")[2] in in_sample})  # fmt: skip
        if measure == "predicted" and value is not None:
            entry["predicted"] = classes[value]
        elif measure == "p_label":
            entry["p_label"] = value
        elif measure in known and value is not None:
            entry["measures"].append((known[measure], value))
    people = [(title, words, row.get(name)) for name, title, words in PEOPLE_WORDS if row.get(name) is not None]
    label = row.get("label")
    return {
        "people": people, "general": general, "learners": list(learners.values()),
        "label": classes[label] if label is not None else "", "label_from": row.get("label_from"),
    }  # fmt: skip
