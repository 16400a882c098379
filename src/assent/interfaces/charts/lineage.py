"""Where a cut came from and where it went: boxes from left to right, with an arrow between them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple
from xml.etree import ElementTree as ET

from assent.interfaces.charts.drawing import standing_alone

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDE: Final = 210
_GAP: Final = 40
_LINE: Final = 18
_STYLE: Final = """
text{font:13px system-ui,sans-serif;fill:#1b1b1b} .head{font-weight:600} rect{fill:#fff;stroke:#5a5a5a}
.here{stroke:#0072b2;stroke-width:3} path{stroke:#5a5a5a;fill:none;stroke-width:1.5} .tip{fill:#5a5a5a}
@media (prefers-color-scheme:dark){text{fill:#e8e8e8} rect{fill:#16181c;stroke:#8a8a8a} .here{stroke:#56a8dd}
path{stroke:#8a8a8a} .tip{fill:#8a8a8a}}
"""


class Box(NamedTuple):
    """One thing of a lineage: what it is, and lines about it. `here` is what the page is about."""

    head: str
    lines: tuple[str, ...]
    here: bool = False


def svg(title: str, columns: Sequence[Sequence[Box]]) -> str:
    """Draw columns of boxes; every box of one column leads to every box of the next."""
    columns = [column for column in columns if column]
    tall = max(sum(_height(box) + 16 for box in column) for column in columns) + 16
    wide = len(columns) * (_WIDE + _GAP) - _GAP + 24
    root = ET.Element("{http://www.w3.org/2000/svg}svg", {"viewBox": f"0 0 {wide} {tall}"})
    ET.SubElement(root, _tag("style")).text = _STYLE
    places: list[list[tuple[float, float]]] = []
    for number, column in enumerate(columns):
        x = 12.0 + number * (_WIDE + _GAP)
        y = (tall - sum(_height(box) + 16 for box in column) + 16) / 2
        middles: list[tuple[float, float]] = []
        for box in column:
            _draw(root, box, x, y)
            middles.append((x, y + _height(box) / 2))
            y += _height(box) + 16
        places.append(middles)
    for before, after in pairwise(places):
        for start in before:
            for end in after:
                _arrow(root, (start[0] + _WIDE, start[1]), end)
    told = [f"{box.head}: {', '.join(box.lines)}" for column in columns for box in column]
    return standing_alone(root, title, told)


def _height(box: Box) -> int:
    return 24 + _LINE * len(box.lines)


def _draw(root: ET.Element, box: Box, x: float, y: float) -> None:
    look = {"x": f"{x}", "y": f"{y:.1f}", "width": f"{_WIDE}", "height": f"{_height(box)}", "rx": "4"}
    ET.SubElement(root, _tag("rect"), {**look, "class": "here"} if box.here else look)
    for number, line in enumerate((box.head, *box.lines)):
        at = {"x": f"{x + 10}", "y": f"{y + 17 + number * _LINE:.1f}"}
        text = ET.SubElement(root, _tag("text"), {**at, "class": "head"} if number == 0 else at)
        text.text = line if len(line) <= 30 else f"{line[:29]}…"


def _arrow(root: ET.Element, start: tuple[float, float], end: tuple[float, float]) -> None:
    middle = (start[0] + end[0]) / 2
    curve = f"M{start[0]} {start[1]:.1f}C{middle} {start[1]:.1f} {middle} {end[1]:.1f} {end[0] - 6} {end[1]:.1f}"
    ET.SubElement(root, _tag("path"), {"d": curve})
    tip = f"{end[0]},{end[1]:.1f} {end[0] - 8},{end[1] - 4:.1f} {end[0] - 8},{end[1] + 4:.1f}"
    ET.SubElement(root, _tag("polygon"), {"points": tip, "class": "tip"})


def _tag(name: str) -> str:
    return f"{{http://www.w3.org/2000/svg}}{name}"
