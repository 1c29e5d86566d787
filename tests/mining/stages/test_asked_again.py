"""From a finished round to "ask again", new answers, the next round, and what came of it."""

import datetime

import numpy as np
import pytest
from django.utils import timezone

from annotations.models import Annotation, Item, Trial
from mining.artifacts import Folder
from mining.models import HardSet, SecondLook
from mining.selectors import rounds as reads
from mining.services.second_look import ask_again
from tests import factories
from tests.mining.small_project import make_striped_project
from tests.mining.stages.test_whole_round import mean_log_times, run_round


@pytest.fixture(autouse=True)
def _quick_bootstrap(monkeypatch):
    monkeypatch.setattr("mining.stages.comparison._time_scores", mean_log_times)


def answer(project, item, label, names):
    """Let these people, new to the project, name the item."""
    for name in names:
        annotator = project.annotators.filter(name=name).first() or factories.make_annotator(project, name)
        trial = Trial.objects.create(
            project=project, item=item, annotator=annotator, state=Trial.State.ANSWERED, position=1,
            issued_at=timezone.now(), response_ms=900.0,
        )  # fmt: skip
        Annotation.objects.create(trial=trial, label=label, client_key=f"again-{trial.pk}")


def test_the_next_round_says_what_came_of_it(db, manager):
    project, _ = make_striped_project(n_annotators=3)
    first = run_round(project, strategies=[{"name": "time_hard", "params": {"limit": 4}}])
    hard_set = HardSet.objects.get(round=first)
    items = [member.item for member in hard_set.members.order_by("rank").select_related("item")]
    look = ask_again(hard_set=hard_set, extra_judgments=9, created_by=manager)
    labels = list(project.classes.order_by("code"))
    of = [labels[item.ordinal % 3] for item in items]
    other = [labels[(item.ordinal + 1) % 3] for item in items]
    people = [f"new-{number}" for number in range(9)]
    answer(project, items[0], other[0], people)
    answer(project, items[1], of[1], people)
    answer(project, items[2], of[2], people[:4])
    answer(project, items[2], other[2], people[4:])
    answer(project, items[3], of[3], people[:8])

    second = run_round(project, strategies=["time_hard"])

    said = reads.second_looks_in(second)
    assert [(one["id"], one["round"], one["n_items"], one["extra_judgments"]) for one in said] == [(look.pk, 1, 4, 9)]
    found = said[0]["items"]
    assert found["label_changed"] == [items[0].pk]
    assert found["ambiguous"] == [items[2].pk]
    assert found["waiting"] == [items[3].pk]
    assert found.get("hard", []) + found.get("settled", []) == [items[1].pk]
    assert said[0]["labels"][str(items[0].pk)] == [of[0].name, other[0].name, items[0].path]
    look.refresh_from_db()
    assert look.reported_in == second
    assert (look.outcome["label_changed"], look.outcome["ambiguous"], look.outcome["waiting"]) == (1, 1, 1)
    tables = {
        table["name"]: table
        for section in reads.report_of(second)["sections"]
        if section["name"] == "hard_sets"
        for table in section["tables"]
    }
    row = dict(
        zip([c["name"] for c in tables["second_looks"]["columns"]], tables["second_looks"]["rows"][0], strict=True)
    )
    assert (row["n"], row["label_changed"], row["ambiguous"], row["waiting"]) == (4, 1, 1, 1)
    assert tables["labels_changed"]["rows"] == [
        ["Time-hard", {"id": items[0].pk, "path": items[0].path}, of[0].name, other[0].name]
    ]

    answer(project, items[3], of[3], people[8:])
    third = run_round(project, strategies=["time_hard"])

    look.refresh_from_db()
    assert look.reported_in == third and "waiting" not in look.outcome
    assert reads.second_looks_in(run_round(project, strategies=["time_hard"])) == []


def test_what_was_asked_after_the_round_began_waits_for_the_next(db, manager):
    project, _ = make_striped_project(n_items=20, n_annotators=3)
    first = run_round(project, strategies=["time_hard"])
    look = ask_again(hard_set=HardSet.objects.get(round=first), created_by=manager)
    SecondLook.objects.update(created_at=timezone.now() + datetime.timedelta(days=1))

    second = run_round(project, strategies=["time_hard"])

    look.refresh_from_db()
    assert reads.second_looks_in(second) == [] and look.reported_in is None


def plant_errors(project, every=6):
    """Give every sixth item a wrong label at import; people still say what is right."""
    labels = list(project.classes.order_by("code"))
    wrong = list(Item.objects.filter(project=project).order_by("ordinal")[::every])
    for item in wrong:
        item.given = labels[(item.ordinal + 1) % 3]
        item.save(update_fields=["given"])
    return {item.pk for item in wrong}


@pytest.mark.parametrize("source", ["people", "given"])
def test_planted_errors_are_found_against_the_given_label(db, source):
    project, _ = make_striped_project(n_annotators=4)
    wrong = plant_errors(project)

    round_ = run_round(project, strategies=["label_errors", "hard_positives"], params={"label_source": source})

    folder = Folder(round_.folder)
    gate = folder.read_json("hard_sets.json")["gate"]
    hard_set = HardSet.objects.get(round=round_, strategy="label_errors")
    found = dict(hard_set.members.values_list("item_id", "verdict"))
    measures = folder.read_table("measures.parquet", ["item", "split"])
    mined = {item for item, split in measures.iter_rows() if split == "train"}
    hit = set(found) & wrong
    assert hit and gate["n_given"] == 60 and gate["mislabelled_given"] >= 1
    if source == "people":
        assert len(hit) >= 0.6 * len(wrong & mined)
        assert sum(found[item] == "mislabelled" for item in hit) >= 0.5 * len(hit)
        # The label used is people's already: nothing is left that is wrong by it, and it may be trained on.
        assert gate["mislabelled_used"] == 0 and gate["repaired"] == gate["mislabelled_given"]
        text = " ".join(next(s for s in reads.report_of(round_)["sections"] if s["name"] == "hard_sets")["text"])
        assert "people's label has taken the place of the given one" in text
    else:
        assert gate["mislabelled_used"] == gate["mislabelled_given"] and gate["repaired"] == 0


def test_what_the_gate_stops_goes_by_the_label_that_is_trained_on(db):
    from unittest.mock import MagicMock

    from mining.stages.context import StageRun
    from mining.stages.training_set import read_training_set

    project, _ = make_striped_project(n_annotators=4)
    wrong = plant_errors(project)
    by_people, by_import = (
        run_round(project, strategies=["label_errors"], params={"label_source": source, "retraining_seeds": 2})
        for source in ("people", "given")
    )

    people, imported = (read_training_set(StageRun(MagicMock(), one)) for one in (by_people, by_import))

    planted = np.isin(people.items, list(wrong))
    assert imported.stopped[planted].sum() > people.stopped[planted].sum()
    by_import.params["noise_gate"] = False
    assert not read_training_set(StageRun(MagicMock(), by_import)).stopped.any()
