"""What a round can be made of: learners, strategies, imported predictions, hard sets of earlier rounds.

The pure packages are loaded by name: they say what there is without loading scikit-learn, and no page depends on it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from annotations.models import Project
from mining.artifacts import project_folder
from mining.group_files import names_of_groups
from mining.models import FeatureSource, HardSet

DEFAULT_LEARNER = "hog_svm"
DEFAULT_STRATEGIES = ("hard_negatives", "hard_positives", "suspicious", "time_hard", "label_errors")
FILE_PREFIX = "file:"
PIXEL_FEATURES = {
    "hog": "HOG: edges and their directions",
    "pixels": "Pixels: for tiny images",
}
LABEL_SOURCES = {
    "people": "What people agree on; the given label where nobody has judged",
    "given": "The label that came with the import",
}


def learners() -> dict[str, Any]:
    """Return the catalogue: name -> learner with `title`, `description` and `all_parameters()`."""
    return dict(import_module("mining.learners.catalogue").LEARNERS)


def learner_title(name: str | None) -> str:
    """Return the name of a learner for people; imported predictions go by the name they were given."""
    known = learners()
    return str(known[name].title) if name in known else (name or "").removeprefix(FILE_PREFIX)


def strategies() -> dict[str, Any]:
    """Return the registry: name -> strategy with `title`, `description`, `reference` and `all_parameters()`."""
    return dict(import_module("mining.strategies.catalogue").STRATEGIES)


def online_strategies() -> dict[str, Any]:
    """Return what retraining can try besides hard sets: name -> online strategy with `title` and `description`."""
    known = import_module("mining.strategies.online.training").ONLINE_STRATEGIES
    return {name: one for name, one in known.items() if name != "uniform"}


def balance_strategies() -> dict[str, Any]:
    """Return what retraining can try against classes of unequal size: name -> one with `title` and `description`."""
    return dict(import_module("mining.strategies.balance").BALANCE_STRATEGIES)


def imported_predictions(project: Project) -> list[dict[str, Any]]:
    """Return what was imported by `import_predictions`, by name: `name`, `learner`, `n_items`, `out_of_fold`, …"""
    folder = project_folder("predictions", project.pk)
    return [folder.read_json(name) for name in folder.names() if name.endswith(".json")]


def feature_sources(project: Project) -> list[FeatureSource]:
    """Return the networks and files that can describe the project's items."""
    return list(FeatureSource.objects.filter(project=project).select_related("created_by"))


def named_groups(project: Project) -> list[str]:
    """Return the names of imported groups of items."""
    return names_of_groups(project.pk)


def earlier_hard_sets(project: Project) -> list[HardSet]:
    """Return the hard sets that a new round can take into its training, newest round first."""
    sets = HardSet.objects.filter(round__project=project, n_members__gt=0).select_related("round")
    return list(sets.order_by("-round__number", "strategy", "-version"))
