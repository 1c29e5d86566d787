"""One thread of arithmetic a process: several workers on one machine would only get into each other's way."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

_found: tuple[int, ThreadpoolController] | None = None


def one_thread() -> Any:
    """Return a context in which BLAS and OpenMP use one thread; afterwards it is as it was.

    Looking for their libraries takes 5 to 10 ms, which a piece of work of 50 ms would feel: they are looked for again
    only when modules have been loaded since.
    """
    from threadpoolctl import ThreadpoolController

    global _found
    if _found is None or _found[0] != len(sys.modules):
        _found = len(sys.modules), ThreadpoolController()
    return _found[1].limit(limits=1)
