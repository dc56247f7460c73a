"""Figures as ratios, each with its reference measured in the same run; not tests: nothing here fails by time."""
