"""Take the pictures of docs/pictures: every page of the site, from the home of the made-up provider of `assent demo`.

`python -m tests.browser.pictures` (that is `make pictures`) writes them all; names after it take only these.
Which there are is said by tests/docs/pages_page.py. They are WebP, written by the browser itself.
"""

import base64
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from assent.interfaces.browser.chromium import ARGUMENTS, find_chromium
from assent.services.demo.asking import ID
from assent.services.session.staff import add_member, staff_link
from assent.store.records import ConversationFilter
from assent.store.records import Page as Stretch
from assent.training import training_run
from assent.wiring import Wiring
from tests.browser.product import street
from tests.browser.sites import LAST, LiveSite, copy_of, serving
from tests.docs.pages_page import TITLES, picture_of, pictures
from tests.unit.interfaces.homes import call

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
WIDE, NARROW = {"width": 1280, "height": 600}, {"width": 390, "height": 844}
LONGEST = 1280
"""Pixels of a page from its top: what follows is more of the same."""
QUALITY = 38
"""Of WebP, of 100: letters stay clear, and all pictures together stay below 1.5 MB."""
SMALLER = 0.75
"""A picture's width to that of the window: a page of documents is narrower than a screen."""
OFFICER, ENGINEER, SAFETY = "ann@lantern.example", "eve@lantern.example", "sam@lantern.example"


class Camera:
    """Takes pictures of what somebody sees. `wanted` are file names; others are passed over."""

    def __init__(self, browser: Browser, site: LiveSite, wanted: set[str]) -> None:
        self._browser, self._site, self._wanted = browser, site, wanted

    @contextmanager
    def staff(self, name: str, role: str, **more: Any) -> Iterator[Page]:
        """Open a browser of a member of staff."""
        with self._opened(lambda context: self._site.enter_as_staff(context, name, role), **more) as page:
            yield page

    @contextmanager
    def person(self, subject: str, **more: Any) -> Iterator[Page]:
        """Open a browser of a person."""
        with self._opened(lambda context: self._site.enter_as_person(context, subject), **more) as page:
            yield page

    @contextmanager
    def _opened(self, enter: Callable[[BrowserContext], None], **more: Any) -> Iterator[Page]:
        options = {"viewport": WIDE, "locale": "en", "base_url": self._site.address, **more}
        context = self._browser.new_context(**options)
        enter(context)
        try:
            yield context.new_page()
        finally:
            context.close()

    def take(self, page: Page, file: str) -> None:
        """Write what the page shows, from its top, as wide as it is."""
        if file not in self._wanted:
            return
        page.evaluate("document.activeElement && document.activeElement.blur()")
        size = page.viewport_size or WIDE
        phone = size["width"] <= NARROW["width"]
        # a telephone is narrow already, and shows what it shows at once
        scale = 1 if phone else SMALLER
        height = page.evaluate("Math.ceil(document.documentElement.scrollHeight)")
        height = size["height"] if phone else min(LONGEST, height)
        # a window as high as its page: what sticks to an edge, or is drawn when it is seen, is where it belongs
        page.set_viewport_size({"width": size["width"], "height": height})
        page.wait_for_timeout(100)
        clip = {"x": 0, "y": 0, "width": size["width"], "height": height, "scale": scale}
        asked = {"format": "webp", "quality": QUALITY, "clip": clip}
        shot = page.context.new_cdp_session(page).send("Page.captureScreenshot", asked)
        page.set_viewport_size(size)
        (FOLDER / file).write_bytes(base64.b64decode(shot["data"]))
        print(f"{file}  {size['width']}x{height}  {(FOLDER / file).stat().st_size // 1024} KiB", flush=True)

    def visit(self, page: Page, path: str, **named: str) -> None:
        """Open a page by its address in the table, and take it; where it asks why, say why."""
        address = path
        for name, value in named.items():
            for braces in (f"{{{name}}}", f"{{{name}:path}}"):
                address = address.replace(braces, quote(value, safe=""))
        self.go(page, address)
        self.take(page, picture_of(path))

    def go(self, page: Page, address: str) -> None:
        """Open an address. Raises `AssertionError` where there is no such page."""
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, f"{address}: {answer.status}"
        if page.locator("input[name=because], textarea[name=because]").count():
            self.take(page, "console-reason.webp")
            page.get_by_label("Reason").fill("request 17")
            page.get_by_role("button", name="Write it down and look").click()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def settled(page: Page) -> None:
    """Reload until what a form began beside the requests is done."""
    address = page.url.partition("?")[0]
    for _ in range(120):
        if not page.get_by_text("It is being worked out").count():
            return
        page.wait_for_timeout(250)
        page.goto(address)
    raise AssertionError(address)


def richest(site: LiveSite) -> str:
    """Choose the person with the most to see, in letters for which every machine has a font."""
    store = site.wiring.store

    def plain(who: str) -> bool:
        entries = store.conversations(ConversationFilter(subject=who), Stretch(50)).items
        return all((one.title or "").isascii() for one in entries)

    def wealth(who: str) -> tuple[bool, int, int]:
        kinds = (
            store.flags(Stretch(1), subject=who).total,
            len(store.cuts_with_person(who)),
            len(store.projects_of(who, 1)),
            len(list(store.choices(who))),
        )
        return plain(who), sum(map(bool, kinds)), store.conversations(ConversationFilter(subject=who), Stretch(1)).total

    return max((account.subject for account in store.accounts()), key=wealth)


def of_a_person(camera: Camera, site: LiveSite) -> None:
    """Take the privacy centre, and the question without scripts."""
    who, store = richest(site), site.wiring.store
    chat = store.conversations(ConversationFilter(subject=who, deleted=False), Stretch(1)).items[0].id
    with camera.person(who) as page:
        page.goto("/me/requests")
        page.locator("input[name=wish]").nth(1).check()
        page.locator("textarea[name=text]").fill("My account says that I live in Spain. I moved to Portugal.")
        page.locator("form.narrow button").click()
        page.goto(f"/me/chat?id={quote(chat)}")
        page.locator("button.danger").click()
        camera.take(page, "me-chats-confirm.webp")
        for path in ("/me", "/me/chats", "/me/projects", "/me/choices", "/me/training-sets", "/me/flags",
                     "/me/requests", "/me/erased", "/me/download", "/me/delete-everything"):  # fmt: skip
            camera.visit(page, path)
        camera.go(page, f"/me/chat?id={quote(chat)}")
        camera.take(page, picture_of("/me/chat"))
        page.goto("/me/download")
        press(page, "Make the file")
        while not page.get_by_role("link", name="Download the file (zip)").count():
            page.wait_for_timeout(100)
            page.reload()
        camera.take(page, picture_of("/me/download/{link}"))
        page.goto("/me")
        page.get_by_role("link", name="Change the answer: Training AI models").click()
        camera.take(page, picture_of("/notice/ask"))
        page.locator("button[value=decline]").click()
        camera.take(page, picture_of("/notice/answered/{choice}"))
        camera.visit(page, "/notice/examples")
        camera.visit(page, "/sign-in/sessions")
        camera.visit(page, "/sign-out")
    phone = {"viewport": NARROW, "is_mobile": True, "has_touch": True}
    for file, address, more in (
        ("me-dark-phone.webp", "/me", {"color_scheme": "dark"}),
        ("me-arabic-phone.webp", "/me", {"locale": "ar"}),
        ("me-chats-phone.webp", "/me/chats", {}),
        ("notice-ask-phone.webp", "/notice/ask?purpose=training", {}),
    ):
        with camera.person(who, **phone, **more) as page:
            camera.go(page, address)
            camera.take(page, file)


def prepared(home: Path) -> None:
    """Let the provider have two connected systems, a training run and a second number of its cut."""
    sessions = home.parent / "sessions"
    exported = next(sessions.glob("*/exports/claude-code/*"))
    with training_run(home, "first", trainer="axolotl", config="epochs = 3") as run:
        made = home.parent / "model"
        made.mkdir()
        (made / "weights.safetensors").write_bytes(b"weights")
        run.finish(made)
    for name, place in (("laptops", exported), ("old-laptops", next(exported.iterdir()).parent)):
        said = call(Wiring(home, LAST), "connect", "coding-agents", "--name", name,
                    "--agent", "claude-code", "--home", place, "--owner", exported.name)  # fmt: skip
        assert said.status == 0, said.err
    wiring = Wiring(home, LAST)
    entries = wiring.store.conversations(ConversationFilter(deleted=False, flagged=False), Stretch(200)).items
    for entry in entries[:40]:
        wiring.store.request_deletion(entry.id, LAST - timedelta(days=29))
    leaver = next(one.subject for one in entries[40:] if one.subject and wiring.store.cuts_with_person(one.subject))
    wiring.store.close()
    said = call(Wiring(home, LAST), "choose", leaver, "withdraw")
    assert said.status == 0, said.err
    said = call(Wiring(home, LAST), "cut", "refresh", "first", "--out", home.parent / "cut-2")
    assert said.status == 0, said.err


def worked_out(camera: Camera) -> None:
    """Let an engineer count, plan and check, so that the pages have something to show."""
    with camera.staff(ENGINEER, "engineer") as page:
        page.goto("/console/erasing")
        press(page, "Count again")
        for address, buttons in (
            ("/console/forecast", ["Compute again"]),
            ("/console/plans", ["Make a plan for now"]),
            ("/console/cuts/first/1", ["Decide every row anew", "Compare every file"]),
            ("/console/ledger", ["Recompute the whole ledger"]),
        ):
            for button in buttons:
                page.goto(address)
                press(page, button)
                settled(page)


def of_officers(camera: Camera, site: LiveSite) -> None:
    """Take the console as an officer sees it."""
    store = site.wiring.store
    (plan, *_), (sweep, *_) = store.plans(Stretch(1)).items, store.sweeps(Stretch(1)).items
    (entry, *_) = store.conversations(ConversationFilter(), Stretch(1)).items
    (choice, *_) = (one for one in store.choices(richest(site)) if one.act in ("allow", "decline"))
    hold, policy = next(iter(store.holds())), site.wiring.policies[-1]
    (run, *_), (request, *_) = store.runs(Stretch(1)).items, store.requests(Stretch(1)).items
    with camera.staff(OFFICER, "officer") as page:
        page.goto(f"/console/holds/{hold.id}")
        page.get_by_label("Why it may be released").fill("the case is settled")
        press(page, "Ask for the release")
        (approval, *_) = store.approvals(Stretch(1)).items
        for path in (
            one for one in TITLES if one.startswith("/console") and "{" not in one and one not in (*SEEN, *OTHERS)
        ):
            camera.visit(page, path)
        for path, named in (
            ("/console/campaigns/{campaign}", {"campaign": ID}),
            ("/console/campaigns/{campaign}/notice", {"campaign": ID}),
            ("/console/campaigns/{campaign}/{step}", {"campaign": ID, "step": "close"}),
            ("/console/policy/version/{digest}", {"digest": policy.digest}),
            ("/console/plans/{plan}", {"plan": plan.digest[7:19]}),
            ("/console/approvals/{approval}", {"approval": approval.id}),
            ("/console/sweeps/{sweep}", {"sweep": str(sweep.id)}),
            ("/console/conversations/{conversation:path}", {"conversation": entry.id}),
            ("/console/connectors/{system}", {"system": "laptops"}),
            ("/console/holds/new/{scope}", {"scope": "person"}),
            ("/console/holds/{hold}", {"hold": hold.id}),
            ("/console/requests/{request}", {"request": request.id}),
            ("/console/people/{subject:path}", {"subject": richest(site)}),
            ("/console/cuts/{name}/{number}", {"name": "first", "number": "1"}),
            ("/console/cuts/{name}/{number}/from/{other}", {"name": "first", "number": "2", "other": "1"}),
            ("/console/runs/{run}", {"run": run.id}),
            ("/console/receipts/{choice:path}", {"choice": choice.id}),
        ):
            camera.visit(page, path, **named)
        for path in SEEN:
            camera.visit(page, path)
        page.goto("/console/policy")
        page.get_by_label("Policy file").fill(shorter(site))
        press(page, "Work out what it would do")
        settled(page)
        camera.take(page, picture_of("/console/policy/try/{digest}"))
    with camera.staff(OFFICER, "officer", color_scheme="dark") as page:
        camera.go(page, "/console")
        camera.take(page, "console-dark.webp")
    with camera.staff(OFFICER, "officer", viewport=NARROW, is_mobile=True) as page:
        camera.go(page, f"/console/plans/{plan.digest[7:19]}")
        camera.take(page, "console-plans-plan-phone.webp")


OTHERS = ("/console/flags",)
"""Pages that an officer does not see."""
SEEN = ("/console/staff", "/console/looks")
"""Pages that say what was looked at, taken when something was."""


def shorter(site: LiveSite) -> str:
    """Write the policy in force with a shorter term, as somebody would who wants to know what that does."""
    home = site.wiring.settings.home
    text = next(iter(sorted((home / "policies").rglob("*.toml"))[-1:])).read_text("utf-8")
    return text.replace('use_for = "P5Y"', 'use_for = "P2Y"')


def of_reviewers(camera: Camera, site: LiveSite) -> None:
    """Take the flags, which are for safety."""
    flag = next(one for one in site.wiring.store.flags(Stretch(200)).items if one.reversed_at is None)
    with camera.staff(SAFETY, "safety") as page:
        camera.go(page, "/console/flags?all=yes")
        camera.take(page, picture_of("/console/flags"))
        for path in ("/console/flags/{flag}", "/console/flags/{flag}/redacted", "/console/flags/{flag}/text"):
            camera.visit(page, path, flag=flag.id)


def of_strangers(camera: Camera, site: LiveSite) -> None:
    """Take the ways in, before anybody is known."""
    wiring = site.wiring
    add_member(wiring.store, "carla@lantern.example", "auditor", by=OFFICER, now=wiring.now())
    link = staff_link(wiring.store, "carla@lantern.example", key=wiring.new_key(), now=wiring.now())
    with camera._opened(lambda _: None) as page:
        camera.visit(page, "/sign-in")
        camera.visit(page, "/sign-in/link/{token}", token=link)
        camera.go(page, "/me/enter?token=of-the-product")
        camera.take(page, picture_of("/me/enter"))


def of_a_product(browser: Browser, camera: Camera, folder: Path) -> None:
    """Take the notice element inside a page of a product."""
    folder.mkdir()
    with street(folder) as found:
        found.person("ann")
        context = browser.new_context(viewport={"width": 900, "height": 800}, locale="en")
        page = context.new_page()
        page.goto(found.url())
        page.locator("button[value=allow]").wait_for()
        camera.take(page, "notice-element.webp")
        context.close()


def main(names: list[str], demo: Path | None = None) -> None:
    """Take all pictures, or those that are named."""
    wanted = {f"{name}.webp" for name in names} or pictures()
    assert wanted <= pictures(), f"there is no such picture: {sorted(wanted - pictures())}"
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="assent-pictures-") as made, ExitStack() as stack:
        folder = Path(made)
        if demo is None:
            demo = folder / "demo"
            said = call(Wiring(), "demo", "--people", "60", "--no-serve", "--out", demo)
            assert said.status == 0, said.err
        home = copy_of(demo / "home", folder)
        shutil.copytree(demo / "cut", folder / "cut")
        shutil.copytree(demo / "exports", folder / "sessions")
        os.environ["ASSENT_CLOCK"] = LAST.isoformat()
        prepared(home)
        wiring = Wiring().running_from(LAST, home)
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        stack.callback(browser.close)
        with serving(wiring) as site:
            camera = Camera(browser, site, wanted)
            worked_out(camera)
            of_strangers(camera, site)
            of_a_person(camera, site)
            of_officers(camera, site)
            of_reviewers(camera, site)
        wiring.store.close()
        of_a_product(browser, camera, folder / "product")
    if not names:
        for left in {path.name for path in FOLDER.glob("*.webp")} - wanted:
            (FOLDER / left).unlink()
    print(f"{sum(path.stat().st_size for path in FOLDER.glob('*')) // 1024} KiB in all")


if __name__ == "__main__":
    main(sys.argv[1:], Path(os.environ["DEMO"]) if "DEMO" in os.environ else None)
