"""Playwright as the browser of an audit: pages are opened, tried and measured, and no answer leaves this machine.

Of the network only what a page needs to be drawn is loaded: requests of method GET. Everything
else, and every GET that carries an answer, is noted, answered here, and goes nowhere.
"""

from __future__ import annotations

import json
import mimetypes
import re
from contextlib import contextmanager, suppress
from functools import cache
from importlib.resources import files
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from playwright.sync_api import Error
from playwright.sync_api import TimeoutError as TookTooLong

from assent.domain.errors import Incomplete, NotFound
from assent.services.notice.audit.answers import says
from assent.services.notice.audit.measured import Look, Region, Sent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, JSHandle, Request, Route, WebSocketRoute

    from assent.services.notice.audit.measured import Control, Viewport
    from assent.services.notice.audit.port import Page

LOAD_MS: Final = 20_000
"""How long a page may take to load, in milliseconds."""
PRESS_MS: Final = 10_000
"""How long a control may keep a person waiting before it can be pressed, in milliseconds."""
SETTLE_MS: Final = 50
"""How long a page is given to send what an act made it send, in milliseconds."""
SETTLES: Final = 2
"""How many times that is granted while nothing is sent."""

FILES: Final = "https://page.invalid"
"""Where a file is opened: a name that resolves nowhere (RFC 2606), answered from the file's own folder."""

_NOWHERE: Final = "about:blank"
_READING: Final = ("GET", "HEAD", "OPTIONS")
_FORM_FIELD: Final = re.compile(r'name="([^"]*)"\r\n(?:[^\r\n]+\r\n)*\r\n(.*?)\r\n--', re.DOTALL)


class Chromium:
    """A launched browser as the port of an audit needs it."""

    def __init__(self, browser: Browser) -> None:
        """Use a browser that the caller starts and closes."""
        self._browser = browser

    @contextmanager
    def visit(self, page: Page, viewport: Viewport) -> Iterator[Opened]:
        """Open a page in a fresh profile. Raises `NotFound` for no such file and `Incomplete` for no such page."""
        file = page.file
        if file is not None and not file.is_file():
            raise NotFound(f"no page `{page.name}`", "give a file, or an address that begins with https://")
        context = self._browser.new_context(
            viewport={"width": viewport.width, "height": viewport.height},
            color_scheme="light",
            service_workers="block",
            accept_downloads=False,
        )
        opened = Opened(context, page)
        try:
            opened.again()
            yield opened
        finally:
            opened.go_away()
            context.unroute_all(behavior="ignoreErrors")
            context.close()


class Opened:
    """One open page."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        """Make a tab in this profile, with a clock that can be put forward."""
        self._page = page
        self._context = context
        self._instrument: JSHandle | None = None
        context.route("**/*", self._asked)
        context.route_web_socket("**/*", self._socket)
        context.add_init_script(_script("no_farewell.js"))
        self._tab = context.new_page()
        self._tab.on("framenavigated", self._moved)
        self._tab.clock.install()
        self._devtools = context.new_cdp_session(self._tab)
        self._scripts = self._opened = False
        self._sent: list[Sent] = []

    def again(self, *, calm: bool = False, scripts: bool = True) -> None:
        """Open the page anew, with nothing kept from before."""
        if self._opened:
            self._forget()
        self._context.clear_cookies()
        self._tab.emulate_media(reduced_motion="reduce" if calm else "no-preference")
        self._devtools.send("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        self._scripts = scripts
        self._open()

    def go_away(self) -> None:
        """Leave the page for nowhere, with the network cut."""
        with suppress(Error):
            self._context.set_offline(True)
            self._tab.goto(_NOWHERE)
            self._tab.wait_for_timeout(SETTLE_MS)
            self._context.set_offline(False)

    def _forget(self) -> None:
        """Go away, and remove what the page has kept."""
        here = urlsplit(self._tab.url)
        with suppress(Error):  # a page without an origin keeps nothing
            self._tab.evaluate("sessionStorage.clear()")
        self.go_away()
        kept = {"origin": f"{here.scheme}://{here.netloc}", "storageTypes": "all"}
        self._devtools.send("Storage.clearDataForOrigin", kept)

    def _open(self) -> None:
        self._sent = []
        self._opened = False
        file = self._page.file
        address = self._page.name if file is None else f"{FILES}/{file.name}"
        try:
            answer = self._tab.goto(address, wait_until="load", timeout=LOAD_MS)
        except TookTooLong:
            raise Incomplete("the page does not finish loading", "save it and audit the file") from None
        except Error as problem:
            reason = problem.message.splitlines()[0].partition(" at ")[0].removeprefix("Page.goto: ")
            raise Incomplete(f"the page could not be opened: {reason}", "save it and audit the file") from None
        if answer is not None and not answer.ok:
            raise Incomplete(f"the server answers {answer.status}", "open the address, then save it and audit the file")
        self._opened = True
        self._kept = self._keeps()
        self._since = perf_counter()

    # -- looking

    def look(self) -> Look:
        """Measure the page as it is now."""
        return Look.model_validate(self._measure("(page) => page.look()"))

    def region(self, indices: Sequence[int]) -> Region:
        """Read the part of the page that holds these controls."""
        return Region.model_validate(self._measure("(page, indices) => page.region(indices)", list(indices)))

    def resize(self, viewport: Viewport) -> None:
        """Give the window another size."""
        self._tab.set_viewport_size({"width": viewport.width, "height": viewport.height})

    def photograph(self, path: Path) -> None:
        """Write a picture of the window."""
        self._tab.screenshot(path=path)

    def seconds(self) -> float:
        """Say how long the page has been there."""
        return perf_counter() - self._since

    def sent(self) -> tuple[Sent, ...]:
        """List what the page has tried to send since it was opened, and what it keeps since then."""
        new = self._keeps() - self._kept
        kept = [Sent("KEEP", "", frozenset({pair})) for pair in sorted(new)]
        return (*self._sent, *kept)

    # -- acting

    def press(self, index: int) -> bool:
        """Activate a control as a person does, once it can be; False where that cannot be done."""
        element = self._instrumented().evaluate_handle("(page, index) => page.element(index)", index).as_element()
        if element is None:
            return False
        try:
            element.click(timeout=PRESS_MS, no_wait_after=True)
        except Error:
            return False
        self._settle()
        return True

    def key(self, name: str) -> None:
        """Press a key wherever the focus is."""
        self._tab.keyboard.press(name)
        self._settle()

    def tab(self) -> int | None:
        """Press Tab; return the control of the last look that has the focus then."""
        self._tab.keyboard.press("Tab")
        index: int | None = self._measure("(page) => page.focus()")
        return index

    def shows_focus(self, control: Control) -> bool:
        """Tell whether the control, which has the focus now, looks different from before, by style or by pixels."""
        if self._measure("(page, index) => page.ring(index)", control.index) != control.ring:
            return True
        focused = self._tab.screenshot(animations="disabled", caret="hide")
        self._measure("(page) => page.blur()")
        return self._tab.screenshot(animations="disabled", caret="hide") != focused

    def scroll(self) -> None:
        """Scroll to the end and back."""
        for way in (1, -1):
            self._tab.mouse.wheel(0, way * 100_000)
            self._settle()

    def click_outside(self) -> None:
        """Click where no control is."""
        if spot := self._measure("(page) => page.emptySpot()"):
            self._tab.mouse.click(*spot)
            self._settle()

    def leave(self) -> None:
        """Leave the page as people do who close it."""
        self._measure("(page) => page.leave()")
        self._settle()

    def wait(self, seconds: float) -> None:
        """Let time pass for the page: its clock is put forward."""
        if self._scripts:
            self._tab.clock.run_for(int(seconds * 1000))
        self._tab.wait_for_timeout(SETTLE_MS)

    def _settle(self) -> None:
        before = len(self._sent)
        for _ in range(SETTLES):
            self._tab.wait_for_timeout(SETTLE_MS)
            if len(self._sent) > before:
                return

    # -- measuring

    def _moved(self, frame: Any) -> None:
        if frame == self._tab.main_frame:
            self._instrument = None

    def _instrumented(self) -> JSHandle:
        if self._instrument is None:
            chosen = {"allow": self._page.allow, "decline": self._page.decline}
            self._instrument = self._tab.evaluate_handle(_script("measure.js"), chosen)
        return self._instrument

    def _measure(self, question: str, argument: Any = None) -> Any:
        for _ in range(SETTLES):
            with suppress(Error):
                return self._instrumented().evaluate(question, argument)
            # the page is on its way to another: measure that one
            self._instrument = None
            self._tab.wait_for_load_state()
        return self._instrumented().evaluate(question, argument)

    def _keeps(self) -> frozenset[tuple[str, str]]:
        with suppress(Error):  # between two pages nothing is kept
            return frozenset((name, value) for name, value in self._measure("(page) => page.kept()"))
        return frozenset()

    # -- the network

    def _asked(self, route: Route) -> None:
        """Let through what draws the page; note the rest and answer it here."""
        request = route.request
        if request.method not in _READING or self._answers(request):
            self._noted(request)
            self._thank(route)
        elif request.url.startswith(FILES):
            self._from_folder(route)
        else:
            route.continue_()

    def _answers(self, request: Request) -> bool:
        """Tell whether a GET after the page was there carries an answer or leaves the site."""
        if not self._opened or request.url == self._tab.url:
            return False
        if says(_read(request, self._tab.url)) is not None:
            return True
        away = urlsplit(request.url).netloc != urlsplit(self._tab.url).netloc
        return request.is_navigation_request() and (away or bool(urlsplit(request.url).query))

    def _noted(self, request: Request) -> None:
        told = _read(request, self._tab.url)
        if (request.method not in _READING or says(told) is not None) and told not in self._sent:
            self._sent.append(told)

    def _socket(self, socket: WebSocketRoute) -> None:
        """Let a page believe that it has a line; what it says on it is noted."""

        def heard(message: str | bytes) -> None:
            text = message if isinstance(message, str) else message.decode("utf-8", "replace")
            self._sent.append(Sent("SOCKET", socket.url, _pairs(text, "")))

        socket.on_message(heard)

    def _thank(self, route: Route) -> None:
        with suppress(Error):
            if route.request.is_navigation_request():
                route.fulfill(status=204)  # no content: the page stays where it is
            else:
                allowed = {"Access-Control-Allow-Origin": "*"}
                route.fulfill(status=200, content_type="application/json", body="{}", headers=allowed)

    def _from_folder(self, route: Route) -> None:
        file = self._page.file
        folder = file.resolve().parent if file else None
        wanted = folder and (folder / unquote(urlsplit(route.request.url).path).lstrip("/")).resolve()
        if folder is None or wanted is None or not wanted.is_file() or not wanted.is_relative_to(folder):
            route.fulfill(status=404, body="")
            return
        kind = mimetypes.guess_type(wanted.name)[0] or "text/html"
        route.fulfill(status=200, content_type=f"{kind}; charset=utf-8", body=wanted.read_bytes())


@cache
def _script(name: str) -> str:
    return (files("assent.interfaces.browser") / name).read_text("utf-8")


def _read(request: Request, here: str) -> Sent:
    """Read the names and values that a request carries, in its address and in its body."""
    parts = urlsplit(request.url)
    body = (request.post_data_buffer or b"").decode("utf-8", "replace")
    pairs = {*parse_qsl(parts.query), *_pairs(body, request.headers.get("content-type", ""))}
    address = f"{parts.scheme}://{parts.netloc}{parts.path}"
    return Sent(request.method, address, frozenset(pairs), foreign=parts.netloc != urlsplit(here).netloc)


def _pairs(body: str, kind: str) -> frozenset[tuple[str, str]]:
    if kind.startswith("multipart/"):
        return frozenset(_FORM_FIELD.findall(body))
    with suppress(json.JSONDecodeError):
        return frozenset(_flat("", json.loads(body)))
    return frozenset(parse_qsl(body)) or frozenset({("", body)} if body else ())


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """List the leaves of a JSON value with the names that they have."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(key, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _flat(name, inner)
    else:
        yield name, json.dumps(value) if isinstance(value, bool) else str(value)
