"""Forecasts in the terminal: bars of characters. The picture is drawn by `interfaces.charts`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assent.services.forecast import Bucket, Forecast

WIDTH = 46
SHADES = "█▓▒░▞▚▪▫"


def bars(forecast: Forecast) -> str:
    """Draw one bar a step, stacked by rule, with a legend; what ends later, never, or is held stands below."""
    rules = forecast.rules
    longest = max((sum(bucket.parts.values()) for bucket in forecast.buckets), default=0)
    lines = [f"parts that end, by {forecast.step}:"]
    lines += [f"  {forecast.label(bucket):10} {_bar(bucket, rules, longest)}" for bucket in forecast.buckets]
    if rules:
        lines.append("  " + "   ".join(f"{SHADES[n % len(SHADES)]} {rule}" for n, rule in enumerate(rules)))
    lines.append(f"  later {forecast.later:,}   without an end {forecast.endless:,}   held {forecast.held:,}")
    return "\n".join(lines)


def _bar(bucket: Bucket, rules: list[str], longest: int) -> str:
    total = sum(bucket.parts.values())
    drawn = ""
    for number, rule in enumerate(rules):
        parts = bucket.parts.get(rule, 0)
        # whatever is there is seen, however small beside the longest bar
        drawn += SHADES[number % len(SHADES)] * (max(1, round(parts * WIDTH / longest)) if parts else 0)
    return f"{total:>9,} {drawn}".rstrip()
