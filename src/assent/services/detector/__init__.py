"""Detectors of a home: what they learn from, whether a new one may replace the one that decides, and what it does."""

from typing import Final

SAFETY: Final = "safety"
"""The purpose for which conversations are scored, flags are looked at, and detectors learn."""
