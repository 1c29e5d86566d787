"""Reasons in words."""

from __future__ import annotations

from django import template

from annotations.services.answers import SKIP_REASONS
from annotations.services.written_trials import MISSED, NOT_RECORDED
from annotations.timing.reasons import Reason

register = template.Library()

NOT_DRAWN = "not_drawn"
IMPORTED_REASONS = {
    MISSED: "No answer came in time.",
    NOT_DRAWN: "The image was seen, and no box drawn around this object.",
    NOT_RECORDED: "The file it was imported from holds none.",
}


@register.filter
def null_words(reason: str) -> str:
    """Return why a trial has no response time, as a sentence."""
    if not reason or reason in IMPORTED_REASONS:
        return IMPORTED_REASONS.get(reason, "")
    try:
        return Reason(reason).sentence
    except ValueError:  # of a version of the rules to come
        return reason.replace("_", " ").capitalize() + "."


@register.filter
def sure(confidence: float) -> str:
    """Return how sure a consensus is, in whole per cent, rounded down: a few labels are never 100 % sure."""
    return f"{min(int(100 * confidence), 99)}\u00a0%"


@register.filter
def skip_words(reason: str) -> str:
    """Return why an item was skipped."""
    return SKIP_REASONS.get(reason, reason.replace("_", " ")).lower()
