"""Detection error trade-off: misses against false positives per window, over all thresholds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class DetCurve:
    """Thresholds falling; at each, the share of negative windows above it and of positives below it."""

    threshold: FloatArray
    false_positive_rate: FloatArray
    miss_rate: FloatArray

    def miss_rate_at(self, false_positive_rate: float) -> float:
        """Return the lowest miss rate with at most this many false positives per window."""
        allowed = self.false_positive_rate <= false_positive_rate
        return float(self.miss_rate[allowed].min()) if allowed.any() else 1.0


def det_curve(positive: npt.ArrayLike, negative: npt.ArrayLike) -> DetCurve:
    """Trace the curve of scores of positive (p,) and negative (m,) windows; a window at the threshold counts as
    found.
    """
    found, false = np.sort(np.asarray(positive, dtype=np.float64)), np.sort(np.asarray(negative, dtype=np.float64))
    if len(found) == 0 or len(false) == 0:
        raise ValueError("a DET curve needs scores of positive and of negative windows")
    threshold = np.unique(np.concatenate([found, false]))[::-1]
    return DetCurve(
        threshold,
        1.0 - np.searchsorted(false, threshold, side="left") / len(false),
        np.searchsorted(found, threshold, side="left") / len(found),
    )
