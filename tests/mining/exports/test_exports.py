import csv
import io
import json

import polars as pl
import pytest

from mining.artifacts import Folder
from mining.exports import ExportRefused, hard_set_export
from mining.exports.csv_format import safe_cell
from mining.models import HardSet, HardSetMember, Round
from tests import factories


@pytest.fixture
def hard_set(project):
    items = factories.make_items(project, 3, given=[0, 1, 0])
    items[2].path = '=HYPERLINK("http://x")'
    items[2].save()
    round_ = Round.objects.create(project=project, number=2, folder="rounds/1/2", status="succeeded")
    classes = [{"code": 0, "id": 1, "name": "cat"}, {"code": 1, "id": 2, "name": "dog"}]
    Folder(round_.folder).write_json("snapshot.json", {"classes": classes})
    measures = pl.DataFrame(
        {
            "item": [item.pk for item in items], "ordinal": [0, 1, 2], "path": [item.path for item in items],
            "given": [0, 1, 0], "consensus": [1, 1, None], "label": [1, 1, 0],
            "label_from": ["people", "people", "given"], "label_confidence": [0.9, 0.8, None],
            "split": ["train"] * 3, "time_hardness": [0.5, -0.1, None],
            "hog_svm.predicted": [0, 1, 1], "hog_svm.loss": [1.5, 0.1, 2.5],
        }
    )  # fmt: skip
    Folder(round_.folder).write_table("measures.parquet", measures)
    made = HardSet.objects.create(
        round=round_, strategy="time_hard", sha256="ab" * 32, n_members=2, params={"share": 0.1}
    )
    for rank, item in enumerate((items[2], items[0]), start=1):
        HardSetMember.objects.create(
            hard_set=made, item=item, rank=rank, score=1 / rank, reason="slow", verdict="ambiguous"
        )
    return made


def text_of(hard_set, name):
    return "".join(hard_set_export(hard_set=hard_set, format_name=name).pieces)


def test_csv_has_a_row_for_every_member_hardest_first(hard_set):
    text = text_of(hard_set, "csv")

    assert text.startswith("\ufeffrank,item,path,sha256,box,score,reason,verdict,label,")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    first = {
        name: rows[1][name] for name in ("rank", "path", "score", "label", "given_label", "people_label", "synthetic")
    }
    assert first == {
        "rank": "2", "path": "image-0000.png", "score": "0.5", "label": "dog", "given_label": "cat",
        "people_label": "dog", "synthetic": "no",
    }  # fmt: skip
    assert (rows[1]["hog_svm.loss"], rows[1]["hog_svm.predicted"], rows[1]["time_hardness"]) == ("1.5", "cat", "0.5")
    assert (rows[0]["time_hardness"], rows[0]["people_label"]) == ("", "")
    assert (rows[0]["project"], rows[0]["round"], rows[0]["hard_set_sha256"]) == ("pets", "2", "ab" * 32)


def test_a_path_that_is_a_formula_is_only_text(hard_set):
    rows = list(csv.DictReader(io.StringIO(text_of(hard_set, "csv").removeprefix("\ufeff"))))

    assert rows[0]["path"] == '\'=HYPERLINK("http://x")'


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\t=1", "'\t=1"), ("  =1", "'  =1"),
        ("\r=1", "'\r=1"), ("a=1", "a=1"), ("", ""), (None, ""), (-1.5, -1.5), (True, "yes"), ("a\x00b", "ab"),
        ([0.1, 0.2], "[0.1, 0.2]"),
    ],
)  # fmt: skip
def test_cells(value, cell):
    assert safe_cell(value) == cell


def test_jsonl_begins_with_where_it_comes_from(hard_set):
    lines = [json.loads(line) for line in text_of(hard_set, "jsonl").splitlines()]

    manifest = lines[0]["manifest"]
    assert (manifest["project"], manifest["round"], manifest["strategy"], manifest["n_members"]) == (
        "pets",
        2,
        "time_hard",
        2,
    )
    assert (manifest["params"], manifest["sha256"], manifest["synthetic"]) == ({"share": 0.1}, "ab" * 32, False)
    assert [line["rank"] for line in lines[1:]] == [1, 2]
    assert lines[1]["path"] == '=HYPERLINK("http://x")'
    assert lines[1]["time_hardness"] is None
    assert list(lines[1]) == manifest["columns"]


@pytest.mark.parametrize("name", ["csv", "jsonl"])
def test_synthetic_data_says_so_in_name_and_rows(hard_set, name):
    Round.objects.update(has_synthetic=True)
    hard_set.round.refresh_from_db()

    export = hard_set_export(hard_set=hard_set, format_name=name)

    assert export.file_name == f"pets-round-2-time_hard-v1-synthetic.{name}"
    text = "".join(export.pieces)
    assert text.count("yes") == 2 if name == "csv" else text.count('"synthetic": true') == 3


def test_members_come_in_pages_without_a_query_each(hard_set, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr("mining.exports.records.MEMBERS_AT_ONCE", 1)
    export = hard_set_export(hard_set=hard_set, format_name="jsonl")

    with django_assert_num_queries(2):
        assert len(list(export.pieces)) == 3


def test_an_unknown_format_is_refused(hard_set):
    with pytest.raises(ExportRefused, match="There is no format 'xlsx'; there are csv, jsonl"):
        hard_set_export(hard_set=hard_set, format_name="xlsx")


@pytest.mark.parametrize("name", ["csv", "jsonl"])
def test_every_row_names_the_learners_that_are_in_sample(hard_set, name):
    learners = [{"name": "hog_svm", "out_of_fold": True}, {"name": "file:resnet", "out_of_fold": False}]
    Folder(hard_set.round.folder).write_json("predictions.json", {"learners": learners})

    text = text_of(hard_set, name)

    if name == "csv":
        assert [row["in_sample"] for row in csv.DictReader(io.StringIO(text))] == ["resnet", "resnet"]
    else:
        manifest, *rows = map(json.loads, text.splitlines())
        assert manifest["manifest"]["in_sample"] == ["resnet"]
        assert [row["in_sample"] for row in rows] == ["resnet", "resnet"]
