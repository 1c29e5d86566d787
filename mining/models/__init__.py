"""Rows of what was decided: rounds, their stages, hard sets, what was asked again, and when rounds start."""

from .hard_set import HardSet, HardSetMember, SecondLook
from .round import Round, RoundStage
from .schedule import RoundSchedule

__all__ = ["HardSet", "HardSetMember", "Round", "RoundSchedule", "RoundStage", "SecondLook"]
