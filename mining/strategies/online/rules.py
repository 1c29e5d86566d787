"""Rules of online mining: of the candidates of a step, which are trained on, and how much each counts."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mining.learners.softmax_head import StepWeights

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SMALLEST = 1e-12


@dataclass(frozen=True)
class Ohem:
    """Online hard example mining (Shrivastava, Gupta & Girshick 2016): only the top B by the loss now train the model.

    With `boxes` (n, 4: left, top, right, bottom) and `image` (n,) of every item, candidates that overlap a harder one
    of the same image by more than `most_overlap` (IoU) are passed over first, or one hard place would fill the batch.
    """

    batch_size: int
    boxes: FloatArray | None = None
    image: IntArray | None = None
    most_overlap: float = 0.7

    def __call__(
        self, belief: FloatArray, codes: IntArray, rows: IntArray, generator: np.random.Generator
    ) -> tuple[IntArray, FloatArray]:
        loss = -np.log(np.maximum(belief[np.arange(len(codes)), codes], SMALLEST))
        order = np.argsort(-loss, kind="stable")
        if self.boxes is not None and self.image is not None:
            order = order[unsuppressed(self.boxes[rows[order]], self.image[rows[order]], self.most_overlap)]
        places = order[: self.batch_size]
        return places, np.ones(len(places))


@dataclass(frozen=True)
class Focal:
    """Focal loss (Lin et al. 2017): its gradient is p - onehot(y) times a factor, recomputed at every step."""

    gamma: float = 2.0

    def __call__(
        self, belief: FloatArray, codes: IntArray, rows: IntArray, generator: np.random.Generator
    ) -> tuple[IntArray, FloatArray]:
        return np.arange(len(codes)), focal_factor(belief[np.arange(len(codes)), codes], self.gamma)


@dataclass(frozen=True)
class GradientImportance:
    """Items drawn in proportion to the norm of their gradient now, and weighed by one over that chance.

    The expected step stays that of plain training; its noise falls (Katharopoulos & Fleuret 2018). `feature_norm` (n,),
    the norm of [x, 1], makes it GraNd of the last layer; without it the score is EL2N. `floor` mixes in uniform chance,
    so that no weight explodes.
    """

    batch_size: int
    feature_norm: FloatArray | None = None
    floor: float = 0.1

    def __call__(
        self, belief: FloatArray, codes: IntArray, rows: IntArray, generator: np.random.Generator
    ) -> tuple[IntArray, FloatArray]:
        slope = belief.copy()
        slope[np.arange(len(codes)), codes] -= 1.0
        size = np.sqrt(np.einsum("ij,ij->i", slope, slope))
        if self.feature_norm is not None:
            size = size * self.feature_norm[rows]
        total = float(size.sum())
        even = 1.0 / len(codes)
        chance = np.full(len(codes), even) if total <= 0.0 else (1.0 - self.floor) * size / total + self.floor * even
        places = generator.choice(len(codes), min(self.batch_size, len(codes)), replace=True, p=chance / chance.sum())
        return places.astype(np.int64), even / chance[places]


@dataclass(frozen=True)
class Shuffled:
    """The random control of a rule: the same places and weights, dealt to the candidates at random."""

    rule: StepWeights

    def __call__(
        self, belief: FloatArray, codes: IntArray, rows: IntArray, generator: np.random.Generator
    ) -> tuple[IntArray, FloatArray]:
        places, weight = self.rule(belief, codes, rows, generator)
        return generator.permutation(len(codes))[places], weight


@dataclass(frozen=True)
class EasyFirst:
    """Curriculum (Bengio et al. 2009; pacing of Hacohen & Weinshall 2019): the easiest first, then step by step all.

    `order` (n,) rows from easy to hard. The share in use grows evenly from `first_share` to all of them within the
    first half of the epochs. Every epoch shows as many rows as any other, so that no arm trains longer.
    """

    order: IntArray
    epochs: int
    first_share: float = 0.2

    def __call__(self, epoch: int, generator: np.random.Generator) -> IntArray:
        n_rows = len(self.order)
        grown = min(1.0, self.first_share + (1.0 - self.first_share) * epoch / max(1.0, self.epochs / 2.0))
        used = self.order[: max(1, round(grown * n_rows))]
        times = -(-n_rows // len(used))
        return np.concatenate([generator.permutation(used) for _ in range(times)])[:n_rows]


def focal_factor(p: FloatArray, gamma: float = 2.0) -> FloatArray:
    """d FL / d ln p_y, negated: (1 - p)^gamma - gamma (1 - p)^(gamma - 1) p ln p; 1 for gamma = 0 (plain
    cross-entropy).
    """
    rest = 1.0 - np.clip(p, 0.0, 1.0)
    safe = np.maximum(p, SMALLEST)
    if gamma == 0.0:
        return np.ones_like(rest)
    return np.asarray(rest**gamma - gamma * np.maximum(rest, SMALLEST) ** (gamma - 1.0) * safe * np.log(safe))


def unsuppressed(boxes: FloatArray, image: IntArray, most_overlap: float) -> IntArray:
    """Greedy non-maximum suppression of boxes in the order given, within each image; returns the places that stay."""
    kept = np.ones(len(boxes), dtype=bool)
    area = np.maximum(boxes[:, 2] - boxes[:, 0], 0.0) * np.maximum(boxes[:, 3] - boxes[:, 1], 0.0)
    for place in range(len(boxes)):
        if not kept[place]:
            continue
        later = np.flatnonzero(kept[place + 1 :] & (image[place + 1 :] == image[place])) + place + 1
        if len(later) == 0:
            continue
        width = np.minimum(boxes[later, 2], boxes[place, 2]) - np.maximum(boxes[later, 0], boxes[place, 0])
        height = np.minimum(boxes[later, 3], boxes[place, 3]) - np.maximum(boxes[later, 1], boxes[place, 1])
        shared = np.maximum(width, 0.0) * np.maximum(height, 0.0)
        union = area[later] + area[place] - shared
        kept[later[shared > most_overlap * np.maximum(union, SMALLEST)]] = False
    return np.flatnonzero(kept)
