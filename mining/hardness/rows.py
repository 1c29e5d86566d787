"""What every probability measure needs of a row, computed once and in blocks.

A measure is arithmetic on a handful of numbers for each item: the probability of the given label, the
largest, the second largest, the entropy. Computing those together means that all measures cost little more
than one, and that no second (n, K) array ever exists.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

NO_LABEL = -1
SUM_TOLERANCE = 1e-3
"""How far a row may be from one: published probabilities are often rounded to three or four decimals."""
SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)
"""Probabilities are clipped here before a logarithm, as scikit-learn does: the largest loss is 36.04 nats."""
BLOCK_ELEMENTS = 1 << 17


class MeasureError(ValueError):
    """The input of a measure is not what it has to be; the message names the argument and the first bad
    row.
    """


@dataclass(frozen=True)
class RowSummary:
    """Numbers of each item that the measures are made of; every array has shape (n,).

    Rows without a prediction (all NaN) are NaN throughout, and `predicted` is -1. Items without a label (-1)
    are NaN in `given_probability`, `best_other` and `gradient_norm`.
    """

    n_classes: int
    given: IntArray
    predicted: IntArray
    top: FloatArray
    second: FloatArray
    entropy: FloatArray
    """In nats."""
    given_probability: FloatArray
    best_other: FloatArray
    """Largest probability among the classes that were not given."""
    gradient_norm: FloatArray
    """Euclidean norm of p - onehot(given)."""


def checked_given(given: npt.ArrayLike, n_items: int, n_classes: int) -> IntArray:
    """Return the label codes as int64, shape (n,), or raise `MeasureError` naming the first bad one."""
    codes = np.asarray(given)
    if codes.shape != (n_items,):
        raise MeasureError(
            f"given has shape {codes.shape}; probabilities has {n_items} rows, so it must be ({n_items},)"
        )
    if codes.dtype.kind not in "iu":
        if codes.dtype.kind != "f" or not np.array_equal(codes, np.round(codes)):
            raise MeasureError(f"given must hold integer class codes (-1 = no label), not {codes.dtype}")
        codes = codes.astype(np.int64)
    wrong = (codes < NO_LABEL) | (codes >= n_classes)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise MeasureError(
            f"given has the code {int(codes[row])} in row {row}; with {n_classes} classes a code is 0 to "
            f"{n_classes - 1}, "
            "or -1 for no label"
        )
    return codes.astype(np.int64, copy=False)


def checked_probabilities(probabilities: npt.ArrayLike) -> npt.NDArray[np.floating]:
    """Return the array, shape (n, K) with K >= 2, without looking at its values (`summarise_rows` does, block
    by block).
    """
    array = np.asarray(probabilities)
    if array.ndim != 2:
        raise MeasureError(f"probabilities must have two dimensions (items, classes), not shape {array.shape}")
    if array.shape[1] < 2:
        raise MeasureError(f"probabilities has {array.shape[1]} classes; at least two are needed")
    if array.dtype.kind not in "fiu":
        raise MeasureError(f"probabilities must be numbers, not {array.dtype}")
    return array


def summary_blocks(
    probabilities: npt.ArrayLike, given: npt.ArrayLike | None, *, sum_tolerance: float = SUM_TOLERANCE
) -> Iterator[tuple[slice, RowSummary]]:
    """Summarise (n, K) probabilities block by block: pairs of the rows and their summary, in order.

    `given` holds (n,) label codes, -1 = no label; None means that no item has one. A row that is NaN
    throughout is an item without a prediction. Anything else that is no probability (a single NaN, a negative
    number, a row that does not sum to one) raises `MeasureError` with the row.
    """
    array = checked_probabilities(probabilities)
    n_items, n_classes = array.shape
    codes = np.full(n_items, NO_LABEL, dtype=np.int64) if given is None else checked_given(given, n_items, n_classes)
    block_rows = max(1, BLOCK_ELEMENTS // n_classes)
    for start in range(0, n_items, block_rows):
        rows = slice(start, min(start + block_rows, n_items))
        block = np.array(array[rows], dtype=np.float64)
        absent = _check_block(block, start, sum_tolerance)
        yield rows, _summarise_block(block, codes[rows], absent)


def summarise_rows(
    probabilities: npt.ArrayLike, given: npt.ArrayLike | None, *, sum_tolerance: float = SUM_TOLERANCE
) -> RowSummary:
    """Summarise (n, K) probabilities and (n,) label codes at once; see `summary_blocks`."""
    array = checked_probabilities(probabilities)
    parts = [summary for _, summary in summary_blocks(array, given, sum_tolerance=sum_tolerance)]
    if not parts:
        parts = [_summarise_block(np.zeros((0, array.shape[1])), np.zeros(0, dtype=np.int64), None)]
    names = [field.name for field in fields(RowSummary) if field.name != "n_classes"]
    return RowSummary(array.shape[1], **{name: np.concatenate([getattr(p, name) for p in parts]) for name in names})


def _summarise_block(block: FloatArray, codes: IntArray, absent: BoolArray | None) -> RowSummary:
    """Summarise a block, a private copy that is used up; `absent` marks rows without a prediction."""
    if absent is not None:
        block[absent] = 1.0 / block.shape[1]
    line = np.arange(len(block))
    predicted = block.argmax(axis=1)
    top = block[line, predicted]
    logarithm = np.maximum(block, SMALLEST_PROBABILITY)
    np.log(logarithm, out=logarithm)
    entropy = np.maximum(-np.einsum("ij,ij->i", block, logarithm), 0.0)
    column = np.maximum(codes, 0)
    given_probability = block[line, column]
    # The given class is taken out before squaring: 1 - 2p + sum(p^2) would lose half the digits where p is
    # close to one.
    block[line, column] = 0.0
    gradient_norm = np.sqrt((1.0 - given_probability) ** 2 + np.einsum("ij,ij->i", block, block))
    best_other = block.max(axis=1)
    block[line, column] = given_probability
    block[line, predicted] = -1.0
    second = block.max(axis=1)
    unlabelled = codes < 0
    for values in (given_probability, best_other, gradient_norm):
        values[unlabelled] = np.nan
    if absent is not None:
        predicted[absent] = -1
        for values in (top, second, entropy, given_probability, best_other, gradient_norm):
            values[absent] = np.nan
    return RowSummary(
        block.shape[1], codes, predicted, top, second, entropy, given_probability, best_other, gradient_norm
    )


def _check_block(block: FloatArray, first_row: int, sum_tolerance: float) -> BoolArray | None:
    """Raise for values that are no probabilities; return which rows are NaN throughout, or None when none
    is.
    """
    total = block.sum(axis=1)
    unknown = np.isnan(total)
    absent: BoolArray | None = None
    if unknown.any():
        empty = np.asarray(np.isnan(block).all(axis=1))
        if (unknown & ~empty).any():
            row = int(np.argmax(unknown & ~empty))
            raise MeasureError(
                f"probabilities has NaN in row {first_row + row}; a row is either complete, or NaN "
                "throughout "
                "(no prediction)"
            )
        absent = empty
        total[empty] = 1.0
    if np.nanmin(block, initial=0.0) < 0.0:
        row = int(np.argmax((block < 0.0).any(axis=1)))
        raise MeasureError(f"probabilities has a negative number in row {first_row + row}; are these logits?")
    off = np.abs(total - 1.0) > sum_tolerance
    if off.any():
        row = int(np.argmax(off))
        raise MeasureError(
            f"probabilities sums to {total[row]:.6g} in row {first_row + row}, not to one; convert logits "
            "by a softmax "
            "or normalise the rows"
        )
    return absent
