"""A chat product of somebody else's: its own origin, a content security policy without a gap, and the notice in it."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey
from playwright.sync_api import BrowserContext

from assent.domain.conversation import Conversation, Part
from assent.interfaces.api.world import World
from assent.interfaces.cli.init import make_home
from assent.store.records import Account
from assent.wiring import Wiring
from assent.wiring.running import Running
from tests.browser.sites import LiveSite, serving
from tests.unit.interfaces.homes import Home

ISSUER = "https://chat.example"
ASKED_FROM = datetime(2025, 11, 1, 9, tzinfo=UTC)
START = datetime(2025, 11, 20, 9, tzinfo=UTC)
DAY = timedelta(days=1)
SAID = "Hi, I am Mia Larsson. Please write to mia.larsson@posteo.net or call +49 171 2345678 about the flat in Bonn."

CAMPAIGN = """\
assent = 1

[campaign]
id = "autumn"
title = "Training, asked in the autumn"
notice = "lantern-training/1"
policy = "anthropic/2025-10-08"
purposes = ["training"]
start = 2025-11-01T09:00:00Z
deadline = 2025-12-01T00:00:00Z
no_answer = "block"
escape = ["export", "read only"]
reminders = ["P7D"]

[audience]
plans = ["consumer"]
ages = { from = 18 }

[defers]
max = 3
cool_down = "P2D"

[layouts]
stacked = 1

[alarm]
threshold = 10
answers = 100
"""


class Turned(Running):
    """A home whose clock runs on, and can be turned forward while it is served."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead

    def world(self) -> World:
        """A minute of the limits on coming in is a second here: all of these people come from one address."""
        return replace(super().world(), ticks=lambda: time.monotonic() * 60)


class Product:
    """What every page of the product says to browsers, and how it names a person to assent."""

    def __init__(self, key: ECKey) -> None:
        self._key = key
        self._numbers = count()
        self.site: LiveSite

    def token(self, subject: str, locale: str = "") -> str:
        """Sign who is at the door, for one use."""
        now = self.site.wiring.now()
        claims = {"iss": ISSUER, "aud": self.site.wiring.settings.origin, "sub": subject, "iat": int(now.timestamp()),
                  "exp": int(now.timestamp()) + 300, "jti": f"visit-{next(self._numbers):06}"}  # fmt: skip
        header = {"alg": "ES256", "kid": "product"}
        return jwt.encode(header, claims | ({"locale": locale} if locale else {}), self._key, algorithms=["ES256"])

    def policy(self) -> str:
        """Nothing inline, no style, nothing from elsewhere but assent's module and its answers."""
        assent = self.site.address
        return (
            f"default-src 'none'; script-src {assent}; connect-src {assent}; base-uri 'none'; form-action 'none'; "
            "require-trusted-types-for 'script'; trusted-types 'none'"
        )

    def page(self, asked: dict[str, str]) -> str:
        """Write a page of the product; what its address asks for become attributes of the element."""
        about = dict(asked)
        theme, inside = about.pop("theme", ""), about.pop("lang", "en")
        given = {"server": self.site.address, "token": self.token(about.pop("subject", "ann"), inside), **about}
        if theme:
            given["theme"] = theme
        named = " ".join(f'{name}="{value}"' for name, value in given.items())
        return (
            f'<!doctype html><html lang="{inside}"><head><meta charset="utf-8"><title>Chat</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<meta name="color-scheme" content="light dark">'
            f'<script type="module" src="{self.site.address}/static/assent-notice.js" crossorigin></script></head>'
            f"<body><main><h1>Chat</h1><p>Hello.</p><assent-notice {named}></assent-notice>"
            '<label>Message <input id="message"></label></main></body></html>'
        )


@dataclass
class Street:
    """The product, and assent behind it."""

    product: Product
    site: LiveSite
    address: str
    wiring: Turned

    def url(self, subject: str = "ann", **about: str) -> str:
        return f"{self.address}/?" + "&".join(f"{k}={v}" for k, v in {"subject": subject, **about}.items())

    def person(self, subject: str, *, chats: int = 3, days_ago: float = 2) -> str:
        """Let somebody be a customer with some chats of some days ago."""
        now = self.wiring.now()
        self.wiring.store.put_accounts(
            [Account(subject, plan="pro", region="DE", age=33, signed_in=True, opened_at=now - 90 * DAY)]
        )
        talks = [talk(f"{subject}-{number}", subject, now - days_ago * DAY - number * DAY) for number in range(chats)]
        self.wiring.store.intake(talks, plan=None, recorded_at=now - days_ago * DAY)
        return subject

    def acts(self, subject: str) -> list[str]:
        return [one.act for one in self.wiring.store.choices(subject)]

    def shown(self, subject: str) -> list[str]:
        return [one.kind for one in self.wiring.store.prompts_of("autumn", subject)]


def talk(name: str, subject: str, at: datetime) -> Conversation:
    """A question that a person typed, and an answer."""
    said = [("q", SAID, "user", "person"), ("a", "I will write the letter.", "assistant", "model")]
    parts = tuple(
        Part(id=key, text=text, created_at=at, speaker=speaker, origin=origin, data="text", turn=key)
        for key, text, speaker, origin in said
    )
    return Conversation(f"test:{name}", "test", parts, subject, title=name, created_at=at, last_turn_at=at)


@contextmanager
def street(folder: Path) -> Iterator[Street]:
    """Serve a home with a campaign that asks, and a product on another port that embeds the notice."""
    key = ECKey.generate_key("P-256")
    product = Product(key)
    with _hosting(product) as address:
        home = folder / "home"
        named = ("anthropic/2025-10-08",)
        make_home(Wiring(clock=ASKED_FROM - DAY), home, named, notices=("lantern/2025-10-08",)).store.close()
        with (home / "assent.toml").open("a", encoding="utf-8") as file:
            file.write(f"\nhost_issuer = {json.dumps(ISSUER)}\nembed_origins = [{json.dumps(address)}]\n")
        keys = home / "keys" / "host"
        keys.mkdir(parents=True, exist_ok=True)
        (keys / "product.pem").write_bytes(key.as_pem(private=False))
        _campaign(home)
        wiring = Turned(home, START)
        with serving(wiring) as site:
            product.site = site
            yield Street(product, site, address, wiring)
        wiring.store.close()


def _campaign(home: Path) -> None:
    file = home.parent / "autumn.toml"
    file.write_text(CAMPAIGN, "utf-8")
    by = ("--by", "privacy office")
    for step, *more in (("new", file), ("lint", "autumn"), ("schedule", "autumn"), ("start", "autumn")):
        said = Home(home, ASKED_FROM)("campaign", step, *more, *by)
        assert said.status == 0, said.err


@contextmanager
def _hosting(product: Product) -> Iterator[str]:
    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}
            body = product.page(asked).encode() if urlsplit(self.path).path == "/" else b""
            self.send_response(200 if body else 204)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", product.policy())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the test says what went wrong."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def listened(context: BrowserContext) -> tuple[Any, list[str]]:
    """Open a page and note every complaint of the browser and every event of the element."""
    page, heard = context.new_page(), []
    page.on(
        "console", lambda one: heard.append(f"{one.type}: {one.text}") if one.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda problem: heard.append(f"thrown: {problem}"))
    page.add_init_script(
        "window.told = []; for (const name of ['assent-choice', 'assent-closed', 'assent-failed'])"
        " addEventListener(name, (event) => window.told.push([name, event.detail]))"
    )
    return page, heard
