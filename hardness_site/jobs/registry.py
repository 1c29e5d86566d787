"""Which function does the work of which kind of job. Apps register theirs when they are ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass

Handler = Callable[..., dict[str, Any] | None]

_HANDLERS: dict[str, Handler] = {}


def job_handler(kind: str) -> Callable[[Handler], Handler]:
    """Register the decorated function `handler(run, **params) -> result` for jobs of `kind`.

    A handler may be started twice for one job (its worker died): it must be safe to run again.
    """

    def register(handler: Handler) -> Handler:
        if kind in _HANDLERS and _HANDLERS[kind] is not handler:
            raise ValueError(f"Two handlers for jobs of kind {kind!r}.")
        _HANDLERS[kind] = handler
        return handler

    return register


def handler_for(kind: str) -> Handler:
    """Return the handler of `kind`; KeyError names the kinds there are."""
    try:
        return _HANDLERS[kind]
    except KeyError:
        raise KeyError(f"No handler for jobs of kind {kind!r}; there are {sorted(_HANDLERS)}.") from None


__all__ = ["Handler", "handler_for", "job_handler"]
