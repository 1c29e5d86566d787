"""Which boxes of different annotators mean the same object.

Boxes are x, y, width, height; the unit does not matter, since overlap is a ratio. Two boxes are alike by their
intersection over union (IoU); .5 is the limit of the PASCAL VOC challenge (Everingham et al., IJCV 88, 2010). Groups
are formed by average linkage (Sokal & Michener 1958): the two groups with the highest mean IoU between their boxes are
joined first, and on until no mean reaches the threshold. Two boxes of one annotator never come into one group, for
whoever drew two boxes saw two objects. Classes play no part: that two people name one object differently is what is
to be found out. Neither the order of the boxes nor that of the annotators changes the result.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Boxes = NDArray[np.float64]
Codes = NDArray[np.int64]
THRESHOLD = 0.5


def iou(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Return (n, m) intersection over union of boxes (n, 4) and (m, 4).

    Examples
    --------
    >>> iou([[0, 0, 2, 1]], [[1, 0, 2, 1]]).tolist()
    [[0.3333333333333333]]
    """
    a, b = _boxes(first), _boxes(second)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, :2] + a[:, None, 2:], b[None, :, :2] + b[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    union = np.prod(a[:, 2:], axis=1)[:, None] + np.prod(b[:, 2:], axis=1)[None, :] - shared
    return np.asarray(shared / union)


def match_boxes(boxes: ArrayLike, annotator: ArrayLike, *, threshold: float = THRESHOLD) -> Codes:
    """Group boxes that mean the same object.

    Parameters
    ----------
    boxes : (n, 4) x, y, width, height of the boxes in one image.
    annotator : (n,) whose each is; at most one box of an annotator comes into a group.
    threshold : least mean IoU between two groups that are joined, above 0 and at most 1.

    Returns
    -------
    (n,) group codes, 0 to n_groups - 1, in reading order of the groups' median boxes.

    Raises
    ------
    ValueError : arrays that do not fit together, a box without area, a threshold that cannot be.

    Examples
    --------
    >>> match_boxes([[0, 0, 4, 4], [0, 0, 4, 5], [8, 8, 2, 2]], [0, 1, 0]).tolist()
    [0, 0, 1]
    """
    box, who = _boxes(boxes), np.asarray(annotator)
    if who.shape != (len(box),):
        raise ValueError(f"`annotator` has shape {who.shape}, but there are {len(box)} boxes.")
    if not 0 < threshold <= 1:
        raise ValueError(f"`threshold` is a mean IoU above 0 and at most 1, not {threshold}.")
    # Ties are broken by where boxes lie, never by the order in which they came.
    order = np.lexsort(box.T[::-1])
    alike = iou(box[order], box[order])
    group = np.empty(len(box), dtype=np.int64)
    n_groups = 0
    linked = alike >= threshold
    for part in _connected(linked):
        inside = np.ix_(part, part)
        owner = who[order[part]]
        if linked[inside].all() and np.unique(owner).size == owner.size:
            joined = np.zeros(len(part), dtype=np.int64)  # means of such overlaps reach the threshold, too
        else:
            joined = _link(alike[inside], owner, threshold)
        group[order[part]] = joined + n_groups
        n_groups += int(joined.max()) + 1
    return _in_reading_order(box, group, n_groups)


def median_boxes(boxes: ArrayLike, group: ArrayLike, n_groups: int) -> Boxes:
    """Return (n_groups, 4) x, y, width, height: medians of left, top, right and bottom of each group."""
    box, code = _boxes(boxes), np.asarray(group, dtype=np.int64)
    corners = np.column_stack([box[:, :2], box[:, :2] + box[:, 2:]])
    # One sort a side for all groups: a median each, of a handful of numbers, costs far more in calls than in work.
    size = np.bincount(code, minlength=n_groups)
    first = np.cumsum(size) - size
    out = np.empty((n_groups, 4))
    for side in range(4):
        values = corners[np.lexsort((corners[:, side], code)), side]
        out[:, side] = (values[first + (size - 1) // 2] + values[first + size // 2]) / 2
    out[:, 2:] -= out[:, :2]
    return out


def carry_over(
    group: ArrayLike, before: ArrayLike, boxes: ArrayLike, objects: ArrayLike, *, threshold: float = THRESHOLD
) -> Codes:
    """Return for each group the object that it goes on, so that an object keeps its name while boxes come in.

    Parameters
    ----------
    group : (n,) group codes of the boxes now, from `match_boxes`.
    before : (n,) row in `objects` that each box was part of, -1 for a new box.
    boxes : (n_groups, 4) consensus boxes now.
    objects : (n_objects, 4) consensus boxes before.

    Returns
    -------
    (n_groups,) rows in `objects`, each at most once; -1 for a new object. First go the groups that have most boxes in
    common with an object, then, of what is left, those that overlap it most and by at least the threshold.
    """
    code, was, now, old = np.asarray(group), np.asarray(before), _boxes(boxes), _boxes(objects)
    found = np.full(len(now), -1, dtype=np.int64)
    if not len(now) or not len(old):
        return found
    shared = np.zeros((len(now), len(old)))
    np.add.at(shared, (code[was >= 0], was[was >= 0]), 1)
    overlap = iou(now, old)
    for worth in (shared, np.where(overlap >= threshold, overlap, 0)):
        # The highest first; of equals the older object and the first group.
        for place in np.lexsort((np.tile(np.arange(len(old)), len(now)), -worth.ravel())):
            row, column = divmod(int(place), len(old))
            if worth[row, column] <= 0:
                break
            if found[row] < 0 and column not in found:
                found[row] = column
    return found


def _link(alike: NDArray[np.float64], who: NDArray[np.generic], threshold: float) -> Codes:
    """Return group codes by average linkage of boxes with these IoU; boxes of one annotator stay apart."""
    n = len(alike)
    of = np.arange(n)
    size = np.ones(n)
    mean = alike.copy()
    mean[who[:, None] == who[None, :]] = -1  # never to be joined
    np.fill_diagonal(mean, -1)
    while True:
        first, second = divmod(int(np.argmax(mean)), n)
        # Means of the same overlaps taken in another order differ in the last digits.
        first, second = divmod(int(np.argmax(mean >= mean[first, second] - 1e-12)), n)
        if mean[first, second] < threshold:
            return np.asarray(np.unique(of, return_inverse=True)[1], dtype=np.int64)
        barred = (mean[first] < 0) | (mean[second] < 0)
        both = (size[first] * mean[first] + size[second] * mean[second]) / (size[first] + size[second])
        both[barred] = -1
        mean[first], mean[:, first] = both, both
        mean[second], mean[:, second] = -1, -1
        size[first] += size[second]
        of[of == second] = first


def _connected(linked: NDArray[np.bool_]) -> list[Codes]:
    """Return the rows of each part of the graph that hangs together: groups never reach from one part to another."""
    if not len(linked):
        return []
    # The first row that each can be reached from, passed on to the neighbours until nothing changes.
    part = np.arange(len(linked))
    while True:
        reached = np.where(linked, part[None, :], len(linked)).min(axis=1)
        reached = reached[reached]
        if (reached == part).all():
            break
        part = reached
    order = np.argsort(part, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(part[order])) + 1)


def _in_reading_order(box: Boxes, group: Codes, n_groups: int) -> Codes:
    middle = median_boxes(box, group, n_groups)
    rank = np.empty(n_groups, dtype=np.int64)
    rank[np.lexsort((middle[:, 3], middle[:, 2], middle[:, 0], middle[:, 1]))] = np.arange(n_groups)
    return rank[group]


def _boxes(values: ArrayLike) -> Boxes:
    box = np.asarray(values, dtype=np.float64)
    box = box.reshape(0, 4) if box.size == 0 else box
    if box.ndim != 2 or box.shape[1] != 4:
        raise ValueError(f"Boxes have the shape (n, 4), not {box.shape}.")
    if not np.isfinite(box).all() or (box[:, 2:] <= 0).any():
        raise ValueError("A box has finite sides and an area above 0.")
    return box
