"""What is tried on a page in one window: looking, waiting, keys, closing, and the way to each answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from assent.domain.errors import NotFound
from assent.services.notice.audit.answers import roles_of, says
from assent.services.notice.audit.measured import WIDE, ZOOMED, Ring, Route, Trial, Visited

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from assent.services.notice.audit.answers import Roles
    from assent.services.notice.audit.measured import Control, Look, Viewport
    from assent.services.notice.audit.port import Browser, Page, Visit

PATIENCE_S: Final = 5.0
"""How long a question may take to appear, in seconds."""
LATER_S: Final = 1.0
"""When a page is looked at again: some move the focus only after a while (requirement R01)."""
COUNT_S: Final = 3.0
"""A line whose numbers change within this time, with nothing done, counts."""
WAIT_S: Final = 60.0
"""How long nothing is done before it is looked whether the page answered by itself."""
NOISE_S: Final = 1.0
"""Differences of time below this are the machine's, not the page's, in seconds."""
MOST_STEPS: Final = 4
MOST_TABS: Final = 80
MOST_CLOSERS: Final = 2

_POLL_S: Final = 0.5
_NUMBER: Final = re.compile(r"\d+")


def visit_page(browser: Browser, page: Page, viewport: Viewport, picture: Path | None = None) -> Visited:
    """Measure a page in one window. Raises `NotFound` where no question is."""
    with browser.visit(page, viewport) as visit:
        first = _there(visit)
        opened = Trial("opening the page", visit.sent())
        if picture:
            visit.photograph(picture)
        visit.wait(LATER_S)
        later = visit.look()
        roles = roles_of(later)
        region = visit.region([control.index for control in (roles.allow, roles.refusing) if control])
        rings = tuple(_tabbed(visit, later, roles))
        visit.wait(COUNT_S)
        counting = _counting(region.text, visit.look().text)
        zoomed = _zoomed(visit) if viewport == WIDE else None
        allow, decline = _routes(visit)
        trials = (opened, *_trials(visit, roles.closers))
        visit.again(calm=True)
        moving = _there(visit).moving
        visit.again(scripts=False)
        scriptless = visit.look()
    return Visited(
        viewport=viewport,
        first=first,
        later=later,
        region=region,
        counting=counting,
        allow=allow,
        decline=decline,
        trials=trials,
        rings=rings,
        moving=moving,
        scriptless=scriptless,
        zoomed=zoomed,
    )


def _there(visit: Visit) -> Look:
    """Look until a question is there; the clock of the page goes on meanwhile."""
    look = visit.look()
    for _ in range(int(PATIENCE_S / _POLL_S)):
        if roles_of(look).asks:
            return look
        visit.wait(_POLL_S)
        look = visit.look()
    embedded = "; it shows other pages within it: audit their addresses" if look.embedded else ""
    fix = f"name its buttons with --allow SELECTOR and --decline SELECTOR{embedded}"
    raise NotFound("no question is on this page", fix)


def _tabbed(visit: Visit, look: Look, roles: Roles) -> Iterator[Ring]:
    """Press Tab until both answers had the focus, or the page has been walked through."""
    wanted = {control.index: control for control in (roles.allow, roles.refusing) if control}
    for _ in range(min(MOST_TABS, 2 * len(look.controls) + 10)):
        index = visit.tab()
        if index in wanted:
            control = wanted.pop(index)
            yield Ring(control.index, visit.shows_focus(control))
        if not wanted:
            return


def _counting(before: str, after: str) -> tuple[str, ...]:
    """List the lines of which only the numbers have changed."""
    old = {_NUMBER.sub("#", line): line for line in before.splitlines() if _NUMBER.search(line)}
    new = set(after.splitlines())
    return tuple(
        line
        for shape, line in old.items()
        if line not in new and any(_NUMBER.sub("#", other) == shape for other in new)
    )


def _zoomed(visit: Visit) -> Look:
    visit.resize(ZOOMED)
    look = visit.look()
    visit.resize(WIDE)
    return look


def _trials(visit: Visit, closers: Sequence[Control]) -> Iterator[Trial]:
    """Do, one after the other, what must not allow; a page whose question is gone is opened again."""
    tried: list[tuple[str, Callable[[], None]]] = [
        ("pressing Enter", lambda: visit.key("Enter")),
        ("pressing Escape", lambda: visit.key("Escape")),
        ("scrolling", visit.scroll),
        ("clicking beside it", visit.click_outside),
        (f"waiting for {WAIT_S:g} s", lambda: visit.wait(WAIT_S)),
        ("leaving the page", visit.leave),
    ]
    fresh = False
    for done, act in tried:
        if not fresh:
            _anew(visit)
        begun = len(visit.sent())
        act()
        sent = visit.sent()[begun:]
        yield Trial(done, sent)
        fresh = not sent and act != visit.leave and roles_of(visit.look()).asks
    for closer in closers[:MOST_CLOSERS]:
        same = next((c for c in _anew(visit).controls if c.where == closer.where), None)
        begun = len(visit.sent())
        if same and visit.press(same.index):
            yield Trial(f"closing by `{closer.label}`", visit.sent()[begun:])


def _anew(visit: Visit) -> Look:
    visit.again()
    return _there(visit)


def _routes(visit: Visit) -> tuple[Route, Route]:
    """Go both ways; where the times differ much, go again and keep the faster: the machine may have been busy."""
    allow, decline = _route(visit, "allow"), _route(visit, "decline")
    if abs(allow.seconds - decline.seconds) > NOISE_S:
        allow = min(allow, _route(visit, "allow"), key=lambda route: route.seconds)
        decline = min(decline, _route(visit, "decline"), key=lambda route: route.seconds)
    return allow, decline


def _route(visit: Visit, act: Literal["allow", "decline"]) -> Route:
    """Go the shortest way that a person sees to one answer, and count the activations."""
    pressed: list[str] = []
    used: set[str] = set()
    look = _anew(visit)
    begun = len(visit.sent())
    while len(pressed) < MOST_STEPS:
        target = _next(roles_of(look), act, used)
        if target is None or not visit.press(target.index):
            break
        pressed.append(target.label or target.where)
        used.add(target.where)
        sent = visit.sent()[begun:]
        answered = any(says(one) == act or not (one.foreign or one.method == "KEEP") for one in sent)
        look = visit.look()
        if answered or not _asks(roles_of(look)):
            return Route(tuple(pressed), sent, visit.seconds(), recorded=True)
    return Route(tuple(pressed), visit.sent()[begun:], visit.seconds(), recorded=False)


def _asks(roles: Roles) -> bool:
    return roles.asks or bool(roles.switches or roles.savers)


def _next(roles: Roles, act: Literal["allow", "decline"], used: set[str]) -> Control | None:
    """Choose what to press next: the answer itself, else the switch, then what sends it, else what leads further."""
    direct = roles.allow if act == "allow" else roles.refusing
    if direct and direct.where not in used and not (act == "allow" and direct.has_state and direct.checked):
        return direct
    sends = [*roles.savers, *([roles.allow] if roles.allow and not roles.allow.has_state else [])]
    if direct and (direct.has_state or direct.where in used):
        return next((control for control in sends if control.where not in used), None)
    return next((control for control in roles.managers if control.where not in used), None)
