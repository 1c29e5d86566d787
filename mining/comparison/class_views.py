"""Classes as units, for people and for a model beside each other: how hard, how often wrong, taken for which other."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mining.comparison.intervals import Estimate, unknown
from mining.hardness.units import Z, confusion_pairs

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
FEWEST_IN_CLASS = 3


@dataclass(frozen=True)
class PairOfClasses:
    """Two classes, and how often one is taken for the other."""

    first: int
    second: int
    people: Estimate
    """Where one person answers one of the two, the chance that another answers the other one."""
    model: Estimate
    """Share of the items of either class that the model takes for the other one."""


def share(count: int, n: int) -> Estimate:
    """A share with its 95 % interval (Wilson 1927)."""
    if n == 0:
        return unknown(0, "there is no item")
    middle = (count + Z**2 / 2) / (n + Z**2)
    half = Z / (n + Z**2) * np.sqrt(count * (n - count) / n + Z**2 / 4)
    low, high = float(middle - half) if count else 0.0, float(middle + half) if count < n else 1.0
    return Estimate(count / n, max(0.0, low), min(1.0, high), n)


def class_means(score: npt.ArrayLike, given: npt.ArrayLike, n_classes: int) -> list[Estimate]:
    """Mean of a (n,) score in every class with its 95 % interval over items; unknown below three items."""
    values, codes = np.asarray(score, dtype=np.float64), np.asarray(given, dtype=np.int64)
    known = (codes >= 0) & ~np.isnan(values)
    values, codes = values[known], codes[known]
    count = np.bincount(codes, minlength=n_classes)
    mean = np.bincount(codes, values, n_classes) / np.maximum(count, 1)
    squares = np.bincount(codes, (values - mean[codes]) ** 2, n_classes)
    found = []
    for code in range(n_classes):
        n = int(count[code])
        if n < FEWEST_IN_CLASS:
            found.append(unknown(n, f"{n} items with this score; {FEWEST_IN_CLASS} are needed"))
            continue
        half = Z * float(np.sqrt(squares[code] / (n - 1) / n))
        found.append(Estimate(float(mean[code]), float(mean[code]) - half, float(mean[code]) + half, n))
    return found


def wrong_shares(given: npt.ArrayLike, predicted: npt.ArrayLike, n_classes: int) -> list[Estimate]:
    """Of every class the share of items that the model takes for another; (n,) codes, -1 = unknown."""
    truth, guess = np.asarray(given, dtype=np.int64), np.asarray(predicted, dtype=np.int64)
    known = (truth >= 0) & (guess >= 0)
    size = np.bincount(truth[known], minlength=n_classes)
    wrong = np.bincount(truth[known & (truth != guess)], minlength=n_classes)
    return [share(int(wrong[code]), int(size[code])) for code in range(n_classes)]


def differing_shares(
    item: npt.ArrayLike, answer: npt.ArrayLike, given: npt.ArrayLike, n_classes: int
) -> list[Estimate]:
    """Of every class the share of people's answers that differ from the label, with an interval over items.

    `item` (n_trials,) rows, `answer` (n_trials,) codes, `given` (n_items,) codes, -1 = none. Answers to one item go
    together: the interval is that of a ratio of sums over items, on as many independent answers as it is worth.
    """
    rows, codes = np.asarray(item, dtype=np.int64), np.asarray(answer, dtype=np.int64)
    label = np.asarray(given, dtype=np.int64)
    use = (codes >= 0) & (label[rows] >= 0)
    rows, codes = rows[use], codes[use]
    asked = np.bincount(rows, minlength=len(label))
    differing = np.bincount(rows[codes != label[rows]], minlength=len(label))
    found = []
    for code in range(n_classes):
        own = np.flatnonzero((label == code) & (asked > 0))
        total, count = int(asked[own].sum()), int(differing[own].sum())
        if total == 0:
            found.append(unknown(0, "nobody judged an item of this class"))
            continue
        p = count / total
        variance = float(((differing[own] - p * asked[own]) ** 2).sum()) / total**2
        worth = min(total, round(p * (1 - p) / variance)) if variance > 0 else len(own)
        interval = share(round(p * max(1, worth)), max(1, worth))
        found.append(Estimate(p, interval.low, interval.high, len(own)))
    return found


def confused_pairs(
    counts: npt.NDArray[np.integer] | None,
    given: npt.ArrayLike,
    predicted: npt.ArrayLike,
    n_classes: int,
    *,
    most: int = 12,
) -> list[PairOfClasses]:
    """Pairs of classes that people or the model confuse, the `most` of each, those of the model first.

    `counts` (n_items, n_classes): labels that people gave every item; None where nobody did.
    """
    truth, guess = np.asarray(given, dtype=np.int64), np.asarray(predicted, dtype=np.int64)
    known = (truth >= 0) & (guess >= 0)
    size = np.bincount(truth[known], minlength=n_classes)
    wrong = known & (truth != guess)
    low, high = np.minimum(truth, guess)[wrong], np.maximum(truth, guess)[wrong]
    pair, count = np.unique(low * n_classes + high, return_counts=True)
    both = np.maximum(size[pair // n_classes] + size[pair % n_classes], 1)
    of_model = {int(at): share(int(n), int(m)) for at, n, m in zip(pair, count, both, strict=True)}
    of_people: dict[int, Estimate] = {}
    if counts is not None and len(counts):
        found = confusion_pairs(counts)
        columns = (found.first, found.second, found.share, found.low, found.high, found.n_items)
        for a, b, value, bottom, top, n in zip(*columns, strict=True):
            of_people[int(a) * n_classes + int(b)] = Estimate(float(value), float(bottom), float(top), int(n))
    chosen = dict.fromkeys(_largest(of_model, most) + _largest(of_people, most))
    return [
        PairOfClasses(
            at // n_classes, at % n_classes,
            of_people.get(at, Estimate(0.0, None, None, 0, "no item got both answers") if counts is not None
                          else unknown(0, "nobody has labelled")),
            of_model.get(at, share(0, int(size[at // n_classes] + size[at % n_classes]))),
        )
        for at in chosen
    ]  # fmt: skip


def _largest(of: dict[int, Estimate], most: int) -> list[int]:
    return sorted(of, key=lambda at: -(of[at].value or 0.0))[:most]
