"""Decision values into probabilities: Platt's sigmoid for each class against the rest, then normalised.

Platt 1999, with the targets of Lin, Lin & Weng 2007, as in scikit-learn's
`CalibratedClassifierCV(method="sigmoid")`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MOST_STEPS = 100


@dataclass(frozen=True)
class SigmoidCalibration:
    """p_k proportional to 1 / (1 + exp(-(slope_k z_k + offset_k))); NaN slopes for classes never seen."""

    slope: FloatArray
    offset: FloatArray

    @classmethod
    def fitted(cls, scores: FloatArray, given: IntArray, weight: FloatArray | None = None) -> "SigmoidCalibration":
        """Fit to (n, K) decision values of items that the models did not see; `given` (n,) codes, -1 = no
        label.
        """
        n_classes = scores.shape[1]
        slope, offset = np.full(n_classes, np.nan), np.full(n_classes, np.nan)
        for code in range(n_classes):
            usable = np.isfinite(scores[:, code]) & (given >= 0)
            positive = given[usable] == code
            if positive.any() and not positive.all():
                used = None if weight is None else weight[usable]
                slope[code], offset[code] = fit_sigmoid(scores[usable, code], positive, used)
        return cls(slope, offset)

    def probabilities(self, scores: FloatArray) -> FloatArray:
        """Turn (n, K) decision values into (n, K) probabilities that sum to one."""
        exponent = scores * self.slope + self.offset
        np.clip(exponent, -500.0, 500.0, out=exponent)
        belief = 1.0 / (1.0 + np.exp(-exponent))
        np.nan_to_num(belief, copy=False, nan=0.0)
        total = belief.sum(axis=1, keepdims=True)
        nothing = total[:, 0] <= 0.0
        if nothing.any():
            belief[nothing] = 1.0
            total[nothing] = belief.shape[1]
        return np.asarray(belief / total)


def fit_sigmoid(
    score: FloatArray, positive: npt.NDArray[np.bool_], weight: FloatArray | None = None
) -> tuple[float, float]:
    """Return slope and offset of the sigmoid that fits best, by Newton steps with halving (the loss is
    convex).
    """
    share = np.ones(len(score)) if weight is None else weight
    n_positive, n_negative = float(share[positive].sum()), float(share[~positive].sum())
    target = np.where(positive, (n_positive + 1.0) / (n_positive + 2.0), 1.0 / (n_negative + 2.0))
    spread = float(np.abs(score).max()) or 1.0
    scaled = score / spread
    slope, offset = 0.0, float(np.log((n_positive + 1.0) / (n_negative + 1.0)))
    current = _sigmoid_loss(slope, offset, scaled, target, share)
    for _ in range(MOST_STEPS):
        belief = 1.0 / (1.0 + np.exp(-(slope * scaled + offset)))
        error = share * (belief - target)
        curve = share * belief * (1.0 - belief)
        pull = np.array([error @ scaled, error.sum()])
        cross = curve @ scaled
        bend = np.array([[curve @ (scaled * scaled) + 1e-12, cross], [cross, curve.sum() + 1e-12]])
        step = np.linalg.solve(bend, pull)
        if float(np.abs(pull).max()) < 1e-9 * max(1.0, n_positive + n_negative):
            break
        length = 1.0
        while length > 1e-8:
            trial = slope - length * step[0], offset - length * step[1]
            loss = _sigmoid_loss(*trial, scaled, target, share)
            if loss <= current:
                break
            length /= 2.0
        else:
            break
        slope, offset, current = float(trial[0]), float(trial[1]), loss
    return slope / spread, offset


def _sigmoid_loss(slope: float, offset: float, score: FloatArray, target: FloatArray, share: FloatArray) -> float:
    exponent = slope * score + offset
    # ln(1 + e^z) - t z, written so that it never overflows.
    return float(share @ (np.logaddexp(0.0, exponent) - target * exponent))
