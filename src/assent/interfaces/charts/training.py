"""How loss falls while a model learns, as SVG: one line a skill."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pygal

from assent.interfaces.charts.drawing import drawn, look

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def learning(title: str, lines: Mapping[str, Sequence[tuple[float, float]]]) -> bytes:
    """Draw bits per byte on held-back conversations against steps of training."""
    most = max((loss for points in lines.values() for _, loss in points), default=1.0)
    shape = {"range": (0, most * 1.05), "dots_size": 2, "formatter": _said}
    chart = pygal.XY(**{**look(), **shape, "show_legend": True, "legend_at_bottom": True}, height=480)
    chart.x_title, chart.y_title = "steps", "bits per byte, held-back people"
    for name, points in lines.items():
        chart.add(name, list(points))
    told = [f"{name}: from {points[0][1]:.3g} to {points[-1][1]:.3g} bits per byte" for name, points in lines.items()]
    return drawn(chart, title, told).encode()


def _said(point: Sequence[float] | float) -> str:
    # a point of a line comes as a pair, a number of an axis alone
    return f"{point[1]:.3g}" if isinstance(point, (tuple, list)) else f"{point:.3g}"
