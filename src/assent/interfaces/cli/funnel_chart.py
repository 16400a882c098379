"""The funnel of a campaign as a picture that stands alone: a bar a step, and the shares of its arms with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from assent.services.campaign.funnel import Figures, Funnel

WIDE, LEFT, BAR, ROW = 900, 250, 560, 26
INK, FAINT, FILL, ALLOWED = "#333333", "#dddddd", "#3b6ea5", "#c2703d"


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


def svg(funnel: Funnel) -> str:
    """Draw the steps as bars, and under them the share of each arm that allowed, with its 95% interval."""
    steps = steps_of(funnel)
    arms = [
        (f"{arm} {one.arm or '-'}", one) for arm in ("layout", "client") for one in funnel.by[arm] if one.allow_share
    ]
    high = 120 + ROW * (len(steps) + len(arms))
    root = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDE} {high}", role="img")
    title = f"Campaign {funnel.campaign}: {funnel.purpose}, at {funnel.at:%Y-%m-%d}"
    ET.SubElement(root, "title").text = title
    ET.SubElement(root, "desc").text = "; ".join(f"{name.strip()}: {people}" for name, people in steps)
    ET.SubElement(root, "rect", width=str(WIDE), height=str(high), fill="#ffffff")
    _text(root, 20, 28, title, size=16)
    most = max((people for _, people in steps), default=0) or 1
    for number, (name, people) in enumerate(steps):
        y = 50 + number * ROW
        _text(root, LEFT - 8, y + 13, name.strip(), anchor="end")
        _box(root, LEFT, y, people * BAR / most, 16, FILL)
        _text(root, LEFT + people * BAR / most + 6, y + 13, f"{people:,}")
    top = 84 + len(steps) * ROW
    if arms:
        _text(root, 20, top, "share that allowed, with its 95% interval", size=13)
    for number, (name, one) in enumerate(arms):
        _share(root, top + 12 + number * ROW, name, one)
    return ET.tostring(root, encoding="unicode")


def _share(root: ET.Element, y: float, name: str, one: Figures) -> None:
    if one.allow_share is None:
        return
    value, low, high = one.allow_share
    _text(root, LEFT - 8, y + 13, name, anchor="end")
    _box(root, LEFT, y + 7, BAR, 2, FAINT)
    _box(root, LEFT + low * BAR, y + 6, (high - low) * BAR, 4, ALLOWED)
    _box(root, LEFT + value * BAR - 1.5, y + 2, 3, 12, INK)
    _text(root, LEFT + BAR + 8, y + 13, f"{value:.0%} of {one.answers:,}")


def _box(root: ET.Element, x: float, y: float, width: float, height: float, fill: str) -> None:
    size = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{max(0.0, width):.1f}", "height": f"{height:.1f}"}
    ET.SubElement(root, "rect", {**size, "fill": fill})


def _text(root: ET.Element, x: float, y: float, text: str, *, anchor: str = "start", size: int = 12) -> None:
    attributes = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, "font-size": str(size)}
    ET.SubElement(root, "text", {**attributes, "font-family": "sans-serif", "fill": INK}).text = text
