"""Rows of what people are asked and what they answered."""

from .item import Image, Item, ItemAlias
from .project import Annotator, LabelClass, Membership, Project
from .ranking import QueueRanking
from .token import ApiToken
from .trial import Annotation, EventBatch, Trial, WorkSession

__all__ = [
    "Annotation",
    "Annotator",
    "ApiToken",
    "EventBatch",
    "Image",
    "Item",
    "ItemAlias",
    "LabelClass",
    "Membership",
    "Project",
    "QueueRanking",
    "Trial",
    "WorkSession",
]
