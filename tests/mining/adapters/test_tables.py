import pytest

from annotations.models import Annotation, Trial
from mining.adapters import annotator_table, item_table, read_classes, trial_table
from mining.adapters.columns import read_columns
from tests import factories


@pytest.fixture
def items(project):
    return factories.make_items(project, 3, given=[0, 1, 1])


def test_items_come_in_the_order_of_import_with_class_codes(project, items):
    items[1].given = None
    items[1].save()

    table = item_table(project)

    assert table["item"].to_list() == [item.pk for item in items]
    assert table["ordinal"].to_list() == [0, 1, 2]
    assert table["given"].to_list() == [0, None, 1]
    assert table["sha256"].to_list() == [item.image.sha256 for item in items]
    assert table["box_x"].null_count() == 3
    assert [entry["name"] for entry in read_classes(project)] == ["cat", "dog"]


def test_trials_have_numbers_of_items_and_annotators_and_the_current_label(project, items):
    ada, ben = factories.make_annotator(project, "ada"), factories.make_annotator(project, "ben")
    trial = factories.make_trial(items[2], ben, label=0, response_ms=812.5, position=7)
    old = trial.annotations.get()
    Annotation.objects.filter(pk=old.pk).update(is_current=False)
    Annotation.objects.create(trial=trial, label=project.classes.get(code=1), client_key="corrected", supersedes=old)
    factories.make_trial(items[0], ada, label=0, response_ms=500)

    table = trial_table(project, item_table(project))

    assert table.select("item", "annotator", "label", "response_ms", "position", "timed").rows() == [
        (2, 1, 1, 812.5, 7, True),
        (0, 0, 0, 500.0, 1, True),
    ]
    assert annotator_table(project)["name"].to_list() == ["ada", "ben"]


def test_only_first_looks_without_help_speak_about_time(project, items):
    ada = factories.make_annotator(project, "ada")
    kinds = [
        {"response_ms": 700},
        {"response_ms": 700, "look": 2},
        {"response_ms": 700, "flags": ["assisted"]},
        {"null_reason": "hidden"},
        {"null_reason": "no_answer"},
        {"null_reason": "hidden", "censored_at_ms": 900.0},
    ]
    for number, kind in enumerate(kinds):
        person = ada if "look" in kind else factories.make_annotator(project, f"p{number}")
        factories.make_trial(items[0], person, label=0, **kind)

    table = trial_table(project, item_table(project))

    assert table["timed"].to_list() == [True, False, False, False, True, True]
    assert table["censored"].to_list() == [False, False, False, False, True, True]


def test_trials_that_are_not_over_are_left_out(project, items):
    ada = factories.make_annotator(project, "ada")
    factories.make_trial(items[0], ada)
    factories.make_trial(items[1], ada, state=Trial.State.ABANDONED)
    skipped = factories.make_trial(items[2], ada, state=Trial.State.SKIPPED, null_reason="skipped")

    table = trial_table(project, item_table(project))

    assert table["trial"].to_list() == [skipped.pk]
    assert table["label"].to_list() == [None]
    assert table["timed"].to_list() == [False]


def test_queries_do_not_grow_with_the_rows(project, django_assert_num_queries):
    ada = factories.make_annotator(project, "ada")
    for item in factories.make_items(project, 30):
        factories.make_trial(item, ada, label=0, response_ms=500)

    with django_assert_num_queries(1):
        items = item_table(project)
    with django_assert_num_queries(2):
        assert len(trial_table(project, items)) == 30


def test_an_empty_project_has_empty_tables_with_the_same_columns(project):
    items = item_table(project)

    assert len(items) == 0
    assert "sha256" in items.columns
    assert {"timed", "label", "censored"} <= set(trial_table(project, items).columns)


def test_chunks_are_put_together_and_counted(monkeypatch):
    import polars as pl

    monkeypatch.setattr("mining.adapters.columns.CHUNK", 4)
    seen = []

    table = read_columns(((n, None) for n in range(10)), {"n": pl.Int32, "x": pl.Float64}, on_chunk=seen.append)

    assert table["n"].to_list() == list(range(10))
    assert table["x"].null_count() == 10
    assert seen == [4, 8, 10]
