"""Matching of boxes: exact groups, and what must hold for any boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from annotations.objects import carry_over, iou, match_boxes, median_boxes


def test_overlap_of_boxes_is_exact():
    assert iou([[0, 0, 2, 2]], [[0, 0, 2, 2], [1, 1, 2, 2], [2, 0, 1, 1]]).tolist() == [[1.0, 1 / 7, 0.0]]


def test_boxes_of_three_annotators_around_two_objects():
    boxes = [[10, 10, 20, 20], [50, 50, 10, 10], [11, 10, 20, 20], [50, 51, 10, 10], [10, 12, 20, 20], [80, 80, 5, 5]]
    assert match_boxes(boxes, [0, 0, 1, 1, 2, 2]).tolist() == [0, 1, 0, 1, 0, 2]


def test_two_boxes_of_one_annotator_are_two_objects_however_alike():
    groups = match_boxes([[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10]], [0, 0, 1])
    assert groups[0] != groups[1]
    assert groups[2] in groups[:2]


def test_of_two_candidates_the_box_goes_to_the_one_it_overlaps_more():
    # Annotator 0 drew two overlapping boxes; annotator 1's overlaps both by more than .5, the second one more.
    boxes = [[0, 0, 10, 10], [3, 0, 10, 10], [2, 0, 10, 10]]
    groups = match_boxes(boxes, [0, 0, 1])
    assert groups[2] == groups[1] != groups[0]


def test_a_chain_of_shifted_boxes_is_not_one_object():
    # Neighbours overlap by .6, the ends by a seventh: single linkage would join all five.
    boxes = [[2.5 * k, 0, 10, 10] for k in range(5)]
    assert iou(boxes[:1], boxes[1:2])[0, 0] == pytest.approx(0.6)
    assert len(set(match_boxes(boxes, range(5)).tolist())) == 3


def test_the_threshold_counts():
    boxes = [[0, 0, 10, 10], [2.5, 0, 10, 10]]
    assert match_boxes(boxes, [0, 1], threshold=0.6).tolist() == [0, 0]
    assert match_boxes(boxes, [0, 1], threshold=0.61).tolist() == [0, 1]


def test_the_consensus_box_is_the_median_of_each_side():
    boxes = [[0, 0, 10, 10], [2, 1, 10, 10], [100, 100, 5, 5], [1, 30, 10, 1]]
    assert median_boxes(boxes, [0, 0, 1, 0], 2).tolist() == [[1, 1, 10, 10], [100, 100, 5, 5]]


def test_an_object_keeps_its_name_while_boxes_come_in():
    objects = [[0, 0, 10, 10], [50, 50, 10, 10]]
    now = [[51, 50, 10, 10], [1, 0, 10, 10], [80, 0, 5, 5]]
    # Boxes 0 and 1 were part of objects 1 and 0; 2 is new.
    assert carry_over([0, 1, 2], [1, 0, -1], now, objects).tolist() == [1, 0, -1]
    # All boxes were drawn anew: overlap tells.
    assert carry_over([0, 1, 2], [-1, -1, -1], now, objects).tolist() == [1, 0, -1]
    # An object that falls into two keeps its name where most of its boxes are.
    assert carry_over([0, 0, 1], [0, 0, 0], [[0, 0, 9, 9], [0, 0, 10, 10]], objects[:1]).tolist() == [0, -1]
    assert carry_over([], [], [], objects).tolist() == []


@pytest.mark.parametrize(
    "boxes, annotator, threshold, words",
    [
        ([[0, 0, 0, 1]], [0], 0.5, "area above 0"),
        ([[0, 0, float("nan"), 1]], [0], 0.5, "finite"),
        ([[0, 0, 1]], [0], 0.5, r"shape \(n, 4\)"),
        ([[0, 0, 1, 1]], [0, 1], 0.5, "1 boxes"),
        ([[0, 0, 1, 1]], [0], 0, "threshold"),
    ],
)
def test_what_cannot_be_is_refused(boxes, annotator, threshold, words):
    with pytest.raises(ValueError, match=words):
        match_boxes(boxes, annotator, threshold=threshold)


def test_no_boxes_are_no_objects():
    assert match_boxes([], []).tolist() == []


@st.composite
def drawings(draw):
    n = draw(st.integers(1, 14))
    sides = st.integers(0, 12).map(float)
    corner = draw(hnp.arrays(float, (n, 2), elements=sides))
    size = draw(hnp.arrays(float, (n, 2), elements=st.integers(1, 8).map(float)))
    return np.hstack([corner, size]), draw(hnp.arrays(np.int64, n, elements=st.integers(0, 3)))


def partition(boxes, who, groups):
    """What the groups are, whatever the order: multisets of (annotator, box)."""
    return sorted(
        sorted((int(who[i]), *boxes[i]) for i in np.flatnonzero(groups == code)) for code in np.unique(groups)
    )


@settings(max_examples=300, deadline=None)
@given(drawings(), st.randoms(use_true_random=False))
def test_groups_for_any_boxes(drawn, random):
    boxes, who = drawn
    groups = match_boxes(boxes, who)
    assert sorted(set(groups.tolist())) == list(range(groups.max() + 1))
    for code in range(groups.max() + 1):
        inside = np.flatnonzero(groups == code)
        assert len(set(who[inside])) == len(inside), "two boxes of one annotator in a group"
        median = median_boxes(boxes[inside], np.zeros(len(inside), int), 1)
        assert (median[:, 2:] > 0).all()
    # Another order of the boxes gives the same groups.
    order = np.array(random.sample(range(len(boxes)), len(boxes)))
    again = match_boxes(boxes[order], who[order])
    assert partition(boxes, who, groups) == partition(boxes[order], who[order], again)


@settings(max_examples=200, deadline=None)
@given(drawings(), st.permutations(range(4)))
def test_who_is_who_does_not_matter(drawn, names):
    boxes, who = drawn
    groups = match_boxes(boxes, who)
    again = match_boxes(boxes, np.array(names)[who])
    assert groups.tolist() == again.tolist()
