"""Rows of what was decided: rounds, their stages and timetable, hard sets, what was asked again, who is told of it."""

from .feature_source import FeatureSource
from .hard_set import HardSet, HardSetMember, SecondLook
from .round import Round, RoundStage
from .schedule import RoundSchedule
from .webhook import Webhook, WebhookDelivery

__all__ = [
    "FeatureSource",
    "HardSet",
    "HardSetMember",
    "Round",
    "RoundSchedule",
    "RoundStage",
    "SecondLook",
    "Webhook",
    "WebhookDelivery",
]
