"""The form that starts a round: what it may be made of, with defaults that suit most."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from annotations.models import Project
from mining.models import HardSet
from mining.selectors import choices
from mining.services.round_params import DEFAULTS, NUMBERS

from .learner_fields import (
    BALANCE_FIELDS,
    FEATURE_FIELDS,
    balance_fields,
    feature_fields,
    fields_of_learners,
    learner_fields,
    with_params,
)

NUMBER_FIELDS = {
    "test_share": ("Held out for testing", "Share of the labelled items kept from mining. Retraining is judged on it."),
    "budget_share": ("Size of a hard set", "Share of the items that a strategy without a threshold may pick."),
    "n_folds": ("Folds", "Models score only items that they were not trained on: in so many parts."),
    "n_seeds": ("Repetitions", "How many times each learner is trained with other seeds; probabilities are averaged."),
    "retraining_seeds": ("Retraining repetitions", "How many times each of the three ways of training is tried."),
    "online_hidden": ("Hidden units of online training", "Online strategies train a softmax head on the features: 0 "
                      "makes it linear, a number adds a hidden layer."),
    "n_resamples": ("Resamples", "How many bootstrap resamples an interval rests on."),
    "seed": ("Seed", "The same seed on the same data gives the same round."),
}  # fmt: skip

MORE_FIELDS = ("label_source", "online_strategies", "balance_strategies", "noise_gate", "include_hard_sets")
MOST_EARLIER_SETS = 20


class RoundForm(forms.Form):
    """Learners, strategies and numbers of a round. What may be chosen depends on the project."""

    learners = forms.MultipleChoiceField(
        label="Learners", widget=forms.CheckboxSelectMultiple, help_text="Each scores every item, out of fold."
    )
    strategies = forms.MultipleChoiceField(
        label="Strategies", widget=forms.CheckboxSelectMultiple, help_text="Each picks a hard set."
    )
    label_source = forms.ChoiceField(
        label="Labels to train on", widget=forms.RadioSelect, choices=list(choices.LABEL_SOURCES.items())
    )
    online_strategies = forms.MultipleChoiceField(
        label="Online strategies", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="Each chooses anew at every step of the training, and is tried against uniform training and a "
        "random control.",
    )  # fmt: skip
    balance_strategies = forms.MultipleChoiceField(
        label="Classes of unequal size", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="Each is tried against training as it is, and against as much of the same at random; judged by the "
        "mean recall of the classes.",
    )  # fmt: skip
    noise_gate = forms.BooleanField(
        label="Noise gate", required=False, initial=True,
        help_text="Keeps items whose label looks wrong from weighing more.",
    )  # fmt: skip
    include_hard_sets = forms.MultipleChoiceField(
        label="Hard sets of earlier rounds", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="Their items count double in training.",
    )  # fmt: skip

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        imported = [entry["learner"] for entry in choices.imported_predictions(project)]
        self.learner_titles = {name: one.title for name, one in choices.learners().items()}
        self.learner_titles |= {name: f"Imported: {name.partition(':')[2]}" for name in imported}
        self.strategy_titles = {name: one.title for name, one in choices.strategies().items()}
        self._choose("learners", self.learner_titles, initial=[choices.DEFAULT_LEARNER, *imported])
        self._choose("strategies", self.strategy_titles, initial=list(choices.DEFAULT_STRATEGIES))
        self._choose(
            "online_strategies", {name: one.title for name, one in choices.online_strategies().items()}, initial=[]
        )
        self._choose(
            "balance_strategies", {name: one.title for name, one in choices.balance_strategies().items()}, initial=[]
        )
        self.fields["label_source"].initial = DEFAULTS["label_source"]
        earlier = {
            str(one.pk): _hard_set_in_words(one) for one in choices.earlier_hard_sets(project)[:MOST_EARLIER_SETS]
        }
        if earlier:
            self._choose("include_hard_sets", earlier, initial=[])
        else:
            del self.fields["include_hard_sets"]
        for name, (label, help_text) in NUMBER_FIELDS.items():
            self.fields[name] = self._number(name, label, help_text)
        self.fields |= feature_fields(project)
        self.fields |= balance_fields() | learner_fields()

    def _choose(self, name: str, titles: dict[str, str], *, initial: list[str]) -> None:
        field = cast(forms.MultipleChoiceField, self.fields[name])
        field.choices = list(titles.items())
        field.initial = initial

    @staticmethod
    def _number(name: str, label: str, help_text: str) -> forms.Field:
        kind, low, high = NUMBERS[name]
        field = forms.IntegerField if kind is int else forms.FloatField
        return field(
            label=label, help_text=help_text, initial=DEFAULTS[name], min_value=kind(low), max_value=kind(high)
        )

    def defaults_in_words(self) -> dict[str, Any]:
        """Return what a round does when nothing is changed, for a sentence."""
        learners = [self.learner_titles[name] for name in self.fields["learners"].initial]
        strategies = [self.strategy_titles[name].lower() for name in self.fields["strategies"].initial]
        return {
            "learners": _listed(learners),
            "strategies": _listed(strategies),
            "test_share": DEFAULTS["test_share"],
        }

    @property
    def first_fields(self) -> list[forms.BoundField]:
        """What is chosen: shown side by side."""
        return [self[name] for name in ("learners", "strategies")]

    @property
    def more_fields(self) -> list[forms.BoundField]:
        """Labels, what else is tried in retraining, then earlier hard sets where there are any."""
        return [self[name] for name in MORE_FIELDS if name in self.fields]

    @property
    def feature_fields(self) -> list[forms.BoundField]:
        """What the learners see, and what is never parted."""
        return [self[name] for name in FEATURE_FIELDS if name in self.fields]

    @property
    def learner_fields(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Title and settings: those that all learners share, then those of each."""
        shared = [self[name] for name in BALANCE_FIELDS]
        own = [
            (self.learner_titles[name], [self[field] for field in fields])
            for name, fields in fields_of_learners().items()
        ]
        return [("All learners: classes of unequal size", shared), *own]

    @property
    def has_wrong_learner_field(self) -> bool:
        """Whether the fold with the learners' settings hides an error."""
        return any(field.errors for _, fields in self.learner_fields for field in fields)

    def learners_with_params(self) -> list[dict[str, Any]]:
        """Return the chosen learners as `start_round` takes them: with the settings that were given."""
        return with_params(self.cleaned_data["learners"], self.cleaned_data)

    @property
    def number_fields(self) -> list[forms.BoundField]:
        """What most people leave alone."""
        return [self[name] for name in NUMBER_FIELDS]

    def params(self) -> dict[str, Any]:
        """Return the cleaned numbers and choices as `start_round` takes them."""
        chosen = ("label_source", "online_strategies", "balance_strategies")
        params = {name: self.cleaned_data[name] for name in (*NUMBER_FIELDS, *chosen)}
        params["noise_gate"] = self.cleaned_data["noise_gate"]
        params |= {name: self.cleaned_data[name] for name in FEATURE_FIELDS if name in self.fields}
        params["include_hard_sets"] = [int(number) for number in self.cleaned_data.get("include_hard_sets", [])]
        return params


def _hard_set_in_words(hard_set: HardSet) -> str:
    title = hard_set.summary.get("title", hard_set.strategy)
    version = f" version {hard_set.version}" if hard_set.version > 1 else ""
    return f"Round {hard_set.round.number}: {title}{version}, {hard_set.n_members:,} items"


def _listed(words: list[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
