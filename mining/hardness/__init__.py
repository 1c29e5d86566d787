"""Hardness of items: one file a family of measures. Pure: numpy and scipy, no Django."""
