"""The whole site on loopback: a made-up provider with sixty people, at the end of its story, served for real."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from playwright.sync_api import BrowserContext

from assent.interfaces.api.app import create_app
from assent.interfaces.web.addresses import create_site
from assent.interfaces.web.site import COOKIE
from assent.services.session.sessions import begin
from assent.store.records import StaffMember
from assent.wiring import Wiring

LAST = datetime(2025, 11, 30, 12, tzinfo=UTC)
"""The instant at which the story of the demo ends, and the site's clock starts."""

STARTED_WITHIN_S = 20


@dataclass
class LiveSite:
    """A served home: its address, and the ways in that tests take."""

    address: str
    wiring: Wiring

    def enter_as_person(self, browser: BrowserContext, subject: str, guardian: str = "") -> None:
        """Sign this browser in as a person."""
        self._enter(browser, "person", subject, guardian=guardian)

    def enter_as_staff(self, browser: BrowserContext, name: str, role: str) -> None:
        """Sign this browser in as a member of staff, who is made one if need be."""
        now = self.wiring.now()
        self.wiring.store.put_staff(StaffMember(name, role, now, "a test"))
        self._enter(browser, "staff", name, role=role)

    def token(self, kind: str, who: str, *, role: str = "", guardian: str = "") -> str:
        """Begin a session and return its token."""
        wiring = self.wiring
        token, _ = begin(
            wiring.store, kind=kind, who=who, role=role, guardian=guardian,
            key=wiring.new_key(), now=wiring.now(), lasts=timedelta(hours=1),
        )  # fmt: skip
        return token

    def _enter(self, browser: BrowserContext, kind: str, who: str, *, role: str = "", guardian: str = "") -> None:
        value = self.token(kind, who, role=role, guardian=guardian)
        # a `__Host-` cookie is put in place as by https; browsers send it to loopback over http too
        address = self.address.replace("http:", "https:")
        cookie = {"name": COOKIE, "value": value, "url": address, "secure": True, "httpOnly": True}
        browser.add_cookies([{**cookie, "sameSite": "Lax"}])


def copy_of(home: Path, folder: Path) -> Path:
    """Copy a home, for tests that change it."""
    return Path(shutil.copytree(home, folder / "home"))


@contextmanager
def serving(wiring: Wiring) -> Iterator[LiveSite]:
    """Serve a home on loopback, API and pages, in a thread of this process."""
    app = create_app(wiring.world(), None, create_site)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=5)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            _wait_until_started(server, thread)
            yield LiveSite(f"http://127.0.0.1:{listener.getsockname()[1]}", wiring)
        finally:
            server.should_exit = True
            thread.join()


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    until = time.monotonic() + STARTED_WITHIN_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until:
            raise RuntimeError("the site did not start")
        time.sleep(0.02)
