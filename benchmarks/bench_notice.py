"""The notice element in a real browser: how long after a page's load the question is painted, on a first visit.

Browser, product and assent share this machine. The page's own time is the browser's: from the end of its load event to
the first frame in which the dialog stands.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright
from tests.browser.product import Street, street

from assent.interfaces.browser.chromium import ARGUMENTS, find_chromium
from benchmarks.board.rounds import Times, setting
from benchmarks.board.values import Aim, Figure, Headline, Result, Words

VISITS: Final = setting("VISITS", 40, small=2)
WARM: Final = 3
OURS, PEER = "assent-notice", "a dialog in the page"
PAINTED: Final = """
window.painted = new Promise((done) => {
  const look = () => {
    const host = document.querySelector("assent-notice");
    const box = host?.shadowRoot?.querySelector("dialog[open]") ?? document.querySelector("body > dialog[open]");
    const [loaded] = performance.getEntriesByType("navigation");
    if (box && loaded?.loadEventEnd) requestAnimationFrame(() => done(performance.now() - loaded.loadEventEnd));
    else requestAnimationFrame(look);
  };
  look();
});
"""
DIALOG: Final = """
addEventListener("load", async () => {
  await fetch(location.origin + "/question", { cache: "no-store" });
  const box = document.body.appendChild(document.createElement("dialog"));
  box.append("May we use your conversations?");
  box.showModal();
});
"""


def visit(browser: Browser, url: str, script: str = "") -> float:
    """Open a page as somebody new; return the seconds from its load to the first frame with a dialog."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, bypass_csp=bool(script))
    page = context.new_page()
    page.add_init_script(PAINTED + script)
    page.goto(url)
    took = float(page.evaluate("() => window.painted")) / 1e3
    context.close()
    return took


def measure() -> Result:
    """Let new people come to the page, one after the other, and to a page that only opens a dialog."""
    times = Times()
    with tempfile.TemporaryDirectory() as made, street(Path(made)) as here, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        for number in range(WARM + VISITS):
            ours = visit(browser, here.url(here.person(f"visitor-{number}")))
            peer = visit(browser, _plain(here), DIALOG)
            if number >= WARM:
                times.add(OURS, ours)
                times.add(PEER, peer)
        browser.close()
    return Result(
        figures=(
            Figure(OURS, times.spread(OURS, 1e3), "ms", Aim("at most", 100)),
            Figure(PEER, times.spread(PEER, 1e3), "ms"),
        ),
        ratios=(Figure("against a dialog that asks its own server for nothing", times.against(OURS, PEER)),),
    )


def _plain(here: Street) -> str:
    """Write the address of a page of the product that holds no element that could ask."""
    return f"{here.address}/?subject=nobody&server="


HEADLINE = Headline(
    Words(
        title="The notice element: first paint after the page's load",
        work=f"A page of another origin with a strict policy, {VISITS} people who were never there, nothing cached.",
        peer="a dialog that the page itself opens after one request to its own server",
        remarks=("Server and browser share the machine; a person's server is further away.",),
    ),
    measure,
    uses=("playwright",),
)
