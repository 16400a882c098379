"""The funnel of a campaign: a bar a step, and the shares of its arms that allowed, with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pygal

from assent.interfaces.charts.drawing import drawn, look, stacked

if TYPE_CHECKING:
    from assent.services.campaign.funnel import Figures, Funnel

_INTERVALS: Final = (
    # the line of an interval is seen on its bar and beside it
    "#chart-shares .rect { fill: #8fc5e8; } #chart-shares .ci { stroke: #1b1b1b; }"
    " @media (prefers-color-scheme: dark) {"
    " #chart-shares .rect { fill: #0072b2; } #chart-shares .ci { stroke: #ffffff; } }"
)


def steps_of(funnel: Funnel) -> list[tuple[str, int]]:
    """List the steps of a funnel with how many people each holds, from everybody to those who answered."""
    total = funnel.total
    return [
        ("in the audience", funnel.in_audience),
        ("shown", total.shown),
        ("put it off at least once", total.deferred),
        ("shown, nothing done", total.left_open),
        ("answered", total.answers),
        ("  allowed first", total.allowed),
        ("  declined first", total.declined),
        ("changed the answer later", total.changed),
    ]


def arms_of(funnel: Funnel) -> list[tuple[str, Figures]]:
    """List the layouts and kinds of device that somebody answered in."""
    return [
        (f"{arm} {one.arm or '-'}", one) for arm in ("layout", "client") for one in funnel.by[arm] if one.allow_share
    ]


def svg(funnel: Funnel) -> str:
    """Draw the steps as bars, and under them the share of each arm that allowed, with its 95% interval."""
    title = f"Campaign {funnel.campaign}: {funnel.purpose}, at {funnel.at:%Y-%m-%d}"
    told = [f"{name.strip()}: {people}" for name, people in steps_of(funnel)]
    pictures = [_steps(funnel, title, told)]
    if arms := arms_of(funnel):
        shares = [_share_of(name, one) for name, one in arms]
        pictures.append(_shares(arms, shares))
        told += shares
    return stacked(pictures, title, told)


def _steps(funnel: Funnel, title: str, told: list[str]) -> str:
    steps = steps_of(funnel)[::-1]
    most = max((people for _, people in steps), default=0)
    chart = pygal.HorizontalBar(
        **look("steps"),
        height=90 + 32 * len(steps),
        # the longest bar leaves room for its own number
        range=(0, most * 1.12 or 1),
        print_values=True,
        print_values_position="top",
    )
    chart.x_labels = [name.strip() for name, _ in steps]
    chart.add("people", [people for _, people in steps])
    return drawn(chart, title, told, "steps")


def _shares(arms: list[tuple[str, Figures]], told: list[str]) -> str:
    chart = pygal.HorizontalBar(
        **{**look("shares"), "formatter": "{:.0%}".format}, height=100 + 34 * len(arms), range=(0, 1)
    )
    chart.config.css.append(f"inline:{_INTERVALS}")
    chart.x_labels = [f"{name} ({one.answers:,})" for name, one in arms[::-1]]
    shares = [one.allow_share for _, one in arms[::-1] if one.allow_share is not None]
    chart.add("allowed", [{"value": found.value, "ci": {"low": found.low, "high": found.high}} for found in shares])
    return drawn(chart, "Share that allowed, with its 95% interval", told, "shares")


def _share_of(name: str, one: Figures) -> str:
    if one.allow_share is None:
        return f"{name}: nobody answered"
    value, low, high = one.allow_share
    return f"{name}: {value:.0%} of {one.answers:,}, interval {low:.0%} to {high:.0%}"
