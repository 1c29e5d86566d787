"""What a round is asked to do, checked before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from annotations.models import Project
from mining.human_words import known_measure, measure_words
from mining.models import HardSet
from mining.selectors import choices


class RoundRefused(Exception):
    """The round cannot be started or changed; the message says why and what to do."""


Named = str | Mapping[str, Any]

DEFAULTS: dict[str, Any] = {
    "seed": 0,
    "n_seeds": 1,
    "n_folds": 5,
    "label_source": "people",
    "human_measure": None,
    "test_share": 0.2,
    "budget_share": 0.1,
    "feature_kind": "hog",
    "feature_size": None,
    "colour_statistics": False,
    "texture_statistics": False,
    "n_resamples": 1000,
    "retraining_seeds": 5,
    "include_hard_sets": [],
    "near_duplicates_together": True,
    "groups": "",
    "online_strategies": [],
    "online_hidden": 0,
    "balance_strategies": [],
    "noise_gate": True,
}
NUMBERS: dict[str, tuple[type, float, float]] = {
    "seed": (int, 0, 2**31 - 1),
    "n_seeds": (int, 1, 20),
    "n_folds": (int, 2, 20),
    "test_share": (float, 0.0, 0.5),
    "budget_share": (float, 0.001, 0.5),
    "feature_size": (int, 8, 512),
    "n_resamples": (int, 100, 10_000),
    "retraining_seeds": (int, 2, 50),
    "online_hidden": (int, 0, 1024),
}


def checked_params(
    *, project: Project, learners: Iterable[Named], strategies: Iterable[Named], params: Mapping[str, Any]
) -> dict[str, Any]:
    """Return everything a round needs to know, defaults filled in, or raise `RoundRefused`."""
    unknown = set(params) - set(DEFAULTS)
    if unknown:
        raise RoundRefused(f"A round has no setting {sorted(unknown)[0]!r}; it has {', '.join(sorted(DEFAULTS))}.")
    checked = {**DEFAULTS, **params}
    for name, (kind, low, high) in NUMBERS.items():
        checked[name] = _number(name, checked[name], kind, low, high)
    if checked["label_source"] not in choices.LABEL_SOURCES:
        raise RoundRefused(f"label_source is people or given, not {checked['label_source']!r}.")
    checked["human_measure"] = checked["human_measure"] or known_measure(project.human_measure)
    if checked["human_measure"] not in measure_words():
        have = ", ".join(measure_words())
        raise RoundRefused(f"No measure of people is called {checked['human_measure']!r}; there are {have}.")
    checked["feature_sha256"] = _features(project, str(checked["feature_kind"]))
    for name in ("colour_statistics", "texture_statistics", "near_duplicates_together", "noise_gate"):
        checked[name] = bool(checked[name])
    checked["groups"] = _groups(project, str(checked["groups"] or ""))
    checked["online_strategies"] = _known(checked["online_strategies"], choices.online_strategies(), "online strategy")
    checked["balance_strategies"] = _known(
        checked["balance_strategies"], choices.balance_strategies(), "way of balancing classes"
    )
    checked["include_hard_sets"] = _included(project, checked["include_hard_sets"])
    checked["learners"] = _learners(project, learners)
    checked["strategies"] = _strategies(strategies)
    return checked


def _number(name: str, value: Any, kind: type, low: float, high: float) -> Any:
    if value is None and DEFAULTS[name] is None:
        return None
    try:
        number = kind(value)
    except (TypeError, ValueError):
        raise RoundRefused(f"{name} must be a number, not {value!r}.") from None
    if not low <= number <= high or number != float(value):
        raise RoundRefused(f"{name} must be {'a whole number ' if kind is int else ''}from {low:g} to {high:g}.")
    return number


def _features(project: Project, kind: str) -> str:
    """Return the sha256 of the network or file that was chosen, empty for features made of pixels."""
    if kind in choices.PIXEL_FEATURES:
        return ""
    known = {source.choice: source.sha256 for source in choices.feature_sources(project)}
    if kind not in known:
        raise RoundRefused(f"feature_kind is one of {', '.join([*choices.PIXEL_FEATURES, *known])}, not {kind!r}.")
    return known[kind]


def _groups(project: Project, name: str) -> str:
    known = choices.named_groups(project)
    if name and name not in known:
        raise RoundRefused(
            f"No groups are called {name!r}; there are {', '.join(known) or 'none'}. Import them with import_groups."
        )
    return name


def _named(entry: Named) -> tuple[str, dict[str, Any]]:
    if isinstance(entry, str):
        return entry, {}
    return str(entry["name"]), dict(entry.get("params") or {})


def _learners(project: Project, asked: Iterable[Named]) -> list[dict[str, Any]]:
    """Check learners. None asked: the default one, and every imported prediction."""
    catalogue = choices.learners()
    imported = {entry["learner"]: entry for entry in choices.imported_predictions(project)}
    wanted = list(asked) or [choices.DEFAULT_LEARNER, *imported]
    found: dict[str, dict[str, Any]] = {}
    for entry in wanted:
        name, values = _named(entry)
        if name.startswith(choices.FILE_PREFIX):
            if name not in imported:
                have = ", ".join(sorted(imported)) or "none"
                raise RoundRefused(f"No predictions were imported as {name!r}; there are {have}. Import them first.")
            found[name] = {"name": name, "params": {}, "sha256": imported[name]["sha256"]}
            continue
        if name not in catalogue:
            have = ", ".join([*catalogue, *sorted(imported)])
            raise RoundRefused(f"No learner is called {name!r}; there are {have}.")
        try:
            settings = dict(catalogue[name].configured(**values).values)
        except ValueError as reason:
            raise RoundRefused(f"Learner {name}: {reason}") from None
        found[name] = {"name": name, "params": settings}
    return list(found.values())


def _strategies(asked: Iterable[Named]) -> list[dict[str, Any]]:
    registry = choices.strategies()
    wanted = list(asked) or [name for name in choices.DEFAULT_STRATEGIES if name in registry]
    found: dict[str, dict[str, Any]] = {}
    for entry in wanted:
        name, values = _named(entry)
        if name not in registry:
            raise RoundRefused(f"No strategy is called {name!r}; there are {', '.join(registry)}.")
        try:
            found[name] = {"name": name, "params": registry[name].checked(values)}
        except ValueError as reason:
            raise RoundRefused(f"Strategy {name}: {reason}") from None
    return list(found.values())


def _known(asked: Any, known: Mapping[str, Any], what: str) -> list[str]:
    """Check names against what there is; a string names them with commas between, as the command gives it."""
    names = [name.strip() for name in asked.split(",") if name.strip()] if isinstance(asked, str) else list(asked)
    for name in names:
        if name not in known:
            raise RoundRefused(f"No {what} is called {name!r}; there are {', '.join(known)}.")
    return list(dict.fromkeys(names))


def _included(project: Project, asked: Iterable[Any]) -> list[dict[str, Any]]:
    """Check the hard sets whose items count for more in this round's training: ids, or {"id", "weight"}."""
    entries = [{"id": entry} if isinstance(entry, int | str) else dict(entry) for entry in asked]
    included = []
    try:
        wanted = {int(entry["id"]): float(entry.get("weight", 2.0)) for entry in entries}
    except (KeyError, TypeError, ValueError):
        raise RoundRefused("include_hard_sets is a list of hard set ids, or of {id, weight}.") from None
    known = dict(HardSet.objects.filter(round__project=project, pk__in=wanted).values_list("pk", "sha256"))
    for number, weight in sorted(wanted.items()):
        if number not in known:
            raise RoundRefused(f"There is no hard set {number} in {project.slug}.")
        if not 0.0 < weight <= 100.0:
            raise RoundRefused(f"The weight of hard set {number} must lie above 0 and be at most 100, not {weight:g}.")
        included.append({"id": number, "weight": weight, "sha256": known[number]})
    return included
