"""For `celery worker --include`: a worker of one process that loads before it is ready what one of several loads.

A site's worker loads the arithmetic of a round before it forks, but one process alone does so when it needs it. Workers
that are compared by their number must not differ in that.
"""

from __future__ import annotations

from typing import Any

from celery.signals import worker_process_init

from mining.preload import load_arithmetic, load_stages


@worker_process_init.connect
def load(**_: Any) -> None:
    load_arithmetic()
    load_stages()
