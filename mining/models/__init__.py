"""Rows of what was decided: rounds, their stages, hard sets, and what was asked again."""

from .feature_source import FeatureSource
from .hard_set import HardSet, HardSetMember, SecondLook
from .round import Round, RoundStage

__all__ = ["FeatureSource", "HardSet", "HardSetMember", "Round", "RoundStage", "SecondLook"]
