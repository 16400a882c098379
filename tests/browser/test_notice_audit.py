"""The audit rejects each bad page for exactly its reason, in both windows, and passes every fair one.

A page with one defect is the fair page with one edit: what differs is the defect.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from playwright.sync_api import Browser

from assent.domain.errors import Incomplete, NotFound
from assent.interfaces.browser.chromium import find_chromium
from assent.interfaces.browser.drive import Chromium
from assent.policy.parse import parse_document
from assent.services.notice.audit.audit import Report, audit
from assent.services.notice.audit.measured import NARROW, VIEWPORTS, WIDE, Viewport
from assent.services.notice.audit.port import Page
from assent.services.notice.audit.visits import visit_page
from assent.services.notice.document import LAYOUTS
from assent.services.notice.parse import parse_manifest
from assent.services.notice.render import orders, render
from assent.services.notice.words import SHIPPED
from tests.browser.conftest import Serve
from tests.browser.defects import ALLOW, DECLINE, DEFECTS, END, KNOWN, NARROW_ONLY, WIDE_ONLY

FIXTURES = Path(__file__).parent / "fixtures"
ROOT = Path(__file__).resolve().parents[2]


def edited(edit: tuple[str, str], folder: Path) -> str:
    """Write the fair page with one edit, and return where."""
    fair = (FIXTURES / "fair.html").read_text("utf-8")
    assert edit[0] in fair
    (folder / "page.html").write_text(fair.replace(edit[0], edit[1], 1), "utf-8")
    return str(folder / "page.html")


def errors(report: Report, viewport: Viewport) -> list[tuple[str, str]]:
    found = [finding for finding in report.findings if finding.level == "error" and finding.viewport == viewport]
    return [(finding.requirement, finding.measured) for finding in found]


def tries() -> Iterator[object]:
    """Every defect in either window; all but what a page is known for, in one window in turn, in the deep run only."""
    for name in DEFECTS:
        for viewport in VIEWPORTS:
            always = name in KNOWN and viewport is VIEWPORTS[KNOWN.index(name) % len(VIEWPORTS)]
            marks = () if always else (pytest.mark.deep,)
            yield pytest.param(name, viewport, marks=marks, id=f"{name} in {viewport}")


@pytest.mark.parametrize(("name", "viewport"), list(tries()))
def test_a_page_with_one_defect_is_rejected_for_exactly_that(
    name: str, viewport: Viewport, chromium: Browser, tmp_path: Path
) -> None:
    edit, reasons = DEFECTS[name]
    found = errors(audit(Chromium(chromium), Page(edited(edit, tmp_path)), [viewport]), viewport)
    assert {requirement for requirement, _ in found} == set(reasons), found
    for requirement, words in reasons.items():
        for word in words:
            assert any(word in measured for number, measured in found if number == requirement), (word, found)


@pytest.mark.parametrize("name", [*NARROW_ONLY, *WIDE_ONLY])
def test_a_defect_of_one_window_is_found_in_that_window(name: str, chromium: Browser, tmp_path: Path) -> None:
    edit, requirement, word = (NARROW_ONLY | WIDE_ONLY)[name]
    report = audit(Chromium(chromium), Page(edited(edit, tmp_path)))
    bad, good = (NARROW, WIDE) if name in NARROW_ONLY else (WIDE, NARROW)
    assert {number for number, _ in errors(report, bad)} == {requirement}, errors(report, bad)
    assert any(word in measured for _, measured in errors(report, bad))
    assert not errors(report, good)


def test_the_notorious_layout_is_rejected_for_everything_that_was_said_about_it(chromium: Browser) -> None:
    report = audit(Chromium(chromium), Page(str(FIXTURES / "notorious.html")))
    for viewport in VIEWPORTS:
        found = errors(report, viewport)
        assert {number for number, _ in found} == {"R01", "R02", "R03", "R06", "R11", "R12", "R14"}, found
        for word in (
            "is set beforehand",
            "the focus is on `Accept`",
            "pressing Enter allows",
            "allow is a button, decline a switch",
            "times as large as allow",
            "font size",
            "the surface of decline stands out",
            "declining takes 2 activations",
            "`terms` and `accept`",
            "decline is 16x9 px",
        ):
            assert any(word in measured for _, measured in found), word


def test_a_pale_decline_is_rejected_for_its_paleness_alone(chromium: Browser) -> None:
    report = audit(Chromium(chromium), Page(str(FIXTURES / "pale.html")))
    for viewport in VIEWPORTS:
        found = errors(report, viewport)
        assert [number for number, _ in found] == ["R02", "R02"]
        assert any("the label of decline has a contrast of 2.81" in measured for _, measured in found)
        assert any("the surface of decline stands out 1.00, that of allow 6.39" in measured for _, measured in found)


def test_the_fair_page_has_no_finding(chromium: Browser) -> None:
    assert audit(Chromium(chromium), Page(str(FIXTURES / "fair.html"))).findings == ()


def rendering(locale: str, layout: str, order: int, folder: Path) -> Page:
    """Draw the notice of Lantern, and return the page."""
    manifest = parse_manifest((ROOT / "notices/lantern/2025-10-08.toml").read_text("utf-8"), "notice.toml")
    policy = parse_document((ROOT / f"policies/{manifest.policy}.toml").read_text("utf-8"), manifest.policy)
    options = orders(manifest, policy)[order]
    drawn = render(manifest, policy, purpose="training", surface="html", locale=locale, layout=layout, options=options)
    (folder / "notice.html").write_text(drawn.body, "utf-8")
    return Page(str(folder / "notice.html"))


TURNS = list(zip(("en", "de", "ar"), LAYOUTS, strict=True))
OTHERS = [(locale, layout) for locale in SHIPPED for layout in LAYOUTS if (locale, layout) not in TURNS]


def of_turn(pair: tuple[str, str]) -> object:
    return pair if pair in TURNS else pytest.param(*pair, marks=pytest.mark.deep)


@pytest.mark.parametrize(("locale", "layout"), [of_turn(pair) for pair in [*TURNS, *OTHERS]])
def test_every_rendering_of_ours_passes_without_a_finding(
    locale: str, layout: str, chromium: Browser, tmp_path: Path
) -> None:
    assert audit(Chromium(chromium), rendering(locale, layout, 0, tmp_path)).findings == ()


def test_an_order_of_allow_first_is_left_to_whoever_sees_more_displays(chromium: Browser, tmp_path: Path) -> None:
    report = audit(Chromium(chromium), rendering("en", "stacked", 1, tmp_path), [NARROW])
    assert [(found.requirement, found.level) for found in report.findings] == [("R05", "unchecked")]
    assert report.fair


def test_a_question_in_a_shadow_root_is_seen(chromium: Browser, tmp_path: Path) -> None:
    fair = (FIXTURES / "fair.html").read_text("utf-8")
    style, body = (
        fair.partition("<style>")[2].partition("</style>")[0],
        fair.partition("<main>")[2].partition("</main>")[0],
    )
    inside = f"<style>{style}</style>{body}".replace("</form>", "</form><p>No hurry.</p>")
    page = tmp_path / "page.html"
    page.write_text(
        f"<!doctype html><html lang=en><title>x</title><body><x-ask></x-ask><script>"
        f"const root = document.querySelector('x-ask').attachShadow({{mode: 'open'}}); root.innerHTML = `{inside}`;"
        f"</script></html>",
        "utf-8",
    )
    report = audit(Chromium(chromium), Page(str(page)), [NARROW])
    assert [(found.requirement, found.level) for found in report.findings] == [("R10", "error"), ("R14", "warning")]
    assert "`hurry`" in report.findings[0].measured  # a word of the page inside the shadow root
    assert "without scripts" in report.findings[1].measured


def test_selectors_name_the_answers_that_no_label_tells(chromium: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    fair = (FIXTURES / "fair.html").read_text("utf-8")
    page.write_text(
        fair.replace(DECLINE, '<button id="nah" name="x" value="n">Nah</button>').replace(
            ALLOW, '<button id="sure" name="x" value="s">Sure</button>'
        ),
        "utf-8",
    )
    with pytest.raises(NotFound, match="no question is on this page"):
        visit_page(Chromium(chromium), Page(str(page)), NARROW)
    report = audit(Chromium(chromium), Page(str(page), allow="#sure", decline="#nah"), [NARROW])
    assert report.findings == ()
    assert report.visited[0].allow.pressed == ("Sure",)


class _Counting(BaseHTTPRequestHandler):
    """Serves one page and remembers what reached it."""

    page = b""
    heard: ClassVar[list[tuple[str, str]]] = []

    def _hear(self) -> None:
        self.heard.append((self.command, self.path))
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(self.page)))
        self.end_headers()
        self.wfile.write(self.page)

    do_GET = do_POST = do_PUT = _hear  # noqa: N815 - names that the server looks for

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_no_answer_reaches_a_server(chromium: Browser) -> None:
    """Forms, fetches, beacons, pictures and GET forms are noted; the server hears of nothing but the page."""
    tricks = (
        "onkeydown = () => { fetch('/a', {method: 'POST', body: 'act=allow'}); new Image().src = '/b?consent=true' };"
        "onpagehide = () => navigator.sendBeacon('/c', 'act=allow');"
    )
    fair = (FIXTURES / "fair.html").read_text("utf-8").replace('method="post"', 'method="get"')
    _Counting.page = fair.replace(END, f"{END}<script>{tricks}</script>", 1).encode()
    _Counting.heard.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Counting)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        report = audit(Chromium(chromium), Page(f"http://127.0.0.1:{server.server_address[1]}/"), [NARROW])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert set(_Counting.heard) <= {("GET", "/"), ("GET", "/favicon.ico")}
    said = [measured for _, measured in errors(report, NARROW)]
    assert "pressing Enter allows" in said
    assert "leaving the page allows" in said
    assert report.visited[0].allow.sent[0].pairs == {("act", "allow")}  # the form that sends by GET


def test_pages_that_cannot_be_looked_at_say_why(chromium: Browser, pages: Serve, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no page"):
        audit(Chromium(chromium), Page(str(tmp_path / "none.html")))
    with pytest.raises(Incomplete, match="the server answers 404"):
        audit(Chromium(chromium), Page(f"{pages(FIXTURES)}/none.html"))
    with pytest.raises(Incomplete, match="could not be opened: net::ERR_"):
        audit(Chromium(chromium), Page("http://127.0.0.1:1/"))


def test_the_command_says_what_is_wrong_and_where(tmp_path: Path) -> None:
    """In a process of its own: the command starts and ends its own browser."""
    shots = tmp_path / "shots"
    command = [sys.executable, "-m", "assent", "notice", "audit", str(FIXTURES / "pale.html")]
    done = subprocess.run([*command, "--json", "--screenshot", shots], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    told = json.loads(done.stdout)
    assert told["fair"] is False
    assert told["viewports"] == ["1280x800", "390x844"]
    assert {found["requirement"] for found in told["findings"]} == {"R02"}
    assert told["findings"][0]["where"] == 'section#question > form > div > button[value="decline"]'
    assert sorted(path.name for path in shots.iterdir()) == ["pale-html-1280x800.png", "pale-html-390x844.png"]
    refused = subprocess.run([*command, "--chromium", "/nowhere"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "no program `/nowhere`" in refused.stderr


def test_the_browser_of_this_machine_is_found() -> None:
    assert find_chromium() is not None
