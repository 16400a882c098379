"""How the two answers look beside each other (R02), and whether everybody can reach and read them (R05, R14)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assent.services.notice.audit.answers import roles_of
from assent.services.notice.audit.colours import border_contrast, surface_contrast, text_contrast
from assent.services.notice.audit.finding import Findings
from assent.services.notice.audit.measured import ZOOMED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.services.notice.audit.answers import Roles
    from assent.services.notice.audit.finding import AuditFinding
    from assent.services.notice.audit.measured import Control, Look, Visited

SIZES: Final = (0.9, 1.11)
"""Allowed ratio of the areas of decline and allow (R02)."""
SURFACES: Final = (0.8, 1.25)
"""Allowed ratio of the contrasts of both surfaces with what surrounds them (R02)."""
TEXT_CONTRAST: Final = 4.5
"""Least contrast of a label with its ground (R02; WCAG 2.2, 1.4.3)."""
TARGET_PX: Final = 24.0
"""Least width and height of what is pressed, in CSS pixels (R14; WCAG 2.2, 2.5.8)."""

_ROUNDING: Final = 0.005
_SLACK_PX: Final = 1.0


def judge_looks(visited: Visited) -> Iterator[AuditFinding]:
    """Judge the looks of a page in one window."""
    told = Findings(visited.viewport)
    roles = roles_of(visited.later)
    allow, refusing = roles.allow, roles.refusing
    if allow and refusing:
        yield from _alike(told, allow, refusing)
        yield from _painted_alike(told, allow, refusing)
        yield from _order(told, allow, refusing, right_to_left=visited.later.right_to_left)
    for name, control in _answers(roles):
        yield from _readable(told, name, control)
        yield from _in_view(told, name, control)
        yield from _by_keyboard(told, name, control, visited)
    yield from _large_enough(told, roles)
    yield from _for_everybody(told, visited, roles)


def _answers(roles: Roles) -> list[tuple[str, Control]]:
    both = (("allow", roles.allow), ("decline", roles.refusing))
    return [(name, control) for name, control in both if control]


def _alike(told: Findings, allow: Control, decline: Control) -> Iterator[AuditFinding]:
    """R02: one kind, one size, one font, one row."""
    where = decline.where
    if allow.kind != decline.kind:
        measured = f"allow is a {allow.kind}, decline a {decline.kind}"
        yield told.error("R02", measured, "controls of one kind", where)
    if allow.picture != decline.picture:
        drawn, written = ("allow", "decline") if allow.picture else ("decline", "allow")
        yield told.error("R02", f"{drawn} is a picture, {written} is text", "labels of one kind", where)
    size = decline.box.area / allow.box.area
    if not _within(size, SIZES):
        measured = f"decline is {_ratio(size)} times as large as allow ({_size(decline)} and {_size(allow)})"
        yield told.error("R02", measured, f"{SIZES[0]:g} to {SIZES[1]:g}", where)
    if allow.font != decline.font and not (allow.picture or decline.picture):
        names = [name for name in ("family", "size", "weight", "style") if _font(allow, name) != _font(decline, name)]
        measured = "; ".join(
            f"font {name}: allow {_font(allow, name)}, decline {_font(decline, name)}" for name in names
        )
        yield told.error("R02", measured, "one font", where)
    apart = abs(_middle(allow) - _middle(decline))
    if apart > min(allow.box.height, decline.box.height) / 2:
        yield told.error("R02", f"allow and decline are {apart:.0f} px apart in height", "one row", where)


def _painted_alike(told: Findings, allow: Control, decline: Control) -> Iterator[AuditFinding]:
    """R02: no surface stands out more than the other; a border that does is a warning."""
    where = decline.where
    if allow.painted or decline.painted:
        measured = "an image or gradient lies behind an answer"
        yield told.unchecked("R02", measured, "surfaces that stand out equally: look at them", where)
        return
    here, there = surface_contrast(allow), surface_contrast(decline)
    if not _within(there / here, SURFACES):
        measured = f"the surface of decline stands out {there:.2f}, that of allow {here:.2f} ({_ratio(there / here)})"
        yield told.error("R02", measured, f"a ratio of {SURFACES[0]:g} to {SURFACES[1]:g}", where)
    edges = border_contrast(decline) / border_contrast(allow)
    if abs(allow.border - decline.border) > _SLACK_PX / 2 or not _within(edges, SURFACES):
        measured = f"borders differ: allow {_border(allow)}, decline {_border(decline)}"
        yield told.warning("R02", measured, "one border", where)


def _readable(told: Findings, name: str, control: Control) -> Iterator[AuditFinding]:
    """R02: the label can be read."""
    if control.picture or control.painted:
        behind = "the label is a picture" if control.picture else "an image or gradient lies behind the label"
        measured = f"{name}: {behind}, its contrast was not measured"
        yield told.unchecked("R02", measured, f"{TEXT_CONTRAST:g} at least: look at it", control.where)
    elif control.label and not control.has_state and (found := text_contrast(control)) < TEXT_CONTRAST - _ROUNDING:
        measured = f"the label of {name} has a contrast of {found:.2f}"
        yield told.error("R02", measured, f"{TEXT_CONTRAST:g} at least", control.where)


def _in_view(told: Findings, name: str, control: Control) -> Iterator[AuditFinding]:
    """R02: seen without scrolling, and not covered."""
    if not control.in_view:
        measured = f"{name} is out of view (its end is {control.box.y + control.box.height:.0f} px down)"
        yield told.error("R02", measured, f"in view at {told.viewport}", control.where)
    elif control.covered:
        yield told.error("R02", f"{name} is covered by something else", f"in view at {told.viewport}", control.where)


def _by_keyboard(told: Findings, name: str, control: Control, visited: Visited) -> Iterator[AuditFinding]:
    """R14: Tab reaches it, and it shows that it has the focus. Radio buttons are one stop, arrows move within."""
    ring = next((ring for ring in visited.rings if ring.index == control.index), None)
    if ring is None and control.kind != "radio":
        yield told.error("R14", f"Tab does not reach {name}", "both answers by keyboard alone", control.where)
    elif ring and not ring.visible:
        measured = f"{name} looks the same when it has the focus"
        yield told.error("R14", measured, "a visible focus", control.where)


def _order(told: Findings, allow: Control, decline: Control, *, right_to_left: bool) -> Iterator[AuditFinding]:
    """R05 and R14: what is read first is also seen first; an order of allow first may have been drawn by lot."""
    if abs(_middle(allow) - _middle(decline)) <= min(allow.box.height, decline.box.height) / 2:
        seen_first = (allow.box.x > decline.box.x) if right_to_left else (allow.box.x < decline.box.x)
    else:
        seen_first = allow.box.y < decline.box.y
    if seen_first is not (allow.index < decline.index):
        measured = "the answers are read aloud in another order than they are seen"
        yield told.warning("R14", measured, "one order", decline.where)
    if seen_first:
        measured = "allow comes first in this display"
        yield told.unchecked("R05", measured, "an order drawn for each display, or decline first", allow.where)


def _large_enough(told: Findings, roles: Roles) -> Iterator[AuditFinding]:
    for name, control in [*_answers(roles), *([("defer", roles.defer)] if roles.defer else [])]:
        if min(control.box.width, control.box.height) < TARGET_PX - _ROUNDING:
            measured = f"{name} is {_size(control)} px"
            yield told.error("R14", measured, f"{TARGET_PX:g} px each way at least", control.where)


def _for_everybody(told: Findings, visited: Visited, roles: Roles) -> Iterator[AuditFinding]:
    """R14: enlarged, with less motion, and without scripts."""
    here = {name for name, _ in _answers(roles)}
    if visited.zoomed:
        zoomed = visited.zoomed
        for name in sorted(here - _offered(zoomed)):
            yield told.error("R14", f"at 200 % zoom ({ZOOMED}) {name} is gone", "nothing is lost")
        if (beyond := zoomed.scroll_width - zoomed.width) > _SLACK_PX:
            measured = f"at 200 % zoom ({ZOOMED}) the page is {beyond:.0f} px too wide"
            yield told.error("R14", measured, "no scrolling in two directions")
    if visited.moving:
        measured = f"{visited.moving} animations run although less motion is asked for"
        yield told.error("R14", measured, "no animation with prefers-reduced-motion")
    without = _offered(visited.scriptless)
    if "allow" in without and "decline" in here - without:
        yield told.error("R04", "without scripts only allow is there", "decline wherever allow is")
    elif here - without:
        measured = "without scripts the question cannot be answered"
        yield told.warning("R14", measured, "both answers without scripts, or no question")


def _offered(look: Look) -> set[str]:
    return {name for name, _ in _answers(roles_of(look))}


def _within(ratio: float, allowed: tuple[float, float]) -> bool:
    return allowed[0] - _ROUNDING <= ratio <= allowed[1] + _ROUNDING


def _ratio(value: float) -> str:
    return f"{value:.3f}" if value < SIZES[0] / 9 else f"{value:.2f}"


def _size(control: Control) -> str:
    return f"{control.box.width:.0f}x{control.box.height:.0f}"


def _font(control: Control, name: str) -> str:
    value = getattr(control.font, name)
    return f"{value:g}" if isinstance(value, float) else f"`{value}`"


def _border(control: Control) -> str:
    return f"{control.border:g} px with a contrast of {border_contrast(control):.2f}" if control.border else "none"


def _middle(control: Control) -> float:
    return control.box.y + control.box.height / 2
