"""Fields of the round form that come from the catalogue: what features there are, and every learner's settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from annotations.models import Project
from mining.selectors import choices

FEATURE_FIELDS = ("feature_kind", "groups", "colour_statistics", "texture_statistics", "near_duplicates_together")
BALANCE_FIELDS = ("class_weight", "resampling")
CHOICE_WORDS = {
    "none": "Nothing",
    "balanced": "Weigh classes alike",
    "over": "Repeat items of small classes",
    "under": "Drop items of large classes",
    "smote": "SMOTE: invent items between neighbours",
}


def feature_fields(project: Project) -> dict[str, forms.Field]:
    """What the learners see: made of pixels, by a network, or from a file; and what is kept together."""
    known = dict(choices.PIXEL_FEATURES) | {
        source.choice: f"{'Network' if source.kind == 'network' else 'File'} {source.name}"
        for source in choices.feature_sources(project)
    }
    fields: dict[str, forms.Field] = {
        "feature_kind": forms.ChoiceField(label="Features", choices=list(known.items()), initial="hog",
                                          help_text="What the learners see of an image."),
        "colour_statistics": forms.BooleanField(label="Add colour", required=False,
                                                help_text="Beside HOG or pixels."),
        "texture_statistics": forms.BooleanField(label="Add texture", required=False,
                                                 help_text="Beside HOG or pixels."),
        "near_duplicates_together": forms.BooleanField(
            label="Keep near-duplicates in one fold", required=False, initial=True,
            help_text="A copy in the training set would give the answer away.",
        ),
    }  # fmt: skip
    groups = choices.named_groups(project)
    if groups:
        fields["groups"] = forms.ChoiceField(
            label="Groups that stay together", required=False, choices=[("", "None"), *((one, one) for one in groups)]
        )
    return fields


def balance_fields() -> dict[str, forms.Field]:
    """What is done about classes of unequal size, inside every fold's training set."""
    fields: dict[str, forms.Field] = {}
    for parameter in import_module("mining.learners.resampling").BALANCE_PARAMETERS:
        label = {"class_weight": "Class weights", "resampling": "Resampling"}[parameter.name]
        fields[parameter.name] = forms.ChoiceField(
            label=label, required=False, initial=parameter.default, help_text=parameter.description,
            choices=[(word, CHOICE_WORDS[word]) for word in parameter.choices],
        )  # fmt: skip
    return fields


def fields_of_learners() -> dict[str, list[str]]:
    """Return learner -> the names of its own fields."""
    return {
        name: [f"{name}.{parameter.name}" for parameter in learner.parameters]
        for name, learner in choices.learners().items()
    }


def learner_fields() -> dict[str, forms.Field]:
    """Every learner's own settings; left empty, a setting has its default."""
    fields: dict[str, forms.Field] = {}
    for name, learner in choices.learners().items():
        for parameter in learner.parameters:
            fields[f"{name}.{parameter.name}"] = ParameterField(parameter)
    return fields


def _plain(number: float) -> str:
    """Return a limit without an exponent: 0.000001, 1,000,000."""
    return f"{number:,.10f}".rstrip("0").rstrip(".")


class ParameterField(forms.CharField):
    """One parameter of a learner, checked by the parameter itself."""

    def __init__(self, parameter: Any) -> None:
        self.parameter = parameter
        limits = [_plain(end) for end in (parameter.low, parameter.high) if end is not None]
        between = f" From {' to '.join(limits)}." if len(limits) == 2 else ""
        super().__init__(
            label=parameter.name.replace("_", " ").capitalize(),
            required=False,
            max_length=40,
            initial=f"{parameter.default:g}" if isinstance(parameter.default, float) else parameter.default,
            help_text=f"{parameter.description}{between}",
        )

    def clean(self, value: Any) -> Any:
        """Return the value in the parameter's type; its default where nothing was written."""
        text = super().clean(value)
        if text == "":
            return self.parameter.default
        try:
            return self.parameter.check(text)
        except ValueError as reason:
            raise ValidationError(str(reason)) from None


def with_params(names: Iterable[str], said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the learners with their settings, as `start_round` takes them."""
    catalogue = choices.learners()
    shared = {name: said[name] for name in BALANCE_FIELDS if said.get(name)}
    entries = []
    for name in names:
        own = {}
        if name in catalogue:
            own = {one.name: said[f"{name}.{one.name}"] for one in catalogue[name].parameters} | shared
        entries.append({"name": name, "params": own})
    return entries
