"""How every chart looks, and how one becomes a text (docs/adr/0030-charts.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

from pygal.style import Style

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COLOURS: Final = ("#0072b2", "#d98200", "#009e73", "#b85c93", "#56a8dd", "#c24d00", "#a89d00", "#707070")
"""Told apart by colour-blind readers too, after M. Okabe and K. Ito (2008); each at least 3:1 on white and on black."""

_FONT: Final = "system-ui, sans-serif"
_INK: Final = "#1b1b1b"
_EXTRA: Final = (
    "ID .rect { stroke: #ffffff; stroke-width: 1; fill-opacity: 1; } ID .reactive { stroke-opacity: 1; }"
    " ID .axis .guide.line { stroke: #d0d0d0; } ID .axis text { fill: #1b1b1b; }"
    # a number stands behind the end of its bar
    " ID .horizontal .text-overlay text.value { text-anchor: start; }"
    " @media (prefers-color-scheme: dark) {"
    " ID { background-color: #16181c; }"
    " ID .graph > .background, ID .plot > .background { fill: #16181c; }"
    " ID text, ID .title, ID .axis text, ID .axis text.major, ID .legends .legend text,"
    " ID .text-overlay .series text { fill: #e8e8e8; }"
    " ID .axis .guide.line { stroke: #44484f; }"
    " ID .axis .line, ID .axis .major.line, ID .axis .major.guide.line { stroke: #8a8a8a; }"
    " ID .rect { stroke: #16181c; } ID .ci { stroke: #e8e8e8; } }"
)
_NS: Final = "{http://www.w3.org/2000/svg}"
_IDLE: Final = frozenset({"tooltip", "x centered", "y centered"})
"""What only a script would read."""


def look(name: str = "assent") -> dict[str, Any]:
    """Return what every chart is made with: no script, no address of anybody, one font, no moving parts.

    `name` tells charts in one picture apart.
    """
    style = Style(
        background="#ffffff",
        plot_background="#ffffff",
        foreground=_INK,
        foreground_strong=_INK,
        foreground_subtle="#8a8a8a",
        opacity="1",
        opacity_hover="1",
        transition="0s",
        colors=COLOURS,
        font_family=_FONT,
        title_font_size=17,
        label_font_size=13,
        major_label_font_size=13,
        legend_font_size=13,
        value_font_size=13,
        value_colors=(_INK,) * 12,
    )
    return {
        "js": [],
        "css": ["file://style.css", "file://graph.css", "inline:" + _EXTRA.replace("ID", f"#chart-{name}")],
        "style": style,
        "disable_xml_declaration": True,
        "show_legend": False,
        "width": 900,
        "margin": 12,
        "truncate_legend": -1,
        "truncate_label": -1,
        "formatter": lambda number: f"{number:,.0f}",
    }


def drawn(chart: Any, title: str, told: Iterable[str], name: str = "assent") -> str:
    """Render a chart with its title, and with what it shows in words for those who cannot see it."""
    # a name of its own for every chart would make equal pictures differ
    chart.title, chart.uuid = title, name
    root = ET.fromstring(chart.render())  # noqa: S314 - our own picture
    for parent in list(root.iter()):
        for child in list(parent):
            if child.get("class", "") in _IDLE or child.tag == f"{_NS}script":
                parent.remove(child)
    for old in root.findall(f"{_NS}title"):
        root.remove(old)
    return standing_alone(root, title, told)


def stacked(pictures: Sequence[str], title: str, told: Iterable[str]) -> str:
    """Put pictures under each other, as one."""
    parts = [ET.fromstring(picture) for picture in pictures]  # noqa: S314 - our own pictures
    sizes = [[int(number) for number in part.get("viewBox", "0 0 0 0").split()] for part in parts]
    wide, tall = max(size[2] for size in sizes), sum(size[3] for size in sizes)
    root, y = ET.Element(f"{_NS}svg", {"viewBox": f"0 0 {wide} {tall}"}), 0
    for part, size in zip(parts, sizes, strict=True):
        part.attrib.update({"y": f"{y}", "width": f"{size[2]}", "height": f"{size[3]}"})
        root.append(part)
        y += size[3]
    return standing_alone(root, title, told)


def standing_alone(root: ET.Element, title: str, told: Iterable[str]) -> str:
    """Give a picture its name and description, and write it down; the same picture gives the same text."""
    ET.register_namespace("", "http://www.w3.org/2000/svg")
    root.set("role", "img")
    for place, (name, text) in enumerate((("title", title), ("desc", "; ".join(told)))):
        said = ET.Element(f"{_NS}{name}")
        said.text = text
        root.insert(place, said)
    return ET.tostring(root, encoding="unicode")
