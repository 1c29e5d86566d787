"""Strategies: rules that pick a hard set from measures, the noise gate before them and the experiment after. Pure."""
