"""Which attributes of the data explain hardness: each one's own effect, and its effect beside all others."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mining.comparison.intervals import Estimate, unknown
from mining.comparison.partial import partial_spearman
from mining.comparison.rank_correlation import spearman


@dataclass(frozen=True)
class Explanation:
    attribute: str
    alone: Estimate
    """Spearman's rho of the attribute with hardness."""
    beside_others: Estimate
    """The same after taking out all other attributes."""


def explain_hardness(
    hardness: npt.ArrayLike,
    attributes: Mapping[str, npt.ArrayLike],
    *,
    n_resamples: int = 500,
    seed: int = 0,
) -> list[Explanation]:
    """Relate a (n,) hardness score to (n,) attributes, the strongest first. An attribute that is constant says so."""
    columns = {name: np.asarray(values, dtype=np.float64) for name, values in attributes.items()}
    varied = {name for name, values in columns.items() if _varies(values)}
    found = []
    for name, values in columns.items():
        alone = spearman(hardness, values, n_resamples=n_resamples, seed=seed)
        others = [column for other, column in columns.items() if other != name and other in varied]
        beside = (
            partial_spearman(hardness, values, numbers=others, n_resamples=n_resamples, seed=seed)
            if name in varied
            else unknown(alone.n, "the attribute is the same for all items")
        )
        found.append(Explanation(name, alone, beside))
    return sorted(found, key=lambda each: -abs(each.alone.value if each.alone.value is not None else 0.0))


def _varies(values: npt.NDArray[np.float64]) -> bool:
    known = values[~np.isnan(values)]
    return len(known) > 0 and bool(known.min() < known.max())
