"""Boxes of several annotators to consensus objects: pure geometry on arrays."""

from .matching import THRESHOLD, carry_over, iou, match_boxes, median_boxes

__all__ = ["THRESHOLD", "carry_over", "iou", "match_boxes", "median_boxes"]
