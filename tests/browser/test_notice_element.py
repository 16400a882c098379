"""The notice element in a page of another origin, and its twin without scripts: measured, tried, and answered."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from assent.interfaces.browser.drive import Chromium
from assent.services.notice.audit.audit import audit
from assent.services.notice.audit.measured import NARROW, WIDE, Viewport
from assent.services.notice.audit.port import Page as Audited
from assent.services.notice.words import SHIPPED
from tests.browser.conftest import Serve
from tests.browser.product import DAY, SAID, Street, listened, street

MODULE = Path(__file__).parents[2] / "src/assent/interfaces/web/static/assent-notice.js"
expect.set_options(timeout=20_000)  # the machine may be busy with other things
WINDOWS = ((1280, 800), (390, 844))
NUMBERS = count()
EVERY_WINDOW = pytest.mark.parametrize("viewport", [NARROW, pytest.param(WIDE, marks=pytest.mark.deep)], ids=str)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with street(tmp_path_factory.mktemp("street")) as found:
        yield found


@pytest.fixture
def who(here: Street) -> str:
    return here.person(f"p-{next(NUMBERS)}")


@contextmanager
def opened(chromium: Browser, url: str, window: tuple[int, int] = WINDOWS[0], **more: Any) -> Iterator[Page]:
    """Open a page of the product; afterwards the browser must have had nothing to complain of."""
    context = chromium.new_context(viewport={"width": window[0], "height": window[1]}, **more)
    page, heard = listened(context)
    page.set_default_timeout(10_000)
    try:
        page.goto(url)
        yield page
        assert heard == []
    finally:
        context.close()


def press(page: Page, act: str) -> None:
    page.locator(f"button[value={act}]").click()
    expect(page.locator("[part=answers] button[value]")).to_have_count(0)


def question(page: Page) -> None:
    expect(page.locator("button[value=allow]")).to_be_visible()


def told(page: Page) -> list[Any]:
    return page.evaluate("window.told")


def boxes(page: Page) -> tuple[dict[str, float], dict[str, float]]:
    return tuple(page.locator(f"button[value={act}]").bounding_box() for act in ("allow", "decline"))  # type: ignore[return-value]


# -- the module


def test_the_module_is_smaller_than_15_kb_and_builds_no_html_from_text() -> None:
    source = MODULE.read_text("utf-8")
    assert len(source.encode()) < 15_000
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|\bimport\b", source
    )


def test_it_is_sent_whole_to_any_origin_and_may_be_kept(chromium: Browser, here: Street) -> None:
    context = chromium.new_context()
    answer = context.request.get(f"{here.site.address}/static/assent-notice.js")
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "*")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.body() == MODULE.read_bytes()
    context.close()


# -- the question


def test_it_asks_in_a_page_of_another_origin_with_trusted_types(chromium: Browser, here: Street, who: str) -> None:
    with opened(chromium, "about:blank") as page:
        with page.expect_response("**/notice/session") as asked:
            page.goto(here.url(who, campaign="autumn"))
        got = asked.value.json()["first"]
        question(page)
        body = json.loads(got["body"])
        assert got["rendering"] == "sha256:" + sha256(got["body"].encode()).hexdigest()
        shown = page.locator("dialog").inner_text()
        for section in body["sections"]:
            assert section["heading"] in shown
            assert all(line["text"] in shown for line in section["lines"])
        assert [one["label"] for one in body["options"]] == page.locator("[part=answers] button").all_inner_texts()
        press(page, "decline")
    (choice,) = here.wiring.store.choices(who)
    assert (choice.act, choice.notice, choice.surface, choice.client) == (
        "decline",
        got["rendering"],
        "json",
        "desktop",
    )
    assert choice.options == tuple(one["act"] for one in body["options"])


def test_one_request_paints_whatever_it_shows_first(chromium: Browser, here: Street, who: str) -> None:
    modes = {"panel": "question", "control": "standing", "lock": "lock"}
    for mode, first in modes.items():
        with opened(chromium, "about:blank") as page:
            asked: list[str] = []
            page.on("request", lambda one, asked=asked: asked.append(f"{one.method} {urlsplit(one.url).path}"))
            with page.expect_response("**/notice/session") as answered:
                page.goto(here.url(who, mode=mode, conversation=f"test:{who}-0"))
            page.locator(f"[part={mode}]").wait_for()
            assert answered.value.request.post_data_json["first"] == first
            assert [one for one in asked if "/notice/" in one] == ["POST /notice/session"], mode
            # what is asked again, it asks by itself
            with page.expect_response("**/notice/question*") as again:
                page.locator("assent-notice").evaluate("(one) => one.open()")
            assert again.value.json()["asked"]
            question(page)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_both_answers_are_alike_and_in_view_and_the_focus_is_on_neither(
    chromium: Browser, here: Street, who: str, window: tuple[int, int]
) -> None:
    with opened(chromium, here.url(who, campaign="autumn"), window) as page:
        question(page)
        allow, decline = boxes(page)
        assert (allow["width"], allow["height"], allow["y"]) == (decline["width"], decline["height"], decline["y"])
        assert allow["y"] + allow["height"] <= window[1]
        style = "(node) => { const one = getComputedStyle(node); return [...one].map((name) => [name, one[name]]) }"
        styles = [page.locator(f"button[value={act}]").evaluate(style) for act in ("allow", "decline")]
        differs = {name for (name, one), (_, other) in zip(*styles, strict=True) if one != other}
        assert differs <= {"inline-size", "perspective-origin", "transform-origin", "width"}, differs
        assert page.evaluate("document.activeElement.shadowRoot.activeElement.localName") == "h1"
        assert page.locator("input,[aria-checked],[aria-pressed=true]").count() <= 1  # the product's own field
        assert page.evaluate("document.documentElement.scrollWidth") <= window[0]


def test_nothing_but_a_press_answers(chromium: Browser, here: Street, who: str) -> None:
    def press_nothing(page: Page) -> None:
        allow = page.locator("button[value=allow]")
        for key in ("Enter", " "):
            page.keyboard.press(key)
        allow.evaluate("(node) => node.click()")
        allow.dispatch_event("click")
        page.mouse.wheel(0, 4000)
        page.mouse.click(5, 5)
        page.wait_for_timeout(300)
        question(page)
        page.keyboard.press("Escape")

    tries = {
        "pressing nothing": press_nothing,
        "closing": lambda page: page.locator("[part=x]").click(),
        "taking it away": lambda page: page.evaluate("document.querySelector('assent-notice').remove()"),
        "leaving": lambda page: page.goto("about:blank"),
    }
    for name, tried in tries.items():
        someone = here.person(f"{who}-{name.replace(' ', '-')}")
        with opened(chromium, here.url(someone, campaign="autumn")) as page:
            question(page)
            tried(page)
            page.wait_for_timeout(100)
        assert here.acts(someone) == [], name
        assert here.shown(someone)[0] == "shown"


def test_closing_is_logged_as_that_and_told_to_the_page_without_content(
    chromium: Browser, here: Street, who: str
) -> None:
    with opened(chromium, here.url(who, campaign="autumn")) as page:
        question(page)
        with page.expect_response("**/notice/closed"):
            page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)
        assert told(page) == [["assent-closed", {"how": "closed"}]]
    assert (here.acts(who), here.shown(who)) == ([], ["shown", "closed"])


@pytest.mark.parametrize("act", ["allow", "decline", "defer"])
def test_the_keyboard_alone_reaches_every_answer(chromium: Browser, here: Street, who: str, act: str) -> None:
    with opened(chromium, here.url(who, campaign="autumn")) as page:
        question(page)
        for _ in range(12):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement?.shadowRoot?.activeElement?.value") == act:
                break
        focused = "getComputedStyle(document.activeElement.shadowRoot.activeElement)"
        assert page.evaluate(f"{focused}.outlineStyle + {focused}.outlineWidth") == "solid3px"
        page.keyboard.press("Enter")
        expect(page.locator("[part=x]")).to_be_visible()
        expect(page.locator("button[value]")).to_have_count(0)
        assert page.evaluate("document.activeElement.shadowRoot.activeElement.localName") == "h1"
        assert "Recorded on" in page.locator("[role=status]").inner_text()
    assert here.acts(who) == [act]


def test_both_answers_take_one_press_and_the_same_time(chromium: Browser, here: Street, who: str) -> None:
    took: dict[str, list[float]] = {"allow": [], "decline": []}
    for number in range(8):  # a busy machine delays one or the other; the best of a few tries tells
        for act, times in took.items():
            someone = here.person(f"{who}-{act}-{number}")
            with opened(chromium, here.url(someone, campaign="autumn")) as page:
                question(page)
                began = perf_counter()
                press(page, act)
                times.append(perf_counter() - began)
            assert here.acts(someone) == [act]
        if abs(min(took["allow"]) - min(took["decline"])) < 0.1:
            return
    raise AssertionError(took)


def test_at_200_percent_both_answers_are_still_in_view(chromium: Browser, here: Street, who: str) -> None:
    for window in ((640, 400), (320, 480)):
        with opened(chromium, here.url(who, mode="panel"), window) as page:
            question(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= window[0]
        with opened(chromium, here.url(here.person(f"{who}-{window[0]}"), campaign="autumn"), window) as page:
            question(page)
            for box in boxes(page):
                assert min(box["x"], box["y"]) >= 0
                assert box["x"] + box["width"] <= window[0]
                assert box["y"] + box["height"] <= window[1]
            assert page.evaluate("document.documentElement.scrollWidth") <= window[0]


def test_it_speaks_ten_languages(chromium: Browser, here: Street, who: str) -> None:
    seen = {}
    with opened(chromium, here.url(who, mode="panel")) as page:
        for locale in SHIPPED:
            page.locator("assent-notice").evaluate("(one, tag) => one.setAttribute('locale', tag)", locale)
            panel = page.locator(f".panel[lang={locale}]")
            expect(panel).to_be_visible()
            assert panel.get_attribute("dir") == ("rtl" if locale == "ar" else "ltr")
            seen[locale] = panel.inner_text()
    assert len(set(seen.values())) == len(SHIPPED) == 10


def test_a_theme_changes_both_answers_or_none(chromium: Browser, here: Street, who: str) -> None:
    with opened(chromium, here.url(who, campaign="autumn"), bypass_csp=True) as page:
        question(page)
        page.add_style_tag(
            content="assent-notice { --assent-ink: rgb(0, 0, 90) } assent-notice::part(answer) { color: rgb(0, 90, 0) }"
            " assent-notice::part(answer):first-child, assent-notice::part(answer)[value=decline] { color: red }"
        )
        colour = "(node) => getComputedStyle(node).color"
        inks = {page.locator(f"button[value={act}]").evaluate(colour) for act in ("allow", "decline")}
        assert inks == {"rgb(0, 90, 0)"}
        assert page.locator("h1#q").evaluate(colour) == "rgb(0, 0, 90)"


# -- layer two


def test_worked_examples_come_from_the_account_and_personal_data_is_replaced(
    chromium: Browser, here: Street, who: str
) -> None:
    before = here.wiring.store.counts()
    with opened(chromium, here.url(who, campaign="autumn")) as page:
        question(page)
        page.locator("summary").click()
        expect(page.locator("mark").first).to_be_visible(timeout=30_000)
        text = page.locator("details").inner_text()
    assert "next message: 3" in text
    assert "count at once: 0" in text
    assert "December 20, 2025" in text
    assert "November 20, 2030" in text
    assert not any(private in text for private in ("Mia", "Larsson", "posteo", "2345678"))
    assert "about the flat" in text
    assert "Larsson" in SAID
    assert here.wiring.store.counts() == before


# -- after the answer


def test_an_answer_is_confirmed_with_a_receipt_and_the_way_back_is_as_short(
    chromium: Browser, here: Street, who: str
) -> None:
    with opened(chromium, here.url(who, campaign="autumn"), accept_downloads=True) as page:
        question(page)
        press(page, "allow")
        assert page.locator("h1#q").inner_text() == "You allowed it"
        with page.expect_download() as saved:
            page.get_by_role("button", name="Download receipt").click()
        receipt = json.loads(saved.value.path().read_text("utf-8"))
        page.get_by_role("button", name="Change answer").click()
        question(page)
        press(page, "decline")
        text = page.locator("dialog").inner_text()
        assert "You did not allow it" in text
        assert "Runs that have begun go on" in text
        choices = [one[1]["choice"] for one in told(page) if one[0] == "assent-choice"]
        page.get_by_role("button", name="Done").click()
        expect(page.locator("dialog")).to_have_count(0)
        assert told(page)[-1] == ["assent-closed", {"how": "answered"}]
    assert saved.value.suggested_filename == "receipt.json"
    assert choices[0] in json.dumps(receipt) or receipt
    assert here.acts(who) == ["allow", "decline"]


def test_who_puts_it_off_is_told_how_often_is_left_and_left_alone_meanwhile(
    chromium: Browser, here: Street, who: str
) -> None:
    with opened(chromium, here.url(who, campaign="autumn")) as page:
        question(page)
        press(page, "defer")
        text = page.locator("dialog").inner_text()
        assert "You decide later" in text
        assert "Times left to decide later: 2" in text
    with opened(chromium, here.url(who, campaign="autumn")) as page:
        page.wait_for_timeout(600)
        assert page.locator("dialog").count() == 0
    assert (here.acts(who), here.shown(who)) == (["defer"], ["shown"])


@pytest.mark.parametrize("first", ["allow", "decline"])
def test_the_control_says_what_holds_and_a_change_costs_what_the_first_answer_cost(
    chromium: Browser, here: Street, who: str, first: str
) -> None:
    second = {"allow": "decline", "decline": "allow"}[first]
    with opened(chromium, here.url(who, mode="control")) as page:
        for act in (first, second):
            page.locator("[part=control]").click()
            question(page)
            press(page, act)
            page.get_by_role("button", name="Done").click()
            said = {"allow": "Use for training models: yes.", "decline": "Use for training models: no."}[act]
            expect(page.locator("[part=control]")).to_contain_text(said)
        expect(page.locator("[part=control]")).to_be_focused()
    with opened(chromium, here.url(who, mode="panel")) as page:
        question(page)
        assert "You answered on November 20, 2025." in page.locator(".panel").inner_text()
        press(page, first)
    assert here.acts(who) == [first, second, first]


def test_a_failed_answer_says_so_and_changes_nothing(chromium: Browser, here: Street, who: str) -> None:
    context = chromium.new_context()
    page, _ = listened(context)
    page.goto(here.url(who, campaign="autumn"))
    question(page)
    page.route("**/notice/choice", lambda route: route.abort())
    page.locator("button[value=allow]").click()
    expect(page.locator("[role=status]")).to_have_text("This could not be recorded. Nothing has changed.")
    assert [one[0] for one in told(page)] == ["assent-failed"]
    context.close()
    assert here.acts(who) == []


# -- one chat


def test_an_old_chat_is_marked_before_it_counts_and_can_be_kept_out(chromium: Browser, here: Street, who: str) -> None:
    chat = f"test:{who}-0"
    with opened(chromium, here.url(who, mode="lock", conversation=chat)) as page:
        page.locator("summary").click()
        assert "You have not allowed it." in page.locator("[part=lock]").inner_text()
        assert "Erased by December 18, 2025." in page.locator("[part=lock]").inner_text()
    with opened(chromium, here.url(who, mode="marker", conversation=chat)) as page:
        page.wait_for_timeout(400)
        assert page.locator("[part=marker]").count() == 0
    with opened(chromium, here.url(who, mode="panel")) as page:
        question(page)
        press(page, "allow")
    with opened(chromium, here.url(who, mode="marker", conversation=chat)) as page:
        assert "Old chats that you continue count in full." in page.locator("[part=marker]").inner_text()
        page.get_by_role("button", name="Keep this one out").click()
        expect(page.locator("[part=marker]")).to_contain_text("You kept this chat out.")
    with opened(chromium, here.url(who, mode="lock", conversation=chat)) as page:
        page.locator("summary").click()
        assert "You kept this chat out." in page.locator("[part=lock]").inner_text()
        page.get_by_role("button", name="Change for this chat").click()
        question(page)
        assert "This is about one chat only." in page.locator("dialog").inner_text()
        press(page, "allow")
        page.get_by_role("button", name="Done").click()
        expect(page.locator("[part=lock]")).to_contain_text("have not gone on with this chat")
    scopes = [(one.act, one.scope) for one in here.wiring.store.choices(who)]
    assert scopes == [("allow", "everything"), ("decline", "conversation"), ("allow", "conversation")]


# -- without scripts, and for everybody


@EVERY_WINDOW
def test_the_audit_of_anybodys_page_passes_the_element(
    chromium: Browser, here: Street, who: str, pages: Serve, tmp_path: Path, viewport: Viewport
) -> None:
    context = chromium.new_context()
    bearer = {"Authorization": f"Bearer {here.site.token('element', who)}"}
    got = context.request.get(f"{here.site.address}/notice/question?campaign=autumn&locale=en", headers=bearer).json()
    context.close()
    recorded = json.dumps(got).replace("</", "<\\/")
    stood_in = (
        f"const got = {recorded}; const real = fetch; window.fetch = async (url, more) =>"
        " url.endsWith('/session') ? Response.json({session: 'x'}) : url.includes('/question') ? Response.json(got)"
        " : real(url, more)"
    )
    (tmp_path / "assent-notice.js").write_bytes(MODULE.read_bytes())
    (tmp_path / "index.html").write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Chat</title>'
        f'<meta name="viewport" content="width=device-width"><script>{stood_in}</script>'
        '<script type="module" src="assent-notice.js"></script></head><body>'
        '<assent-notice server="/assent" token="t" campaign="autumn" locale="en"></assent-notice></body></html>',
        "utf-8",
    )
    report = audit(Chromium(chromium), Audited(f"{pages(tmp_path)}/index.html"), [viewport])
    assert [one for one in report.findings if one.level == "error"] == []


@EVERY_WINDOW
def test_the_audit_passes_the_page_without_scripts(
    chromium: Browser, here: Street, who: str, pages: Serve, tmp_path: Path, viewport: Viewport
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    here.site.enter_as_person(context, who)
    page = context.new_page()
    answer = page.goto(f"{here.site.address}/notice/ask?purpose=training&campaign=autumn")
    assert answer is not None
    style = context.request.get(f"{here.site.address}/static/assent.css").body()
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "assent.css").write_bytes(style)
    (tmp_path / "ask.html").write_bytes(answer.body())
    context.close()
    report = audit(Chromium(chromium), Audited(f"{pages(tmp_path)}/ask.html"), [viewport])
    assert [one for one in report.findings if one.level == "error"] == []


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_without_scripts_the_same_bytes_are_asked_answered_and_taken_back(
    chromium: Browser, here: Street, who: str, window: tuple[int, int]
) -> None:
    size = {"width": window[0], "height": window[1]}
    context = chromium.new_context(java_script_enabled=False, viewport=size, accept_downloads=True)
    here.site.enter_as_person(context, who)
    page = context.new_page()
    address = f"{here.site.address}/notice/ask?purpose=training&campaign=autumn"
    answer = page.goto(address)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    (prompt,) = here.wiring.store.prompts_of("autumn", who)
    kept = here.wiring.store.rendering(prompt.rendering)
    assert kept is not None
    assert kept.body in answer.text()
    allow, decline = boxes(page)
    assert (allow["width"], allow["height"], allow["y"]) == (decline["width"], decline["height"], decline["y"])
    assert page.locator("button[value=allow]").evaluate("(one) => getComputedStyle(one).borderTopWidth") == "2px"
    page.locator("button[value=decline]").click()
    assert page.locator("h1").inner_text() == "You did not allow it"
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download receipt").click()
    assert json.loads(saved.value.path().read_text("utf-8"))
    page.get_by_role("link", name="Change answer").click()
    page.locator("button[value=allow]").click()
    assert page.locator("h1").inner_text() == "You allowed it"
    page.goto(address)
    assert page.locator("h1").inner_text() == "Use for training models: yes."
    context.close()
    assert here.acts(who) == ["decline", "allow"]


def complaints(page: Page) -> list[tuple[str, str, str]]:
    """What axe finds in the page as it stands, in light and in dark colours."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        violations = Axe().run(page).response["violations"]
        found += [(scheme, one["id"], one["nodes"][0]["html"][:120]) for one in violations]
    return found


def test_axe_finds_nothing_in_any_state(chromium: Browser, here: Street, who: str) -> None:
    chat, found = f"test:{who}-0", {}
    with opened(chromium, here.url(who, campaign="autumn"), WINDOWS[1]) as page:
        question(page)
        found["question"] = complaints(page)
        page.locator("summary").click()
        expect(page.locator("mark").first).to_be_visible(timeout=30_000)
        found["examples"] = complaints(page)
        press(page, "defer")
        found["deferred"] = complaints(page)
        page.get_by_role("button", name="Change answer").click()
        question(page)
        press(page, "allow")
        found["allowed"] = complaints(page)
    about = {"control": {}, "panel": {"lang": "ar"}, "lock": {"conversation": chat}, "marker": {"conversation": chat}}
    for mode, more in about.items():
        with opened(chromium, here.url(who, mode=mode, **more)) as page:
            page.locator(f"[part={mode}]").wait_for()
            if mode == "lock":
                page.locator("summary").click()
            found[mode] = complaints(page)
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_axe_finds_nothing_on_the_pages_without_scripts(chromium: Browser, here: Street, who: str) -> None:
    context = chromium.new_context()
    here.site.enter_as_person(context, who)
    page = context.new_page()
    found = {}
    for path in ("ask?purpose=training", "ask?purpose=training&locale=ar&lang=ar", "examples?purpose=training"):
        page.goto(f"{here.site.address}/notice/{path}")
        found[path] = complaints(page)
    page.goto(f"{here.site.address}/notice/ask?purpose=training")
    page.locator("button[value=decline]").click()
    found["answered"] = complaints(page)
    context.close()
    assert {name: ids for name, ids in found.items() if ids} == {}


# -- what needs another day; these come last, for the clock of the street does not go back


def test_after_seven_days_the_answer_is_shown_again_once(chromium: Browser, here: Street, who: str) -> None:
    with opened(chromium, here.url(who, campaign="autumn")) as page:
        question(page)
        press(page, "allow")
    here.wiring.ahead += 7 * DAY
    with opened(chromium, here.url(who, campaign="autumn")) as page:
        reminder = page.locator("[part=reminder]")
        expect(reminder).to_contain_text("Use for training models: yes.")
        page.get_by_role("button", name="Keep this answer").click()
        expect(reminder).to_have_count(0)
        assert told(page) == [["assent-closed", {"how": "kept"}]]
    with opened(chromium, here.url(who, campaign="autumn")) as page:
        page.wait_for_timeout(600)
        assert page.locator("[part=reminder],dialog").count() == 0
    assert here.acts(who) == ["allow"]


def test_past_the_deadline_it_stays_until_an_answer_or_a_way_out(chromium: Browser, here: Street, who: str) -> None:
    here.wiring.ahead += 8 * DAY
    with opened(chromium, here.url(who, campaign="autumn")) as page:
        question(page)
        assert page.locator("[part=x]").count() == 0
        for _ in range(3):
            page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_be_visible()
        page.get_by_role("button", name="Export my data").click()
        expect(page.locator("dialog")).to_have_count(0)
        assert told(page) == [["assent-closed", {"how": "export"}]]
    assert here.acts(who) == []
