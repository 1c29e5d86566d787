"""What people answered about an item, how far they agree, and which answer to believe."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from mining.hardness._trials import BadTrials, read_codes, read_labels

Array = NDArray[np.float64]
MAX_ROUNDS = 500
TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class Consensus:
    """The answer to believe for every item, and how sure it is."""

    label: NDArray[np.int64]
    """(n_items,) the most probable class; -1 where nobody answered. Ties go to the lower code."""
    confidence: Array
    """(n_items,) probability of `label`, from 0 to 1; NaN where nobody answered."""
    entropy: Array
    """(n_items,) entropy of the given labels, see `label_entropy`; NaN where nobody answered."""
    disagreement: Array
    """(n_items,) share of the given labels that differ from `label`; NaN where nobody answered."""
    n_labels: NDArray[np.int64]
    """(n_items,) labels given."""
    annotator_confusion: Array
    """(n_annotators, n_classes, n_classes): [j, c, l] is the probability that j says l where c is right."""
    class_share: Array
    """(n_classes,) share of the items in each class."""
    probability: Array
    """(n_items, n_classes) of every class; NaN where nobody answered."""
    method: str
    """``dawid-skene``, or ``vote`` where no item has two labels and annotators cannot be told apart."""
    converged: bool


def count_labels(item: ArrayLike, label: ArrayLike, n_items: int, n_classes: int) -> Array:
    """Return (n_items, n_classes) counts of the labels given to every item; -1 (no answer) is not counted."""
    item = read_codes(item, "item", n_codes=n_items)
    label = read_labels(label, item.shape[0])
    _check_classes(label, n_classes)
    given = label >= 0
    cell = item[given].astype(np.int64) * n_classes + label[given]
    counts = np.bincount(cell, minlength=n_items * n_classes).astype(np.float64)
    return counts.reshape(n_items, n_classes)


def label_entropy(counts: ArrayLike) -> Array:
    """Return the entropy of the labels of every item over ln K: 0 all agree, 1 spread over all classes.

    Args:
        counts: (n_items, n_classes) from `count_labels`.

    Returns:
        (n_items,), NaN where nobody answered.
    """
    counts = np.asarray(counts, dtype=np.float64)
    total = counts.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = counts / total[:, None]
        terms = np.where(share > 0, -share * np.log(share), 0.0)
    if counts.shape[1] < 2:
        return np.where(total > 0, 0.0, np.nan)
    return np.where(total > 0, terms.sum(axis=1) / np.log(counts.shape[1]), np.nan)


def disagreement(counts: ArrayLike, consensus_label: ArrayLike | None = None) -> Array:
    """Return the share of an item's labels that differ from the consensus (default: the most frequent label).

    Args:
        counts: (n_items, n_classes) from `count_labels`.
        consensus_label: (n_items,) codes, -1 where there is none.

    Returns:
        (n_items,) from 0 to 1, NaN where nobody answered or there is no consensus.
    """
    counts = np.asarray(counts, dtype=np.float64)
    total = counts.sum(axis=1)
    if consensus_label is None:
        agreeing = counts.max(axis=1, initial=0.0)
        none = total == 0
    else:
        codes = np.asarray(consensus_label)
        agreeing = counts[np.arange(counts.shape[0]), np.maximum(codes, 0)]
        none = (total == 0) | (codes < 0)
    return np.where(none, np.nan, 1 - agreeing / np.maximum(total, 1))


def consensus(
    item: ArrayLike,
    annotator: ArrayLike,
    label: ArrayLike,
    n_items: int,
    n_classes: int,
    *,
    n_annotators: int | None = None,
) -> Consensus:
    """Weigh labels by what their annotators confuse (Dawid & Skene 1979); name the answer to believe.

    Each row of a confusion matrix is shrunken to the matrix of all annotators together, with the weight of
    ``n_classes`` labels: somebody with few labels counts as an average annotator.

    Args:
        item: item codes, shape (n_labels,).
        annotator: annotator codes, shape (n_labels,).
        label: label codes, -1 for no answer, shape (n_labels,).
        n_items: number of items.
        n_classes: number of classes.
        n_annotators: number of annotators, when some may have no label.

    Raises:
        BadTrials: codes out of range or arrays of different length.
    """
    item = read_codes(item, "item", n_codes=n_items)
    annotator = read_codes(annotator, "annotator", item.shape[0], n_annotators)
    label = read_labels(label, item.shape[0])
    _check_classes(label, n_classes)
    if n_annotators is None:
        n_annotators = int(annotator.max()) + 1 if annotator.size else 0
    counts = count_labels(item, label, n_items, n_classes)
    n_labels = counts.sum(axis=1).astype(np.int64)
    given = label >= 0
    column = annotator[given].astype(np.int64) * n_classes + label[given]
    answers = sparse.csr_array(
        (np.ones(column.size), (item[given], column)), shape=(n_items, max(n_annotators * n_classes, 1))
    )
    if n_labels.max(initial=0) < 2 or n_classes < 2:
        posterior = (counts + 1 / n_classes) / (n_labels[:, None] + 1)
        class_share, confusion = _describe(answers, posterior, n_labels > 0, n_annotators, n_classes)
        method, converged = "vote", True
    else:
        posterior, class_share, confusion, converged = _dawid_skene(answers, counts, n_annotators)
        method = "dawid-skene"
    answered = n_labels > 0
    # Rounded first: two classes whose probabilities differ in the last bit only are a tie.
    best = np.where(answered, np.argmax(np.round(posterior, 9), axis=1), -1)
    confidence = posterior[np.arange(n_items), np.maximum(best, 0)]
    return Consensus(
        label=best.astype(np.int64),
        confidence=np.where(answered, confidence, np.nan),
        entropy=label_entropy(counts),
        disagreement=disagreement(counts, best),
        n_labels=n_labels,
        annotator_confusion=confusion,
        class_share=class_share,
        probability=np.where(answered[:, None], posterior, np.nan),
        method=method,
        converged=converged,
    )


@dataclass(frozen=True, slots=True)
class HeldConsensus:
    """What a consensus knows of annotators and classes, held still while new labels come."""

    annotator_confusion: Array
    """(n_annotators, n_classes, n_classes) as in `Consensus`."""
    class_share: Array
    by_vote: bool

    def judge(
        self, item: NDArray[np.integer], annotator: NDArray[np.integer], label: NDArray[np.integer], n_items: int
    ) -> tuple[NDArray[np.int64], Array, NDArray[np.int64]]:
        """Return (n_items,) label, its probability and labels given, from all (n_labels,) labels of these items.

        Annotators that the consensus did not know confuse what the others do on average. Items without a label: -1.
        """
        n_classes = self.class_share.size
        counts = count_labels(item, label, n_items, n_classes)
        n = counts.sum(axis=1)
        if self.by_vote:
            posterior = (counts + 1 / n_classes) / (n[:, None] + 1)
        else:
            table = np.log(np.concatenate([self.annotator_confusion, self.annotator_confusion.mean(axis=0)[None]]))
            who = np.minimum(annotator, len(self.annotator_confusion))
            score = np.tile(np.log(self.class_share), (n_items, 1))
            np.add.at(score, item, table[who, :, label])
            posterior = np.exp(score - score.max(axis=1, keepdims=True))
            posterior /= posterior.sum(axis=1, keepdims=True)
        best = np.argmax(np.round(posterior, 9), axis=1)
        confidence = posterior[np.arange(n_items), best]
        return np.where(n > 0, best, -1), np.where(n > 0, confidence, np.nan), n.astype(np.int64)


def _dawid_skene(answers: sparse.csr_array, counts: Array, n_annotators: int) -> tuple[Array, Array, Array, bool]:
    """Run expectation-maximisation from the shares of votes; return posterior, class shares, confusion.

    Items with the same answers of the same people share their posterior: each such pattern is computed once.
    """
    item, pattern, n_alike = _patterns(answers)
    answers, counts = answers[item], counts[item]
    answered = counts.sum(axis=1) > 0
    weight = n_alike * answered
    n_classes = counts.shape[1]
    posterior = counts / np.maximum(counts.sum(axis=1), 1)[:, None]
    share, confusion, converged = np.zeros(n_classes), np.zeros((n_annotators, n_classes, n_classes)), False
    for _ in range(MAX_ROUNDS):
        share, confusion = _describe(answers, posterior, weight, n_annotators, n_classes)
        # (annotator, label) by class, to be summed over the answers of an item
        table = np.log(confusion).transpose(0, 2, 1).reshape(-1, n_classes)
        score = np.asarray(answers @ table) + np.log(share)
        score -= score.max(axis=1, keepdims=True)
        new = np.exp(score)
        new /= new.sum(axis=1, keepdims=True)
        change = float(np.abs(new - posterior)[answered].max(initial=0.0))
        posterior = new
        if change < TOLERANCE:
            converged = True
            break
    return posterior[pattern], share, confusion, converged


def _patterns(answers: sparse.csr_array) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return one item of each pattern of answers, the pattern of each item (n_items,), and how many items have it.

    A pattern is told by the sum of random 64-bit numbers, one for each (annotator, label): for a million items the
    chance that any two patterns are taken for one is 3e-8.
    """
    number = np.random.default_rng(0).integers(0, 2**64, answers.shape[1], dtype=np.uint64)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(number[answers.indices] * answers.data.astype(np.uint64))])
    key = sums[answers.indptr[1:]] - sums[answers.indptr[:-1]]
    _, item, pattern, n_alike = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    return item, pattern, n_alike


def _describe(
    answers: sparse.csr_array,
    posterior: Array,
    n_alike: NDArray[np.integer] | NDArray[np.bool_],
    n_annotators: int,
    n_classes: int,
) -> tuple[Array, Array]:
    """Return class shares and confusion matrices, smoothed so that nothing is impossible."""
    weight = posterior * n_alike[:, None]
    share = weight.sum(axis=0) + 1.0
    share /= share.sum()
    if n_annotators == 0:
        return share, np.zeros((0, n_classes, n_classes))
    hits = np.asarray(answers.T @ weight).reshape(n_annotators, n_classes, n_classes).transpose(0, 2, 1)
    pooled = _pooled(hits.sum(axis=0))
    smoothed = hits + n_classes * pooled
    return share, smoothed / smoothed.sum(axis=2, keepdims=True)


def _pooled(hits: Array) -> Array:
    """Confusion of all annotators together, shrunken to one share of right answers for all classes."""
    n_classes = hits.shape[0]
    if n_classes == 1:
        return np.ones((1, 1))
    right = (np.trace(hits) + 1.0) / (hits.sum() + 2.0)
    plain = np.full((n_classes, n_classes), (1 - right) / (n_classes - 1))
    np.fill_diagonal(plain, right)
    rows = hits + n_classes * plain
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def _check_classes(label: NDArray[np.integer], n_classes: int) -> None:
    if n_classes < 1:
        raise BadTrials("no_classes", f"`n_classes` is {n_classes}; there must be at least one class.")
    if label.size and int(label.max()) >= n_classes:
        raise BadTrials(
            "code_out_of_range",
            f"`label` holds {int(label.max())}, but there are {n_classes} classes (0 to {n_classes - 1}).",
        )
