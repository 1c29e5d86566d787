import numpy as np
import pytest

from mining.adapters import item_table, trial_table
from mining.feature_keys import region_key
from mining.people import judge_items, split_of
from tests import factories
from tests.mining.small_project import make_striped_project


def judged(project, **options):
    items = item_table(project)
    return judge_items(items, trial_table(project, items), n_classes=project.classes.count(), **options)


def test_slow_items_are_hard(db):
    project, truth = make_striped_project(n_items=40)

    view = judged(project)

    order = np.corrcoef(np.argsort(np.argsort(truth)), np.argsort(np.argsort(view.table["time_hardness"])))[0, 1]
    assert order > 0.85
    assert view.table["n_judgments"].to_list() == [6] * 40
    assert view.table["time_se"].null_count() == 0
    assert view.facts["time"]["n_annotators"] == 6
    assert view.facts["missing"] == []


def test_people_outvote_the_given_label_unless_it_is_asked_for(project):
    first, second, _third = factories.make_items(project, 3, given=[0, 0, 1])
    for name in ("ada", "ben", "cleo"):
        person = factories.make_annotator(project, name)
        factories.make_trial(first, person, label=1, response_ms=600)
        factories.make_trial(second, person, label=0, response_ms=600)

    people, given = judged(project).table, judged(project, label_source="given").table

    assert people["label"].to_list() == [1, 0, 1]
    assert people["label_from"].to_list() == ["people", "people", "given"]
    assert people["label_confidence"].null_count() == 1
    assert given["label"].to_list() == [0, 0, 1]
    assert given["label_from"].to_list() == ["given"] * 3


def test_somebody_who_was_asked_again_counts_once_with_the_later_answer(project):
    (item,) = factories.make_items(project, 1)
    ada = factories.make_annotator(project, "ada")
    factories.make_trial(item, ada, label=0, response_ms=600)
    factories.make_trial(item, ada, label=1, response_ms=600, look=2)

    table = judged(project).table

    assert table["label"].to_list() == [1]
    assert table["n_labels"].to_list() == [1]


@pytest.mark.parametrize(
    ("trials", "says"),
    [({"trials": False}, ["No response time", "Nobody has labelled"]), ({"times": False}, ["No response time"])],
)
def test_what_is_missing_is_said_with_the_remedy(db, trials, says):
    project, _ = make_striped_project(n_items=6, n_annotators=2, **trials)

    view = judged(project)

    assert [entry["what"].startswith(start) for entry, start in zip(view.facts["missing"], says, strict=True)]
    assert all(entry["remedy"] for entry in view.facts["missing"])
    assert view.table["time_hardness"].null_count() == 6
    assert view.table["label"].null_count() == 0


def test_an_image_stays_on_its_side_of_the_split_when_others_come():
    names = [f"{n:064x}" for n in range(2000)]

    alone, together = split_of(names[:500], 0.2), split_of(names, 0.2)

    assert alone.tolist() == together[:500].tolist()
    assert 0.17 < (together == "test").mean() < 0.23
    assert (split_of(names, 0.0) == "train").all()


def test_objects_of_one_image_have_features_of_their_own():
    sha256 = "ab" * 32

    assert region_key(sha256, (None, None, None, None)) == sha256
    assert region_key(sha256, (0.1, 0.1, 0.2, 0.2)) != region_key(sha256, (0.1, 0.1, 0.2, 0.3))
