"""The forecast as stacked columns: what is due when, by the rule that ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pygal

from assent.interfaces.charts.drawing import drawn, look

if TYPE_CHECKING:
    from assent.services.forecast import Forecast

_MOST_LABELS: Final = 12
_MOST_COLUMNS: Final = 6
_ROW: Final = 36
"""Names of rules beside each other below the picture, and pixels of a row of them."""


def svg(forecast: Forecast) -> str:
    """Draw the forecast as an SVG of stacked columns."""
    rules, buckets = forecast.rules, forecast.buckets
    labels = [forecast.label(bucket) for bucket in buckets]
    every = max(1, -(-len(labels) // _MOST_LABELS))
    # the library leaves room for whole rows of names only, so there is one row, or a row's worth more of margin
    columns = min(max(len(rules), 1), _MOST_COLUMNS)
    room = {"margin_bottom": _ROW} if len(rules) % columns else {}
    named = {"show_legend": True, "legend_at_bottom": True, "legend_at_bottom_columns": columns}
    chart = pygal.StackedBar(**{**look(), **named, **room}, height=420)
    chart.config.show_minor_x_labels = False
    chart.x_labels = labels
    chart.x_labels_major = labels[::every]
    for rule in rules:
        chart.add(rule, [bucket.parts.get(rule, 0) for bucket in buckets])
    if not rules:
        chart.add("nothing ends in this time", [0] * len(buckets))
    rest = f"later {forecast.later:,} · without an end {forecast.endless:,} · held {forecast.held:,}"
    told = [f"{label}: {sum(bucket.parts.values()):,}" for label, bucket in zip(labels, buckets, strict=True)]
    chart.x_title = rest
    return drawn(chart, f"Parts that end by {forecast.step}, from {forecast.at:%Y-%m-%d}", [*told, rest])
