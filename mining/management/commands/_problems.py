"""How commands list what is wrong with a file."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from mining.prediction_checks import PredictionsRefused

SHOWN = 50


def refusal(reason: PredictionsRefused, stderr: Any, file: str) -> CommandError:
    """Write the first problems to `stderr`, and return the error to raise."""
    for problem in reason.problems[:SHOWN]:
        stderr.write(str(problem))
    if reason.n_problems > SHOWN:
        stderr.write(f"… and {reason.n_problems - SHOWN:,} more.")
    count = "1 problem" if reason.n_problems == 1 else f"{reason.n_problems:,} problems"
    return CommandError(f"Nothing was stored: {count} in {file}.")
