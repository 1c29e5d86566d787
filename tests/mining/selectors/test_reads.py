import polars as pl
import pytest

from mining.artifacts import Folder
from mining.models import HardSet, HardSetMember, Round
from mining.selectors import hard_sets, rounds
from tests import factories


@pytest.fixture
def round_(project):
    items = factories.make_items(project, 4)
    made = Round.objects.create(project=project, number=1, folder="rounds/1/1", status="succeeded")
    table = pl.DataFrame(
        {
            "item": [item.pk for item in items], "ordinal": [0, 1, 2, 3], "label": [0, 1, 0, None],
            "time_hardness": [0.1, 0.4, None, 0.4], "hog_svm.loss": [2.0, 1.0, 0.5, 0.1],
        }
    )  # fmt: skip
    Folder(made.folder).write_table("measures.parquet", table)
    return made


def make_set(round_, strategy, ordinals, verdicts=("ambiguous", "none")):
    items = list(round_.project.items.order_by("ordinal"))
    made = HardSet.objects.create(round=round_, strategy=strategy, sha256="0" * 64, n_members=len(ordinals))
    for rank, ordinal in enumerate(ordinals, start=1):
        HardSetMember.objects.create(
            hard_set=made, item=items[ordinal], rank=rank, score=1 / rank, reason="hard", verdict=verdicts[rank - 1]
        )
    return made


def ordinals_of(page):
    return [row["ordinal"] for row in page[0]]


def test_pages_of_measures_are_ordered_with_the_unknown_last(round_):
    assert ordinals_of(rounds.measures_page(round_)) == [1, 3, 0, 2]
    assert ordinals_of(rounds.measures_page(round_, descending=False)) == [0, 1, 3, 2]
    assert ordinals_of(rounds.measures_page(round_, order_by="hog_svm.loss", offset=1, limit=2)) == [1, 2]
    assert rounds.measures_page(round_, label=0)[1] == 2
    assert ordinals_of(rounds.measures_page(round_, order_by="no such thing")) == [0, 1, 2, 3]


def test_measures_of_some_items_only(round_):
    first, _, third, _ = round_.project.items.order_by("ordinal")

    rows = rounds.measures_of(round_, [third.pk, first.pk], ["hog_svm.loss", "unknown"])

    assert rows == {
        first.pk: {"item": first.pk, "hog_svm.loss": 2.0},
        third.pk: {"item": third.pk, "hog_svm.loss": 0.5},
    }
    assert rounds.measures_of(round_, []) == {}


def test_what_was_not_computed_yet_is_none(project):
    empty = Round.objects.create(project=project, number=9, folder="rounds/1/9")

    assert rounds.comparison_of(empty) is None
    assert rounds.report_of(empty) is None
    assert rounds.chart_of(empty, "loss") is None
    assert rounds.measure_columns(empty) == []
    assert rounds.measures_of(empty, [1]) == {}
    assert rounds.measures_page(empty) == ([], 0)
    assert rounds.classes_of(empty) == []
    assert rounds.is_active(empty)


def test_charts_are_those_of_the_report_and_no_other_file(round_):
    folder = Folder(round_.folder)
    folder.write_json("report.json", {"charts": [{"name": "loss", "file": "charts/loss.json"}]})
    folder.write_json("charts/loss.json", {"mark": "bar"})
    folder.write_json("secret.json", {"a": 1})

    assert rounds.chart_of(round_, "loss") == {"mark": "bar"}
    assert rounds.chart_of(round_, "../secret") is None


def test_the_latest_round_is_the_latest_with_a_report(round_):
    Round.objects.create(project=round_.project, number=2, folder="rounds/1/2", status="failed")

    assert rounds.latest_round(round_.project) == round_
    assert rounds.latest_round(round_.project, done=False).number == 2
    assert [one.number for one in rounds.rounds_of(round_.project)] == [2, 1]


def test_members_come_with_item_and_measures_in_few_queries(round_, django_assert_num_queries):
    hard_set = make_set(round_, "time_hard", [3, 0])

    with django_assert_num_queries(1):
        page, total = hard_sets.members_page(hard_set)
        shown = [
            (row.member.rank, row.member.item.image.sha256[:1] != "", row.measures["hog_svm.loss"]) for row in page
        ]

    assert (shown, total) == ([(1, True, 0.1), (2, True, 2.0)], 2)


def test_members_of_one_verdict(round_):
    hard_set = make_set(round_, "time_hard", [3, 0])

    page, total = hard_sets.members_page(hard_set, verdict="none")

    assert ([row.member.rank for row in page], total) == ([2], 1)
    assert hard_sets.verdicts_of(hard_set) == {"ambiguous": 1, "none": 1}


def test_overlaps_count_shared_members(round_):
    one, two, three = (
        make_set(round_, name, ordinals) for name, ordinals in (("a", [0, 1]), ("b", [1, 2]), ("c", [2, 3]))
    )

    assert [(entry["hard_set"], entry["shared"]) for entry in hard_sets.overlaps_of(one)] == [(two, 1), (three, 0)]


def test_an_older_version_gives_way_to_the_newer(round_):
    old = make_set(round_, "a", [0])
    new = HardSet.objects.create(round=round_, strategy="a", version=2, parent=old, sha256="1" * 64, n_members=0)

    assert list(hard_sets.hard_sets_of(round_)) == [new]
    assert hard_sets.hard_set_of(round_.project, old.pk) == old
    assert hard_sets.hard_set_of(factories.make_project("Other"), old.pk) is None
