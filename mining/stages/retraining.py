"""Does training more on a hard set help? Baseline, hard set and random control on the same held-out test."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from mining.adapters.hard_sets import member_items
from mining.learners.catalogue import get_learner
from mining.learners.errors import LearnerError
from mining.learners.softmax_head import HeadSettings
from mining.models import HardSet
from mining.selectors.choices import FILE_PREFIX
from mining.strategies.balance import BALANCE_STRATEGIES, balance_experiment
from mining.strategies.catalogue import STRATEGIES
from mining.strategies.online.experiment import online_experiment
from mining.strategies.online.training import ONLINE_STRATEGIES
from mining.strategies.retraining import Experiment, retraining_experiment

from .context import StageRun
from .retraining_words import describe, heldout_facts
from .training_set import TrainingSet, read_training_set

FEWEST_HARD = 5
NOTHING_TO_TRY = "Label more, or ask for another strategy with a wider threshold."
OnProgress = Callable[[int, int], None]


def run(stage: StageRun) -> dict[str, Any]:
    """Write retraining.json: an experiment for every hard set that has enough trainable members, for the earlier hard
    sets that were included, and for every online strategy and every way of balancing classes asked for.
    """
    entry = next((entry for entry in stage.params["learners"] if not entry["name"].startswith(FILE_PREFIX)), None)
    experiments: list[dict[str, Any]] = []
    heldout: dict[str, Any] = {}
    trained = {fact["name"] for fact in stage.folder.read_json("predictions.json")["learners"]}
    if entry is None:
        stage.lack("The round has imported predictions only: there is nothing here to train again.",
                   "Add a learner of the catalogue to the round.")  # fmt: skip
    elif entry["name"] not in trained:
        stage.lack("No model could be trained, so nothing can be trained again.", "See the predictions stage.")
    else:
        data = read_training_set(stage)
        heldout = heldout_facts(int(data.heldout.sum()), int((data.heldout & data.confirmed).sum()))
        experiments = _Bench(stage, entry, data).try_all()
    facts = {"learner": entry and entry["name"], "heldout": heldout, "experiments": experiments}
    stage.write_json("retraining.json", facts)
    brief = [{"strategy": one["strategy"], "verdict": one["verdict"]} for one in experiments]
    return stage.result(experiments=brief)


class _Bench:
    """The experiments of one round, one after another, with one progress over all of them."""

    def __init__(self, stage: StageRun, entry: dict[str, Any], data: TrainingSet) -> None:
        self.stage, self.data = stage, data
        self.learner = get_learner(entry["name"], **entry["params"])
        self.seeds = [stage.params["seed"] + number for number in range(stage.params["retraining_seeds"])]
        self.experiments: list[dict[str, Any]] = []
        self.baselines: dict[int, np.ndarray] = {}
        self.done = self.total = 0

    def try_all(self) -> list[dict[str, Any]]:
        sets = list(HardSet.objects.filter(round=self.stage.round, version=1).order_by("pk"))
        uses = {name: strategy.use for name, strategy in STRATEGIES.items()}
        weighed = [one for one in sets if uses.get(one.strategy, "weights") in ("weights", "oversample")]
        wanted = [name for name in self.stage.params.get("online_strategies", []) if name in ONLINE_STRATEGIES]
        # A strategy that gives an order says nothing by weights: it is a schedule.
        for hard_set in sets:
            if uses.get(hard_set.strategy) == "schedule" and hard_set.strategy not in wanted:
                wanted.append(hard_set.strategy)
        balanced = [name for name in self.stage.params.get("balance_strategies", []) if name in BALANCE_STRATEGIES]
        included = self.stage.params["include_hard_sets"]
        self.total = len(weighed) + len(wanted) + len(balanced) + bool(included)
        for hard_set in weighed:
            self._try_set(hard_set, oversample=uses.get(hard_set.strategy) == "oversample")
        if included:
            self._try_earlier([entry["id"] for entry in included])
        for name in wanted:
            self._try_online(name)
        for name in balanced:
            self._try_balance(name)
        if not self.experiments:
            self.stage.lack("No hard set was large enough to be tried in training.", NOTHING_TO_TRY)
        return self.experiments

    def _try_set(self, hard_set: HardSet, *, oversample: bool) -> None:
        title = hard_set.summary.get("title", hard_set.strategy)
        self._try_items(
            title, member_items(hard_set), oversample=oversample, strategy=hard_set.strategy, sha256=hard_set.sha256
        )

    def _try_earlier(self, numbers: list[int]) -> None:
        chosen = HardSet.objects.filter(pk__in=numbers).order_by("pk")
        items = [member_items(hard_set) for hard_set in chosen]
        if items:
            digests = [hard_set.sha256 for hard_set in chosen]
            self._try_items("Earlier hard sets", np.unique(np.concatenate(items)), strategy="earlier", sha256=digests)

    def _try_items(self, title: str, items: np.ndarray, *, oversample: bool = False, **facts: Any) -> None:
        data = self.data
        rows = np.flatnonzero(np.isin(data.items, items) & ~data.held)
        passed = rows[~data.stopped[rows]]
        n_stopped = len(rows) - len(passed)
        if len(passed) < FEWEST_HARD:
            why = f" ({n_stopped} stopped by the noise gate)" if n_stopped else ""
            self.stage.run.note(f"{title}: {len(passed)} items to train on{why}; {FEWEST_HARD} are needed.")
            self.done += 1
            return

        def experiment(on_progress: OnProgress) -> Experiment:
            return retraining_experiment(
                data.features, data.label, train=data.train, heldout=data.heldout, hard=passed, learner=self.learner,
                n_classes=len(data.classes), seeds=self.seeds, oversample=oversample, baselines=self.baselines,
                on_progress=on_progress,
            )  # fmt: skip

        kind = "oversample" if oversample else "weights"
        self._keep(title, experiment, kind=kind, n_stopped=n_stopped, **facts)

    def _try_online(self, name: str) -> None:
        data, title = self.data, ONLINE_STRATEGIES[name].title
        train = data.train & ~data.stopped
        columns: dict[str, Any] = {"difficulty": data.loss} if name == "curriculum" else {}
        if name == "ohem" and data.boxes is not None:
            columns = {"boxes": data.boxes, "image": data.image}

        def experiment(on_progress: OnProgress) -> Experiment:
            return online_experiment(
                name, data.features, data.label, train=train, heldout=data.heldout, n_classes=len(data.classes),
                seeds=self.seeds, settings=HeadSettings(hidden=self.stage.params.get("online_hidden", 0)),
                on_progress=on_progress, **columns,
            )  # fmt: skip

        n_stopped = int((data.train & data.stopped).sum())
        self._keep(title, experiment, kind="online", strategy=name, sha256="", n_stopped=n_stopped)

    def _try_balance(self, name: str) -> None:
        data = self.data

        def experiment(on_progress: OnProgress) -> Experiment:
            return balance_experiment(
                name, data.features, data.label, train=data.train, heldout=data.heldout, learner=self.learner,
                n_classes=len(data.classes), seeds=self.seeds, on_progress=on_progress,
            )  # fmt: skip

        self._keep(BALANCE_STRATEGIES[name].title, experiment, kind="balance", strategy=name, sha256="", n_stopped=0)

    def _keep(self, title: str, experiment: Callable[[OnProgress], Experiment], **facts: Any) -> None:
        def progress(done: int, total: int) -> None:
            doing = f"Training with {re.sub('^[A-Z](?=[a-z])', lambda first: first.group().lower(), title)}"
            self.stage.run.progress(self.done * total + done, self.total * total, stage=doing)

        try:
            found = experiment(progress)
        except LearnerError as reason:
            self.stage.lack(f"{title} could not be tried: {reason}.", NOTHING_TO_TRY)
        else:
            self.experiments.append({"title": title, **facts} | describe(found, self.data.classes))
        self.done += 1
