"""False flags by round, as a picture."""

from __future__ import annotations

from collections.abc import Sequence

import pygal
from tests.simulation.detector_loop.world import Round

from assent.interfaces.charts.drawing import drawn, look


def false_flags_by_round(rounds: Sequence[Round]) -> bytes:
    """Draw the share of harmless texts flagged where nine in ten harmful ones are found, one bar a version."""
    chart = pygal.Bar(**{**look(), "show_legend": False}, height=360)
    chart.x_labels = [one.title for one in rounds]
    chart.add("harmless texts flagged", [round(one.false_flags, 4) for one in rounds])
    told = [f"{one.title}: {one.false_flags:.4f}" for one in rounds]
    return drawn(chart, "Harmless texts flagged at recall 0.9", told).encode()
