"""Machines: what is hard, do the signals agree, what to do about it."""
