"""Signals: what browsers and pages say by themselves. They are recorded, and can refuse; they never grant."""
