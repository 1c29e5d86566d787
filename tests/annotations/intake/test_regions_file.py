"""COCO files of boxes, and finding files of boxes beside images."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.intake.regions_csv import BadRegions, RegionProblem, RegionRow
from annotations.intake.regions_file import BesideImages, read_any_regions, read_coco
from annotations.intake.source import SourceFile

COCO = {
    "images": [{"id": 7, "file_name": "a.png"}, {"id": 8, "file_name": "b/c.png", "width": 10}],
    "categories": [{"id": 1, "name": "cat"}],
    "annotations": [
        {"image_id": 7, "bbox": [1, 2, 3, 4.5], "category_id": 1, "iscrowd": 0},
        {"image_id": 8, "bbox": [0, 0, 5, 5]},
        {"image_id": 9, "bbox": [0, 0, 5, 5]},
        {"image_id": 7, "bbox": [0, 0, 5]},
        {"image_id": 7, "bbox": [0, 0, 5, True], "category_id": 1},
        {"image_id": 7, "bbox": [0, 0, 5, 5], "category_id": 2},
        5,
    ],
}


def test_a_coco_file_gives_its_boxes_and_names_those_that_cannot_be():
    assert list(read_any_regions(json.dumps(COCO).encode())) == [
        RegionRow(1, "a.png", (1.0, 2.0, 3.0, 4.5), "cat"),
        RegionRow(2, "b/c.png", (0.0, 0.0, 5.0, 5.0), None),
        RegionProblem(3, "No image of the file has the id 9."),
        RegionProblem(4, "bbox is not x, y, width, height."),
        RegionProblem(5, "bbox is not x, y, width, height."),
        RegionProblem(6, "No category of the file has the id 2."),
        RegionProblem(7, "It is no object with image_id and bbox."),
    ]


@pytest.mark.parametrize("data", [b"[]", b"{", b'{"images": []}', b'{"images": {}, "annotations": []}'])
def test_what_is_no_coco_file_is_refused(data):
    with pytest.raises(BadRegions):
        list(read_any_regions(data))


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 10), st.floats(), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(st.sampled_from(["id", "image_id", "bbox", "file_name", "name", "category_id"]), inner),
    ),
    max_leaves=20,
)


@given(st.fixed_dictionaries({"images": VALUES, "annotations": VALUES, "categories": VALUES}))
def test_any_json_gives_rows_problems_or_one_refusal(content):
    try:
        rows = list(read_coco(json.dumps(content).encode()))
    except BadRegions:
        return
    assert all(isinstance(row, RegionRow | RegionProblem) for row in rows)


def test_files_of_boxes_are_kept_aside_for_later():
    class Files:
        n_ignored = 2

        def count(self):
            return 3

        def __iter__(self):
            for name in ("a.png", "x/boxes.CSV", "coco.json"):
                yield SourceFile(name, 1, lambda: b"")

    beside = BesideImages(Files())
    assert beside.count() == 3
    for _ in range(2):
        assert [file.path for file in beside] == ["a.png"]
        assert [file.path for file in beside.regions] == ["x/boxes.CSV", "coco.json"]
    assert beside.n_ignored == 2
