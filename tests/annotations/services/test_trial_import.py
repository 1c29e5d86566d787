"""Importing trials: what is taken, what is refused, and that twice is once."""

from __future__ import annotations

import io

import pytest

from annotations.models import Annotation, Annotator, Item, ItemAlias, Project, Trial
from annotations.services import trial_import
from annotations.services.trial_import import BadFile, TrialSummary, import_trials
from tests import factories
from tests.annotations.services.test_images import Report

HEADER = "item,annotator,label,response_ms,position,session\n"
A, B = "image-0000.png", "image-0001.png"


@pytest.fixture
def pets(project: Project) -> Project:
    factories.make_items(project, 2)
    return project


def run(project: Project, text: str, **options) -> tuple[TrialSummary, list[tuple[str, str, str]]]:
    report = Report()
    summary = import_trials(run=report, project=project, file=io.BytesIO(text.encode()), **options)
    return summary, [line for line in report.lines if line[0] != "info"]


def test_rows_become_trials_with_annotations_and_counts(pets: Project) -> None:
    summary, lines = run(pets, f"{HEADER}{A},ann,cat,812.5,2,s1\n{B},ann,dog,640,1,s1\n{A},bob,cat,,1,\n")
    assert summary == TrialSummary(n_read=3, n_new=3, n_annotators=2)
    assert lines == []
    trial = Trial.objects.get(annotator__name="ann", item__path=A)
    assert (trial.source, trial.state, trial.response_ms, trial.position, trial.session_name, trial.null_reason) == (
        "imported", "answered", 812.5, 2, "s1", "",
    )  # fmt: skip
    assert trial.annotations.get().label.name == "cat"
    assert Trial.objects.get(annotator__name="bob").null_reason == "not_recorded"
    assert list(Item.objects.order_by("ordinal").values_list("answered", "taken", "skipped")) == [(2, 2, 0), (1, 1, 0)]
    assert list(Annotator.objects.filter(kind="imported").values_list("name", "n_answered", "last_position")) == [
        ("ann", 2, 2),
        ("bob", 1, 1),
    ]


def test_a_missed_trial_is_evidence_and_no_answer(pets: Project) -> None:
    summary, _ = run(pets, f"{HEADER}{A},ann,,,1,\n{B},ann,cat,900,2,\n", time_limit_ms=1500)
    assert (summary.n_new, summary.n_missed) == (2, 1)
    trial = Trial.objects.get(item__path=A)
    assert (trial.state, trial.response_ms, trial.null_reason, trial.censored_at_ms) == (
        "skipped",
        None,
        "missed",
        1500,
    )
    assert not trial.annotations.exists()
    assert list(Item.objects.order_by("ordinal").values_list("answered", "taken", "skipped")) == [(0, 0, 1), (1, 1, 0)]
    assert Annotator.objects.get(name="ann").n_skipped == 1
    assert run(pets, f"{HEADER}{A},ann,,,1,\n")[0].n_known == 1


def test_run_twice_nothing_is_doubled(pets: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_import, "CHUNK_ROWS", 2)
    text = HEADER + "".join(f"{item},{who},cat,{500 + n},{n},\n" for n, who in enumerate("wxyz", 1) for item in (A, B))
    assert run(pets, text)[0].n_new == 8
    summary, lines = run(pets, text + f"{A},new,dog,700,1,\n")
    assert (summary.n_new, summary.n_known, lines) == (1, 8, [])
    assert (Trial.objects.count(), Annotation.objects.count(), Annotator.objects.count()) == (9, 9, 5)
    assert list(Item.objects.order_by("ordinal").values_list("answered", flat=True)) == [5, 4]


def test_every_row_that_cannot_be_is_named_and_the_rest_is_taken(pets: Project) -> None:
    text = HEADER + "\n".join(
        [
            f"{A},ann,cat,500,1,",
            "nowhere.png,ann,cat,500,2,",
            f"{B},ann,horse,500,2,",
            f"{B},ann,cat,0,2,",
            f"{A},ann,cat,500,3,",
            f"{B},ann,dog,700,2,",
        ]
    )
    summary, lines = run(pets, text)
    assert (summary.n_read, summary.n_new, summary.n_refused) == (6, 2, 4)
    assert lines == [
        ("refused", "row 3", "No item of the project is called nowhere.png."),
        ("refused", "row 4", '"horse" is no class of the project: cat, dog.'),
        ("refused", "row 5", "response_ms 0 is no response time: give milliseconds above 0, or leave it empty."),
        ("refused", "row 6", f"ann judges {A} on row 2 already."),
    ]


def test_another_answer_to_the_same_item_is_refused(pets: Project) -> None:
    run(pets, f"{HEADER}{A},ann,cat,500,1,\n")
    for row in (f"{A},ann,dog,500,1,", f"{A},ann,cat,501,1,", f"{A},ann,,,1,"):
        _, lines = run(pets, f"{HEADER}{row}\n")
        assert lines == [("refused", "row 2", f"ann has another answer to {A} in the project: that one stays.")]
    assert Trial.objects.get().response_ms == 500


def test_names_of_members_are_not_taken_over(pets: Project) -> None:
    factories.make_annotator(pets, "ada")
    _, lines = run(pets, f"{HEADER}{A},ada,cat,500,1,\n")
    assert lines == [("refused", "row 2", "ada is member in the project: use another name.")]
    assert not Trial.objects.exists()


def test_an_item_is_found_under_its_other_names(pets: Project) -> None:
    ItemAlias.objects.create(project=pets, item=pets.items.get(path=A), path="copy/caf\u00e9.png")
    assert run(pets, f"{HEADER}copy/cafe\u0301.png,ann,cat,500,1,\n")[0].n_new == 1
    assert Trial.objects.get().item.path == A


def test_seconds_are_refused_before_anything_is_written(pets: Project) -> None:
    text = f"{HEADER}{A},ann,cat,0.512,1,\n{B},ann,cat,1.2,2,\n"
    with pytest.raises(BadFile, match=r"median of response_ms is 0.856.*look like seconds. Multiply them by 1000"):
        run(pets, text)
    assert not Annotator.objects.filter(kind="imported").exists()
    assert run(pets, text, accept_short_times=True)[0].n_new == 2


def test_times_of_pages_are_refused_and_their_labels_can_come_without(pets: Project) -> None:
    factories.make_items(pets, 24)
    paths = list(pets.items.order_by("ordinal").values_list("path", flat=True))[-24:]
    pages = [(path, 4000 + 700 * (number // 8)) for number, path in enumerate(paths)]
    text = HEADER + "".join(f"{path},ann,cat,{ms},{n},\n" for n, (path, ms) in enumerate(pages, start=1))
    with pytest.raises(BadFile, match=r"measured for a page of items.*leave response_ms empty"):
        run(pets, text)
    assert not Trial.objects.exists()
    text = HEADER + "".join(f"{path},ann,cat,,{n},\n" for n, (path, _) in enumerate(pages, start=1))
    assert run(pets, text)[0].n_new == 24


def test_one_annotator_in_seconds_among_others_is_named(pets: Project) -> None:
    factories.make_items(pets, 6)
    paths = list(pets.items.order_by("ordinal").values_list("path", flat=True))[-6:]
    rows = [(path, who, ms) for path in paths for who, ms in (("ann", 812.5), ("eve", 0.8), ("bob", 900))]
    text = HEADER + "".join(f"{path},{who},cat,{ms + n / 100},{n},\n" for n, (path, who, ms) in enumerate(rows, 1))
    with pytest.raises(BadFile, match=r"annotator eve is 0\.\d+: .*look like seconds"):
        run(pets, text)
    assert not Trial.objects.exists()


def test_very_long_times_are_taken_with_a_warning(pets: Project) -> None:
    factories.make_items(pets, 6)
    paths = list(pets.items.order_by("ordinal").values_list("path", flat=True))[-6:]
    text = HEADER + "".join(f"{path},ann,cat,{900_000 + n},{n},\n" for n, path in enumerate(paths, 1))
    summary, lines = run(pets, text)
    assert summary.n_new == 6
    assert lines == [("warning", "ann", "The median of response_ms is 900,004: over ten minutes. Milliseconds?")]


def test_items_of_other_projects_are_not_found(pets: Project) -> None:
    other = factories.make_project("Other")
    _, lines = run(other, f"{HEADER}{A},ann,cat,500,1,\n")
    assert lines[0][2] == f"No item of the project is called {A}."


def test_columns_that_are_not_used_are_said(pets: Project) -> None:
    report = Report()
    import_trials(run=report, project=pets, file=io.BytesIO(b"item,annotator,label,response_ms,mood\n"))
    assert report.lines == [("info", "", "Columns that are not used: mood.")]


def test_the_number_of_queries_does_not_grow_with_the_rows(project: Project, django_assert_max_num_queries) -> None:
    factories.make_items(project, 40)
    rows = "".join(f"image-{n:04d}.png,{who},cat,{500 + n},{n + 1},\n" for n in range(40) for who in "abcdef")
    with django_assert_max_num_queries(40):
        assert run(project, HEADER + rows)[0].n_new == 240
