"""What workers load before they need it: the arithmetic of a round, two to three seconds for each process otherwise.

Most is loaded once, before the worker forks, so that its processes share the memory. Nothing that starts threads may be
among that (polars does): a fork takes no threads along. The rest each process loads when it begins, so that the second
worker of a round does not load while the first one works.
"""

from __future__ import annotations

from importlib import import_module

from mining.stages import STAGES

ARITHMETIC = (
    "numba",
    "PIL.ImageOps",
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


def load_stages() -> None:
    """Load polars and the stages; not the report, whose charts take as long to load as all others together."""
    for name in STAGES:
        if name != "report":
            import_module(f"mining.stages.{name}")
