"""What workers load before they need it: the arithmetic of a round, two to three seconds for each process otherwise.

It is loaded once, before the worker forks, so that its processes share the memory. Nothing that starts threads may be
among it (polars does): a fork takes no threads along.
"""

from __future__ import annotations

from importlib import import_module

ARITHMETIC = (
    "scipy.optimize",
    "scipy.sparse.csgraph",
    "scipy.stats",
    "sklearn.linear_model",
    "sklearn.neighbors",
    "sklearn.preprocessing",
    "sklearn.svm",
    "cleanlab.filter",
)


def load_arithmetic() -> None:
    """Load what the stages of a round compute with."""
    for name in ARITHMETIC:
        import_module(name)
