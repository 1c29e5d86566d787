"""A softmax head over fixed features, linear or with one hidden layer, trained by mini-batches in numpy.

Small on purpose: it stands where the course of the training matters (dynamics, online mining), every step of it can be
watched, and the same seed gives the same model. Adam (Kingma & Ba 2015), standardised features, L2 on the weights.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from mining.learners.errors import LearnerError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Features = npt.NDArray[np.floating]

StepWeights = Callable[[FloatArray, IntArray, IntArray, np.random.Generator], tuple[IntArray, FloatArray]]
"""(candidates' probabilities (c, K), their codes (c,), their rows (c,), generator) -> places (b,) of those that are
trained on,
and the weight (b,) of each one's gradient in the mean over the batch."""

RowsOfEpoch = Callable[[int, np.random.Generator], IntArray]
"""(epoch from 0, generator) -> the rows in the order in which this epoch shows them."""

BETA_MEAN, BETA_SQUARE, EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class HeadSettings:
    hidden: int = 0
    """Width of the hidden layer; 0 = linear."""
    epochs: int = 30
    batch_size: int = 64
    learning_rate: float = 0.005
    l2: float = 1e-4
    candidates: int = 1
    """Candidates looked at per item trained on: 1 = every batch is trained on whole. More make a step dearer, but an
    epoch no longer."""


@dataclass
class SoftmaxHead:
    """Weights and how to use them. `layers` alternate weights and biases."""

    mean: FloatArray
    scale: FloatArray
    layers: list[FloatArray]
    moments: list[FloatArray] = field(default_factory=list, repr=False)
    squares: list[FloatArray] = field(default_factory=list, repr=False)
    n_steps: int = 0

    def logits(self, features: Features) -> FloatArray:
        """Return (n, K) logits of (n, d) features."""
        return self.forward((features - self.mean) / self.scale)[-1]

    def probabilities(self, features: Features) -> FloatArray:
        """Return (n, K) probabilities of (n, d) features."""
        return softmax(self.logits(features))

    def forward(self, scaled: FloatArray) -> list[FloatArray]:
        """Return what each layer gives for standardised features: its inputs, the hidden layer if any, the logits."""
        given = [np.asarray(scaled, dtype=np.float64)]
        for place in range(0, len(self.layers), 2):
            value = given[-1] @ self.layers[place] + self.layers[place + 1]
            given.append(np.maximum(value, 0.0) if place + 2 < len(self.layers) else value)
        return given

    def backward(self, given: list[FloatArray], logit_gradient: FloatArray, l2: float) -> list[FloatArray]:
        """Return the gradient by each of `layers` from that by the logits."""
        gradients: list[FloatArray] = []
        flow = logit_gradient
        for place in range(len(self.layers) - 2, -1, -2):
            inputs = given[place // 2]
            gradients = [inputs.T @ flow + l2 * self.layers[place], flow.sum(axis=0), *gradients]
            if place:
                flow = (flow @ self.layers[place].T) * (inputs > 0.0)
        return gradients

    def step(self, gradients: list[FloatArray], learning_rate: float) -> None:
        self.n_steps += 1
        rate = learning_rate * np.sqrt(1.0 - BETA_SQUARE**self.n_steps) / (1.0 - BETA_MEAN**self.n_steps)
        for layer, moment, square, gradient in zip(self.layers, self.moments, self.squares, gradients, strict=True):
            moment += (1.0 - BETA_MEAN) * (gradient - moment)
            square += (1.0 - BETA_SQUARE) * (gradient * gradient - square)
            layer -= rate * moment / (np.sqrt(square) + EPSILON)


def softmax(logits: FloatArray) -> FloatArray:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def train_epochs(
    features: Features,
    codes: npt.ArrayLike,
    *,
    n_classes: int,
    settings: HeadSettings,
    seed: int = 0,
    weight: npt.ArrayLike | None = None,
    step_weights: StepWeights | None = None,
    rows_of_epoch: RowsOfEpoch | None = None,
) -> Iterator[SoftmaxHead]:
    """Train and yield the head after each epoch (the same object: use it before going on).

    `features` (n, d) finite, `codes` (n,) labels, `weight` (n,) of each item's loss. With `step_weights` every step
    looks at `candidates` items for each one that plain training would train on, and trains on as many of those, and
    with the weights, that it returns: an epoch has the same steps on the same numbers of items whatever the rule.
    `rows_of_epoch` stands in for a shuffle of all rows.
    """
    given = np.asarray(codes, dtype=np.int64)
    if len(given) == 0 or features.shape[0] != len(given):
        raise LearnerError(f"features {features.shape} and codes {given.shape} do not belong together")
    generator = np.random.default_rng(seed)
    head = _fresh_head(features, n_classes, settings, generator)
    scaled = np.asarray((features - head.mean) / head.scale, dtype=np.float64)
    share = np.ones(len(given)) if weight is None else np.asarray(weight, dtype=np.float64)
    share = share / share.mean()
    batches = _Candidates(len(given), settings, generator)
    for epoch in range(settings.epochs):
        order = None if rows_of_epoch is None else rows_of_epoch(epoch, generator)
        for rows, size in batches.of_epoch(order):
            values = head.forward(scaled[rows])
            belief = softmax(values[-1])
            places, strength = np.arange(len(rows)), np.ones(len(rows))
            if step_weights is not None:
                places, strength = step_weights(belief, given[rows], rows, generator)
                places, strength = places[:size], strength[:size]
                values = [layer[places] for layer in values]
            chosen = rows[places]
            slope = belief[places]
            slope[np.arange(len(chosen)), given[chosen]] -= 1.0
            slope *= (strength * share[chosen] / len(chosen))[:, None]
            head.step(head.backward(values, slope, settings.l2), settings.learning_rate)
        yield head


class _Candidates:
    """Which rows every step looks at, and how many of them it may train on."""

    def __init__(self, n_rows: int, settings: HeadSettings, generator: np.random.Generator) -> None:
        self.n_rows, self.settings, self.generator = n_rows, settings, generator
        self.ahead = np.zeros(0, dtype=np.int64)

    def of_epoch(self, order: IntArray | None) -> Iterator[tuple[IntArray, int]]:
        """Yield (rows, items to train on) of each step: batches of a shuffle (or of `order`), each with as many
        candidates besides as the settings ask for.
        """
        batch, wider = self.settings.batch_size, max(1, self.settings.candidates)
        if wider == 1:
            shown = self.generator.permutation(self.n_rows) if order is None else order
            for start in range(0, len(shown), batch):
                rows = shown[start : start + batch]
                yield rows, len(rows)
            return
        for start in range(0, self.n_rows, batch):
            size = min(batch, self.n_rows - start)
            yield self._next(min(self.n_rows, size * wider)), size

    def _next(self, count: int) -> IntArray:
        """Return `count` different rows: of one shuffle, and of a new one where too few are left of it."""
        if len(self.ahead) < count:
            self.ahead = self.generator.permutation(self.n_rows)
        rows, self.ahead = self.ahead[:count], self.ahead[count:]
        return rows


def _fresh_head(
    features: Features, n_classes: int, settings: HeadSettings, generator: np.random.Generator
) -> SoftmaxHead:
    mean = np.asarray(features.mean(axis=0, dtype=np.float64))
    scale = np.asarray(features.std(axis=0, dtype=np.float64))
    scale[scale < 1e-12] = 1.0
    widths = [features.shape[1], *([settings.hidden] if settings.hidden else []), n_classes]
    layers: list[FloatArray] = []
    for inputs, outputs in pairwise(widths):
        # He et al. 2015 for the hidden layer; the last starts at nothing, so that every class is equally likely.
        spread = np.sqrt(2.0 / inputs) if outputs != n_classes or (len(layers) == 0 and settings.hidden) else 0.0
        layers += [generator.normal(size=(inputs, outputs)) * spread, np.zeros(outputs)]
    zeros = [np.zeros_like(layer) for layer in layers]
    return SoftmaxHead(mean, scale, layers, zeros, [np.zeros_like(layer) for layer in layers])
