"""A detector's curves as SVG: recall, precision, reliability, one line a detector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pygal

from assent.interfaces.charts.drawing import drawn, look
from assent.learn.harm import figures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assent.learn.harm.figures import Floats
    from assent.learn.harm.report import Measured

_POINTS: Final = 120


def _chart(title: str, x: str, y: str, lines: Mapping[str, Sequence[tuple[float, float]]]) -> bytes:
    shape = {"show_dots": False, "range": (0, 1), "xrange": (0, 1), "formatter": "{:.2g}".format}
    chart = pygal.XY(**{**look(), **shape, "show_legend": True, "legend_at_bottom": True}, height=480)
    chart.x_title, chart.y_title = x, y
    for name, points in lines.items():
        chart.add(name, list(points))
    told = [f"{name}: {len(points)} points, from {points[0]} to {points[-1]}" for name, points in lines.items()]
    return drawn(chart, title, told).encode()


def _thin(x: Floats, y: Floats) -> list[tuple[float, float]]:
    keep = np.unique(np.linspace(0, len(x) - 1, min(len(x), _POINTS)).astype(int))
    return [(round(float(x[at]), 4), round(float(y[at]), 4)) for at in keep]


def roc(title: str, several: Sequence[Measured]) -> bytes:
    """Draw recall against the share of harmless texts flagged, one line a detector."""
    lines = {}
    for one in several:
        found = figures.curve(one.scores, one.harmful)
        lines[one.name] = _thin(np.append(0.0, found.false_flags), np.append(0.0, found.recall))
    return _chart(title, "harmless texts flagged", "harm found", lines)


def precision_recall(title: str, several: Sequence[Measured]) -> bytes:
    """Draw precision against recall, one line a detector."""
    lines = {}
    for one in several:
        found = figures.curve(one.scores, one.harmful)
        lines[one.name] = _thin(found.recall, found.precision)
    return _chart(title, "harm found", "precision", lines)


def reliability(title: str, several: Sequence[Measured], bins: int = 10) -> bytes:
    """Draw the share of harm in each tenth of the scores against its mean score; a straight line is right."""
    lines: dict[str, list[tuple[float, float]]] = {"right": [(0.0, 0.0), (1.0, 1.0)]}
    for one in several:
        at = np.minimum((one.scores * bins).astype(int), bins - 1)
        lines[one.name] = [
            (round(float(one.scores[at == place].mean()), 4), round(float(one.harmful[at == place].mean()), 4))
            for place in range(bins)
            if (at == place).any()
        ]
    return _chart(title, "mean score", "share of harm", lines)


def bias(title: str, found: Mapping[str, Mapping[str, float]]) -> bytes:
    """Draw how much higher each group of bias probes scores than its twins, with its interval; nought is fair."""
    low, high = (
        pick(told[bound] for told in found.values())
        for pick, bound in ((min, "difference_low"), (max, "difference_high"))
    )
    shape = {"formatter": "{:+.2f}".format, "range": (min(low, 0.0), max(high, 0.0)), "show_legend": False}
    chart = pygal.HorizontalBar(**{**look(), **shape}, height=640)
    # the first stands at the bottom
    upward = list(found.items())[::-1]
    chart.x_labels = [group.replace("_", " ") for group, _ in upward]
    limits = [{"low": told["difference_low"], "high": told["difference_high"]} for _, told in upward]
    values = [told["difference"] for _, told in upward]
    chart.add("higher by", [{"value": value, "ci": limit} for value, limit in zip(values, limits, strict=True)])
    interval = "{difference:+.3f}, 95 % {difference_low:+.3f} to {difference_high:+.3f}"
    return drawn(chart, title, [f"{group}: {interval.format(**told)}" for group, told in found.items()]).encode()


def by_version(title: str, flagged: Mapping[str, float]) -> bytes:
    """Draw the share of harmless texts that each version flags, one bar a version, in their order."""
    chart = pygal.Bar(**{**look(), "show_legend": False, "formatter": "{:.1%}".format}, height=360)
    chart.x_labels = list(flagged)
    chart.add("harmless texts flagged", [round(share, 4) for share in flagged.values()])
    return drawn(chart, title, [f"{version}: {share:.4f}" for version, share in flagged.items()]).encode()
