"""What the correlation would be if both scores were measured without noise, and the most it can be with this noise."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mining.comparison.intervals import percentile_interval


@dataclass(frozen=True)
class Disattenuated:
    """A correlation corrected for attenuation. Above one it is shown as it is: clipping would hide the noise."""

    value: float | None
    low: float | None
    high: float | None
    ceiling: float | None
    """sqrt(reliability): the most that even a perfect second score could correlate with the first as measured."""
    reason: str = ""

    @property
    def exceeds_one(self) -> bool:
        return self.value is not None and abs(self.value) > 1.0


def disattenuate(
    rho: float | None,
    reliability_x: float | None,
    reliability_y: float = 1.0,
    *,
    draws: npt.ArrayLike | None = None,
    interval: tuple[float | None, float | None] = (None, None),
) -> Disattenuated:
    """Return rho / sqrt(rel_x rel_y) (Spearman 1904) with its interval.

    `draws` (m, 3) holds resampled (rho, rel_x, rel_y) for an interval that counts all three; without them `interval`,
    that of rho, is divided by the same root. A reliability that is unknown or not positive gives no value, with the
    reason.
    """
    if rho is None or not np.isfinite(rho):
        return Disattenuated(None, None, None, None, "the correlation is not known")
    for name, reliability in (("first", reliability_x), ("second", reliability_y)):
        if reliability is None or not np.isfinite(reliability):
            return Disattenuated(None, None, None, None, f"the reliability of the {name} score is not known")
        if reliability <= 0.0:
            return Disattenuated(
                None,
                None,
                None,
                None,
                f"the reliability of the {name} score is {reliability:.2f}: it measures nothing yet",
            )
    assert reliability_x is not None
    root = float(np.sqrt(reliability_x * reliability_y))
    low, high = (None if bound is None else bound / root for bound in interval)
    if draws is not None:
        table = np.asarray(draws, dtype=np.float64)
        usable = (table[:, 1] > 0.0) & (table[:, 2] > 0.0)
        low, high = percentile_interval(table[usable, 0] / np.sqrt(table[usable, 1] * table[usable, 2]))
    return Disattenuated(rho / root, low, high, root)
