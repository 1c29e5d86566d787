"""A job that writes a line for each step into a file, slowly enough to be killed in the middle."""

from __future__ import annotations

import os
import time
from pathlib import Path

from django.apps import AppConfig


class SlowJobs(AppConfig):
    """Registers the job."""

    name = "tests.integration.slow_jobs"
    label = "slow_jobs"

    def ready(self) -> None:
        """Register the handler."""
        from hardness_site.jobs.registry import job_handler

        job_handler("test.slow")(write_steps)


def write_steps(run, *, path: str, steps: int, seconds: float) -> dict[str, int]:
    """Write one line a step, `process id, step`."""
    for step in range(steps):
        with Path(path).open("a") as file:
            file.write(f"{os.getpid()} {step}\n")
        run.progress(step + 1, steps, stage="writing")
        time.sleep(seconds)
    return {"steps": steps}
