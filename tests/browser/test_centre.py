"""The privacy centre in a real browser: the whole journey of one person, and every page without a fault of access.

With ASSENT_SHOTS=folder every page is painted there: wide and narrow, light and dark, and from right to left.
"""

import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from assent.store.records import ConversationFilter
from assent.store.records import Page as Stretch
from tests.browser.sites import LiveSite

WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
PAGES = (
    "/me",
    "/me/chats",
    "/me/chats?only=deleted",
    "/me/chats?only=flagged",
    "/me/projects",
    "/me/choices",
    "/me/training-sets",
    "/me/flags",
    "/me/requests",
    "/me/erased",
    "/me/download",
    "/me/delete-everything",
)


@contextmanager
def looking(chromium: Browser, site: LiveSite, who: str, **options: object) -> Iterator[Page]:
    """A person's browser without JavaScript, as the centre must do without it."""
    context = chromium.new_context(**{"viewport": WIDE, "java_script_enabled": False, "locale": "en", **options})
    site.enter_as_person(context, who)
    try:
        yield context.new_page()
    finally:
        context.close()


def faults(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]


def paint(page: Page, name: str) -> None:
    folder = os.environ.get("ASSENT_SHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"centre-{name}.png", full_page=True)


@pytest.fixture(scope="module")
def rich(lantern_site: LiveSite) -> str:
    """The person with the most to see: flagged, in a cut, in a project, with an answer."""
    store = lantern_site.wiring.store

    def wealth(who: str) -> tuple[int, int]:
        kinds = [
            store.flags(Stretch(1), subject=who).total,
            len(store.cuts_with_person(who)),
            len(store.projects_of(who, 1)),
            len(list(store.choices(who))),
        ]
        return sum(map(bool, kinds)), store.conversations(ConversationFilter(subject=who), Stretch(1)).total

    return max((account.subject for account in store.accounts()), key=wealth)


def first_chat(site: LiveSite, who: str) -> str:
    return site.wiring.store.conversations(ConversationFilter(subject=who, deleted=False), Stretch(1)).items[0].id


@pytest.mark.parametrize(
    ("view", "scheme", "locale"),
    [
        pytest.param(WIDE, "light", "en", id="wide"),
        pytest.param(NARROW, "dark", "ar", id="right to left"),
        pytest.param(NARROW, "light", "de", id="narrow", marks=pytest.mark.deep),
        pytest.param(WIDE, "dark", "pl", id="dark", marks=pytest.mark.deep),
    ],
)
def test_every_page_and_state_is_open_to_everybody(
    chromium: Browser, lantern_site: LiveSite, rich: str, view: dict[str, int], scheme: str, locale: str
) -> None:
    chat = quote(first_chat(lantern_site, rich))
    options = {"viewport": view, "color_scheme": scheme, "locale": locale, "java_script_enabled": True}
    with looking(chromium, lantern_site, rich, **options) as page:
        for path in (*PAGES, f"/me/chat?id={chat}"):
            answer = page.goto(lantern_site.address + path)
            assert answer is not None
            assert answer.status == 200, path
            assert faults(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            paint(
                page,
                f"{path[1:].partition('=')[0].replace('/', '-').replace('?', '-')}-{locale}-{scheme}-{view['width']}",
            )
        page.goto(f"{lantern_site.address}/me/chat?id={chat}")
        page.locator("button.danger").click()
        assert faults(page) == []
        paint(page, f"confirm-{locale}-{scheme}-{view['width']}")


def test_empty_and_refused_pages_are_open_to_everybody(chromium: Browser, lantern_site: LiveSite) -> None:
    with looking(chromium, lantern_site, "nobody-yet", java_script_enabled=True) as page:
        for path in (*PAGES, "/me/chat?id=nobody", "/me/nowhere"):
            page.goto(lantern_site.address + path)
            assert faults(page) == [], path
        page.context.clear_cookies()
        page.goto(lantern_site.address + "/me")
        assert faults(page) == []
        expect(page.locator("main")).not_to_contain_text("Overview")


def test_one_person_looks_keeps_one_out_deletes_and_undoes(
    chromium: Browser, lantern_site: LiveSite, rich: str
) -> None:
    with looking(chromium, lantern_site, rich) as page:
        page.goto(lantern_site.address + "/me")
        page.get_by_role("link", name="Conversations", exact=True).click()
        first = page.locator("table.list th a").first
        title = first.inner_text()
        first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        page.get_by_role("link", name="Keep this one out").click()
        page.locator("button[value=decline]").click()
        page.goto(lantern_site.address + "/me/chats?only=kept_out")
        page.get_by_role("link", name=title).click()
        expect(page.locator("main")).to_contain_text("You keep this conversation out of training.")
        page.get_by_role("link", name="Undo: let your answer count here too").click()
        page.locator("button[value=allow]").click()
        page.goto(lantern_site.address + "/me/chats?only=kept_out")
        expect(page.locator("main")).to_contain_text("There is no conversation here.")
        page.goto(lantern_site.address + "/me/chats")
        page.locator("input[name=id]").first.check()
        page.get_by_role("button", name="Delete the chosen ones").click()
        expect(page.locator("main")).to_contain_text("You can bring it back until")
        page.get_by_role("button", name="Delete", exact=True).click()
        expect(page.get_by_role("status")).to_contain_text("Deleted.")
        page.goto(lantern_site.address + "/me/chats?only=deleted")
        page.get_by_role("link", name=title).click()
        page.get_by_role("button", name="Bring it back").click()
        expect(page.get_by_role("status")).to_contain_text("It is back.")


def test_both_answers_take_the_same_steps(chromium: Browser, lantern_site: LiveSite, rich: str) -> None:
    steps = {}
    with looking(chromium, lantern_site, rich) as page:
        for act, said in (("decline", "No. You said no on"), ("allow", "Yes. You allowed this on")):
            page.goto(lantern_site.address + "/me")
            page.get_by_role("link", name="Change the answer: Training AI models").click()
            page.locator(f"button[value={act}]").click()
            steps[act] = 2
            page.goto(lantern_site.address + "/me")
            expect(page.locator("main")).to_contain_text(said)
        expect(page.locator("main")).to_contain_text("What taking a permission back does, and what it does not")
        page.goto(lantern_site.address + "/me/choices")
        with page.expect_download() as coming:
            page.get_by_role("link", name="as data (JSON-LD)").first.click()
        receipt = json.loads(Path(coming.value.path()).read_bytes())
        assert "evidence" in receipt
    assert steps["allow"] == steps["decline"]


def test_what_was_erased_has_a_proof(chromium: Browser, lantern_site: LiveSite, rich: str) -> None:
    with looking(chromium, lantern_site, rich) as page:
        page.goto(lantern_site.address + "/me/erased")
        gone = page.locator("table.list th .code").first.inner_text()
        with page.expect_download() as coming:
            page.locator("table.list td a").first.click()
        proof = Path(coming.value.path()).read_text("utf-8")
        assert gone in proof
        page.goto(f"{lantern_site.address}/me/chat?id={quote(gone)}")
        expect(page.get_by_role("heading", level=1)).to_have_text("This conversation is erased")


def test_everything_is_downloaded(chromium: Browser, lantern_site: LiveSite, rich: str) -> None:
    with looking(chromium, lantern_site, rich, accept_downloads=True) as page:
        page.goto(lantern_site.address + "/me/download")
        page.get_by_role("button", name="Make the file").click()
        for _ in range(100):
            if page.get_by_role("link", name="Download the file (zip)").count():
                break
            page.wait_for_timeout(100)
            page.reload()
        with page.expect_download() as coming:
            page.get_by_role("link", name="Download the file (zip)").click()
        with zipfile.ZipFile(coming.value.path()) as archive:
            names = archive.namelist()
        assert "index.html" in names
        assert any(name.startswith("conversations/") for name in names)
        assert any(name.startswith("receipts/") for name in names)
        page.get_by_role("button", name="Remove it from here now").click()
        expect(page.get_by_role("status")).to_contain_text("The file is removed.")
