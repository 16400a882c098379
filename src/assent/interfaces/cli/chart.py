"""Forecasts as pictures: bars for the terminal, and an SVG that stands alone."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from assent.services.forecast import Bucket, Forecast

WIDTH = 46
SHADES = "█▓▒░▞▚▪▫"
LEGEND_COLUMNS = 5
LABELS = {"year": "%Y", "month": "%Y-%m"}
COLOURS = ("#3b6ea5", "#c2703d", "#5a8f5a", "#8a5a9e", "#b0a030", "#4f9aa0", "#a04f66", "#777777")


def rules_of(forecast: Forecast) -> list[str]:
    """List the rules of a forecast, the one with most parts first."""
    totals: dict[str, int] = {}
    for bucket in forecast.buckets:
        for rule, parts in bucket.parts.items():
            totals[rule] = totals.get(rule, 0) + parts
    return sorted(totals, key=lambda rule: (-totals[rule], rule))


def bars(forecast: Forecast) -> str:
    """Draw one bar a step, stacked by rule, with a legend; what ends later, never, or is held stands below."""
    rules = rules_of(forecast)
    longest = max((sum(bucket.parts.values()) for bucket in forecast.buckets), default=0)
    lines = [f"parts that end, by {forecast.step}:"]
    lines += [f"  {_label(bucket, forecast):10} {_bar(bucket, rules, longest)}" for bucket in forecast.buckets]
    if rules:
        lines.append("  " + "   ".join(f"{SHADES[n % len(SHADES)]} {rule}" for n, rule in enumerate(rules)))
    lines.append(f"  later {forecast.later:,}   without an end {forecast.endless:,}   held {forecast.held:,}")
    return "\n".join(lines)


def _label(bucket: Bucket, forecast: Forecast) -> str:
    return bucket.start.strftime(LABELS.get(forecast.step, "%Y-%m-%d"))


def _bar(bucket: Bucket, rules: list[str], longest: int) -> str:
    total = sum(bucket.parts.values())
    drawn = ""
    for number, rule in enumerate(rules):
        parts = bucket.parts.get(rule, 0)
        # whatever is there is seen, however small beside the longest bar
        drawn += SHADES[number % len(SHADES)] * (max(1, round(parts * WIDTH / longest)) if parts else 0)
    return f"{total:>9,} {drawn}".rstrip()


def svg(forecast: Forecast) -> str:
    """Draw the forecast as an SVG of stacked columns with axes, legend and a text for those who cannot see it."""
    rules = rules_of(forecast)
    longest = max((sum(b.parts.values()) for b in forecast.buckets), default=0) or 1
    wide, left, top, plot = 900, 70, 50, 280
    legend = top + plot + 40
    high = legend + 20 * -(-len(rules) // LEGEND_COLUMNS) + 30
    root = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {wide} {high}", role="img")
    title = f"Parts that end by {forecast.step}, from {forecast.at:%Y-%m-%d}"
    ET.SubElement(root, "title").text = title
    described = (f"{_label(b, forecast)}: {sum(b.parts.values())}" for b in forecast.buckets)
    ET.SubElement(root, "desc").text = "; ".join(described)
    _box(root, 0, 0, wide, high, "#ffffff")
    _text(root, left, 26, title, size=16)
    for share in (0, 0.5, 1):
        y = top + plot - share * plot
        ET.SubElement(root, "line", x1=str(left), x2=str(wide - 20), y1=f"{y:.1f}", y2=f"{y:.1f}", stroke="#dddddd")
        _text(root, left - 8, y + 4, f"{round(longest * share):,}", anchor="end")
    step = (wide - left - 20) / max(len(forecast.buckets), 1)
    labelled = max(1, len(forecast.buckets) // 12)
    for number, bucket in enumerate(forecast.buckets):
        x, y = left + number * step, float(top + plot)
        for rule in rules:
            tall = bucket.parts.get(rule, 0) * plot / longest
            y -= tall
            bar = _box(root, x + step * 0.1, y, step * 0.8, tall, COLOURS[rules.index(rule) % len(COLOURS)])
            ET.SubElement(bar, "title").text = f"{_label(bucket, forecast)} {rule}: {bucket.parts.get(rule, 0):,}"
        if number % labelled == 0:
            _text(root, x + step / 2, top + plot + 18, _label(bucket, forecast), anchor="middle", size=10)
    for number, rule in enumerate(rules):
        x, y = left + number % LEGEND_COLUMNS * 160, legend + number // LEGEND_COLUMNS * 20
        _box(root, x, y - 10, 12, 12, COLOURS[number % len(COLOURS)])
        _text(root, x + 18, y, rule)
    rest = f"later {forecast.later:,} · without an end {forecast.endless:,} · held {forecast.held:,}"
    _text(root, left, high - 12, rest)
    return ET.tostring(root, encoding="unicode")


def _box(root: ET.Element, x: float, y: float, width: float, height: float, fill: str) -> ET.Element:
    size = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{width:.1f}", "height": f"{height:.1f}"}
    return ET.SubElement(root, "rect", {**size, "fill": fill})


def _text(root: ET.Element, x: float, y: float, text: str, *, anchor: str = "start", size: int = 12) -> None:
    attributes = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, "font-size": str(size)}
    ET.SubElement(root, "text", {**attributes, "font-family": "sans-serif", "fill": "#333333"}).text = text
