"""Rows of what was decided: rounds, their stages, hard sets, what was asked again, and who is told of it."""

from .hard_set import HardSet, HardSetMember, SecondLook
from .round import Round, RoundStage
from .webhook import Webhook, WebhookDelivery

__all__ = ["HardSet", "HardSetMember", "Round", "RoundStage", "SecondLook", "Webhook", "WebhookDelivery"]
