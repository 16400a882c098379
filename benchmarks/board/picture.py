"""One picture a headline: its ratios as bars with their range, and under them how the cost of an item grows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import pygal

from assent.interfaces.charts.drawing import drawn, look, stacked
from benchmarks.board.page import shown, spread
from benchmarks.board.values import Figure, Growth, Record

_BARS: Final = 24
"""The most bars of a picture; the page has them all."""
_INTERVALS: Final = (
    "#chart-bars .rect { fill: #8fc5e8; } #chart-bars .ci { stroke: #1b1b1b; }"
    " @media (prefers-color-scheme: dark) { #chart-bars .rect { fill: #0072b2; } #chart-bars .ci { stroke: #ffffff; } }"
)


def picture(record: Record) -> str:
    """Draw a record as SVG; the same record gives the same text."""
    result, title = record.result, record.words.title
    bars, name = list(result.ratios), "assent's cost over the peer's: below 1 it takes less"
    if not bars:
        unit = Counter(one.unit for one in result.figures).most_common(1)[0][0]
        bars, name = [one for one in result.figures if one.unit == unit], unit or "score"
    told = [f"{one.name}: {spread(one.spread)} {one.unit}".strip() for one in bars]
    pictures = [_bars(bars[:_BARS], f"{title}: {name}", told)]
    if result.growth:
        pictures.append(_lines(result.growth))
        told += [f"{one.name}: {shown(one.factor)} times at the largest size" for one in result.growth]
    return stacked(pictures, title, told)


def _bars(bars: Sequence[Figure], title: str, told: Sequence[str]) -> str:
    most = max(one.spread.high for one in bars)
    shape = {"formatter": shown, "height": 110 + 40 * len(bars), "range": (0, most or 1)}
    chart = pygal.HorizontalBar(**{**look("bars"), **shape})
    chart.config.css.append(f"inline:{_INTERVALS}")
    # beside its name, because behind its bar a number would lie on the interval
    chart.x_labels = [f"{_short(one.name)}: {shown(one.spread.median)}" for one in reversed(bars)]
    chart.add(
        "ratio",
        [
            {"value": one.spread.median, "ci": {"low": one.spread.low, "high": one.spread.high}}
            if one.spread.low < one.spread.high
            else one.spread.median
            for one in reversed(bars)
        ],
    )
    return drawn(chart, title, told, "bars")


def _lines(several: Sequence[Growth]) -> str:
    """Draw the cost of an item against that at the smallest size, so that lines of any unit share a picture."""
    most = max(found.median / one.points[0][1].median for one in several for _, found in one.points)
    shape = {"formatter": shown, "height": 380, "range": (0, most * 1.1), "dots_size": 3}
    named = {"show_legend": True, "legend_at_bottom": True, "legend_at_bottom_columns": 1}
    chart = pygal.Line(**{**look("growth"), **shape, **named})
    chart.x_labels = [_times(one, several[0]) for one in several[0].points]
    for one in several:
        ends = f"{one.name}, {shown(one.points[0][0])} to {shown(one.points[-1][0])} {one.sizes}"
        chart.add(ends, [found.median / one.points[0][1].median for _, found in one.points])
    told = [f"{one.name}: {shown(one.factor)} times" for one in several]
    return drawn(chart, "Cost of an item as the work grows; a flat line is what one hopes for", told, "growth")


def _times(point: tuple[float, object], growth: Growth) -> str:
    times = point[0] / growth.points[0][0]
    return "smallest" if times == 1 else f"× {shown(round(times))}"


def _short(name: str) -> str:
    return name if len(name) <= 44 else f"{name[:43]}…"
