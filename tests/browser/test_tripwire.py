"""What people and staff wrote is shown as text: markup in titles, contents, projects and names runs nowhere.

Each piece of the corpus would, if it ran, load an address that only it names or set a mark in the page. The corpus is
of the usual forms (OWASP, XSS filter evasion), written for this test.
"""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page

from assent.domain.conversation import Conversation, Part
from assent.interfaces.cli.init import make_home
from assent.interfaces.web.addresses import MODULES
from assent.store.records import Account, Flag
from assent.wiring import Wiring
from tests.browser.sites import LiveSite, serving

EVE = "eve-7"
TRIP = "//tripwire.invalid/hit"
CORPUS = (
    "<script>window.tripped=1</script>",
    f"<script src={TRIP}></script>",
    f"<img src={TRIP} onerror=window.tripped=1>",
    '"><svg onload=window.tripped=1>',
    "'><iframe srcdoc='<script>parent.tripped=1</script>'>",
    "</title></textarea></style></script><script>window.tripped=1</script>",
    "javascript:window.tripped=1",
    "<a href=javascript:window.tripped=1>look</a>",
    f'<meta http-equiv=refresh content="0;url={TRIP}">',
    f"<base href={TRIP}>",
    f"<link rel=stylesheet href={TRIP}>",
    f"<style>*{{background:url({TRIP})}}</style>",
    f'" style="background:url({TRIP})" x="',
    f"<form action={TRIP}><button autofocus onfocus=window.tripped=1>",
    "<details open ontoggle=window.tripped=1>",
    "{{ 7*7 }}{% for x in ().__class__.__mro__ %}{{ x }}{% endfor %}",
    "${7*7} #{7*7} <%= 7*7 %>",
    "<!--><script>window.tripped=1//-->",
    "<math><mtext><table><mglyph><style><img src onerror=window.tripped=1>",
    "&lt;script&gt;window.tripped=1&lt;/script&gt;",
    "\u202e\u2066right to left\u2069 <b>bold</b>",
    "\ufeff<script\u00a0>window.tripped=1</script >",
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """A home in which everything that somebody can write is a piece of the corpus."""
    folder = tmp_path_factory.mktemp("hostile") / "home"
    wiring = Wiring(folder)
    now = Wiring().now()
    home = make_home(Wiring(), folder, ("anthropic/2025-10-08",), notices=("lantern/2025-10-08",))
    home.store.put_accounts([Account(EVE, "pro", age=30, region="DE", signed_in=True)])
    at = now - timedelta(hours=3)
    home.store.intake(
        [
            Conversation(
                f"test:{number}:{text}", "test", (Part("1", "t1", "user", "person", "text", text, at),), EVE, text,
                "coding", created_at=at, last_turn_at=at, project=text,
            )
            for number, text in enumerate(CORPUS)
        ],
        plan=None,
        recorded_at=at,
    )  # fmt: skip
    for number, text in enumerate(CORPUS[:6]):
        home.store.add_flag(Flag(f"flag {text}", f"test:{number}:{text}", at, text, text, text))
    home.store.close()
    with serving(wiring) as site:
        yield site
    wiring.store.close()


def watched(chromium: Browser) -> tuple[Page, list[str]]:
    """Open a page that tells of everything that should not be."""
    page = chromium.new_context().new_page()
    seen: list[str] = []
    page.on("request", lambda one: seen.append(one.url) if "127.0.0.1" not in one.url else None)
    page.on("dialog", lambda one: (seen.append(one.message), one.dismiss()))
    page.on("pageerror", lambda one: seen.append(str(one)))
    page.on("console", lambda one: seen.append(one.text) if "Content Security Policy" in one.text else None)
    return page, seen


def own_links(page: Page, site: LiveSite) -> set[str]:
    links = page.eval_on_selector_all("a[href]", "all => all.map(one => one.href)")
    return {one for one in links if one.startswith(site.address) and not re.search(r"lang=|/receipt|/file|\.svg", one)}


@pytest.mark.parametrize(("kind", "start"), [("person", "/me"), ("staff", "/console")])
def test_nothing_that_somebody_wrote_runs_on_any_page(
    hostile: LiveSite, chromium: Browser, kind: str, start: str
) -> None:
    page, seen = watched(chromium)
    if kind == "person":
        hostile.enter_as_person(page.context, EVE)
    else:
        for text in CORPUS[:4]:
            hostile.enter_as_staff(page.context, text, "officer")
    # every page that is there, and every page that one of them leads to
    paths = [one.path for pages in MODULES for one in pages if one.method == "GET" and "{" not in one.path]
    waiting = [hostile.address + path for path in paths if path.startswith((start, "/notice/ask", "/sign-in"))]
    done: set[str] = set()
    while waiting and len(done) < 90:
        address = waiting.pop(0)
        if address in done or "/sign-out" in address:
            continue
        done.add(address)
        answer = page.request.get(address, max_redirects=0)
        if "text/html" not in answer.headers.get("content-type", "") or answer.status >= 400:
            continue
        page.goto(address)
        assert page.evaluate("window.tripped") is None, address
        assert page.locator("iframe, base, meta[http-equiv], script:not([src])").count() == 0, address
        waiting += sorted(own_links(page, hostile) - done)
    assert len(done) > 8
    assert seen == []
    page.context.close()


def test_the_corpus_is_really_on_the_pages(hostile: LiveSite, chromium: Browser) -> None:
    page, _ = watched(chromium)
    hostile.enter_as_person(page.context, EVE)
    page.goto(f"{hostile.address}/me/chats")
    shown = page.inner_text("main")
    assert sum(text.split()[0] in shown for text in CORPUS) >= 15
    page.context.close()


def test_the_tripwire_trips(chromium: Browser) -> None:
    """The same page without our escaping and policy: every alarm that is listened for goes off."""
    page, seen = watched(chromium)
    bare = "<!doctype html>" + "".join(CORPUS[:5])
    page.route(
        "**/*", lambda one: one.abort() if TRIP in one.request.url else one.fulfill(body=bare, content_type="text/html")
    )
    page.goto("http://bare.invalid/")
    page.wait_for_timeout(200)
    assert page.evaluate("window.tripped") == 1
    assert any("tripwire.invalid" in one for one in seen)
    page.context.close()
