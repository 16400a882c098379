"""The console in a real browser: every page is readable by everybody, and two people do what takes two."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from assent.services.demo.asking import ID
from assent.store.records import ConversationFilter
from assent.store.records import Page as Stretch
from tests.browser.sites import LiveSite

WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
SHOTS = os.environ.get("ASSENT_SHOTS", "")
"""Where pictures of the pages go; none are taken without it."""


@pytest.fixture
def office(chromium: Browser, lantern_site: LiveSite) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport=WIDE, base_url=lantern_site.address)
    lantern_site.enter_as_staff(context, "ann@lantern.example", "officer")
    yield context
    context.close()


@pytest.fixture
def second(chromium: Browser, lantern_site: LiveSite) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport=WIDE, base_url=lantern_site.address)
    lantern_site.enter_as_staff(context, "ben@lantern.example", "officer")
    yield context
    context.close()


def faults(page: Page) -> list[object]:
    """Hold a page against axe-core, and see that nothing runs out of the screen."""
    found: list[object] = [
        (page.url, one["id"], node["html"][:200], node["failureSummary"][:300])
        for one in Axe().run(page).response["violations"]
        for node in one["nodes"]
    ]
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return found + ([(page.url, "too wide", wide)] if wide > 0 else [])


def sound(page: Page) -> None:
    assert not faults(page)


def shot(page: Page, name: str) -> None:
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def addresses(site: LiveSite) -> dict[str, str]:
    """Name an address of every page of the console that an officer may open without a reason."""
    store = site.wiring.store
    (plan, *_), (sweep, *_) = store.plans(Stretch(1)).items, store.sweeps(Stretch(1)).items
    (entry, *_) = store.conversations(ConversationFilter(), Stretch(1)).items
    hold, policy = next(iter(store.holds())), site.wiring.policies[-1]
    return {
        "home": "/console",
        "campaigns": "/console/campaigns",
        "campaign": f"/console/campaigns/{ID}",
        "notice": f"/console/campaigns/{ID}/notice",
        "close": f"/console/campaigns/{ID}/close",
        "policy": "/console/policy",
        "diff": "/console/policy/diff",
        "version": f"/console/policy/version/{quote(policy.digest, safe='')}",
        "plans": "/console/plans",
        "plan": f"/console/plans/{plan.digest[7:19]}",
        "approvals": "/console/approvals",
        "erasing": "/console/erasing",
        "sweep": f"/console/sweeps/{sweep.id}",
        "conversation": f"/console/conversations/{quote(entry.id, safe='')}",
        "forecast": "/console/forecast",
        "holds": "/console/holds",
        "hold": f"/console/holds/{hold.id}",
        "hold a query": "/console/holds/new/query",
        "requests": "/console/requests",
        "people": "/console/people",
        "cuts": "/console/cuts",
        "cut": "/console/cuts/first/1",
        "ledger": "/console/ledger",
        "receipts": "/console/receipts",
        "staff": "/console/staff",
        "looks": "/console/looks",
        "evidence": "/console/evidence",
    }


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def settled(page: Page, of: str) -> None:
    """Reload until what a form began beside the requests is done."""
    for _ in range(60):
        if not page.get_by_text("It is being worked out").count():
            return
        page.wait_for_timeout(250)
        page.goto(of)
    raise AssertionError(of)


@pytest.mark.parametrize(
    ("scheme", "size"),
    [
        ("light", WIDE),
        pytest.param("dark", NARROW, marks=pytest.mark.deep),
        pytest.param("dark", WIDE, marks=pytest.mark.deep),
        pytest.param("light", NARROW, marks=pytest.mark.deep),
    ],
)
def test_every_page_is_accessible_and_fits(chromium: Browser, worked_out: LiveSite, scheme: str, size: Any) -> None:
    context = chromium.new_context(viewport=size, color_scheme=scheme, base_url=worked_out.address)
    worked_out.enter_as_staff(context, "ann@lantern.example", "officer")
    page = context.new_page()
    found: list[object] = []
    for name, address in addresses(worked_out).items():
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        found += faults(page)
        shot(page, f"{name}-{scheme}-{size['width']}")
    context.close()
    assert not found


@pytest.fixture(scope="module")
def worked_out(chromium: Browser, lantern_site: LiveSite) -> LiveSite:
    """Have an engineer make a plan, and count what the pages show."""
    context = chromium.new_context(viewport=WIDE, base_url=lantern_site.address)
    lantern_site.enter_as_staff(context, "eve@lantern.example", "engineer")
    page = context.new_page()
    page.goto("/console/forecast")
    press(page, "Compute again")
    settled(page, "/console/forecast")
    page.goto("/console/plans")
    press(page, "Make a plan for now")
    settled(page, "/console/plans")
    page.goto("/console/cuts/first/1")
    press(page, "Decide every row anew")
    settled(page, "/console/cuts/first/1")
    expect(page.locator("main")).to_contain_text("decided")
    press(page, "Compare every file")
    settled(page, "/console/cuts/first/1")
    expect(page.locator("main")).to_contain_text("as the manifest says")
    page.goto("/console/ledger")
    press(page, "Recompute the whole ledger")
    settled(page, "/console/ledger")
    expect(page.locator("main")).to_contain_text("every leaf, tile and root follows")
    context.close()
    return lantern_site


def test_the_forecast_is_a_picture_without_scripts_and_a_table(office: BrowserContext, lantern_site: LiveSite) -> None:
    page = office.new_page()
    page.goto("/console/forecast")
    if not page.locator("img.chart").count():
        press(page, "Compute again")
        settled(page, "/console/forecast")
    picture = page.locator("img.chart")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    expect(page.get_by_role("table")).to_contain_text("Month")
    answer = page.request.get("/console/forecast.svg")
    assert "<script" not in answer.text()
    assert answer.headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_a_notice_is_previewed_in_a_frame_that_can_send_nothing(office: BrowserContext) -> None:
    page = office.new_page()
    page.goto(f"/console/campaigns/{ID}/notice")
    frame = page.frame_locator("iframe.preview")
    expect(frame.get_by_role("heading", level=1)).to_be_visible()
    assert page.locator("iframe.preview").get_attribute("sandbox") == ""


def test_two_people_carry_out_a_plan_in_two_browsers(
    chromium: Browser, lantern_site: LiveSite, office: BrowserContext, second: BrowserContext
) -> None:
    ann, ben = office.new_page(), second.new_page()
    due_by_deletion(lantern_site)
    ann.goto("/console/plans")
    press(ann, "Make a plan for now")
    settled(ann, "/console/plans")
    if "/console/plans?" in ann.url or ann.url.endswith("/console/plans"):
        ann.locator("table a.code").first.click()
    plan = ann.url.partition("?")[0]
    ann.get_by_label("Why this is to go").fill("looked through by the office")
    press(ann, "Ask for a second person")
    expect(ann.locator("main")).to_contain_text("Somebody else than ann@lantern.example has to approve this.")
    assert not ann.get_by_role("button", name="Approve exactly this plan").count()
    sound(ann)
    shot(ann, "plan-asked")

    ben.goto(plan)
    expect(ben.locator("main")).to_contain_text("looked through by the office")
    shot(ben, "plan-to-approve")
    press(ben, "Approve exactly this plan")
    expect(ben.get_by_role("status")).to_contain_text("Approved")

    ann.goto(plan)
    erased = lantern_site.wiring.store.counts().tombstones
    press(ann, "Carry out")
    settled(ann, plan)
    expect(ann.locator("main")).to_contain_text("What was carried out")
    assert lantern_site.wiring.store.counts().tombstones > erased
    sound(ann)
    shot(ann, "plan-carried-out")


def due_by_deletion(site: LiveSite) -> None:
    """Let a person have deleted something some weeks ago, so that a plan has something to carry out."""
    store = site.wiring.store
    entries = store.conversations(ConversationFilter(deleted=False, flagged=False), Stretch(200)).items
    for entry in entries[:40]:
        store.request_deletion(entry.id, site.wiring.now() - timedelta(days=29))


def test_a_hold_is_placed_by_one_and_released_by_two(
    lantern_site: LiveSite, office: BrowserContext, second: BrowserContext
) -> None:
    ann, ben = office.new_page(), second.new_page()
    subject = lantern_site.wiring.store.conversations(ConversationFilter(), Stretch(1)).items[0].subject
    ann.goto("/console/holds/new/person")
    ann.get_by_label("The person’s id").fill(subject or "")
    ann.get_by_label("Matter").fill("2025-CV-7")
    ann.get_by_label("Reason").fill("preservation order")
    ann.get_by_label("must not be told").check()
    sound(ann)
    press(ann, "Place the hold")
    expect(ann.get_by_role("status")).to_contain_text("The hold stands")
    expect(ann.locator("main")).to_contain_text("gag")
    hold = ann.url.partition("?")[0]
    ann.get_by_label("Why it may be released").fill("the case is settled")
    press(ann, "Ask for the release")
    expect(ann.locator("main")).to_contain_text("You asked. Somebody else has to release it.")
    assert not ann.get_by_role("button", name="Release the hold").count()

    ben.goto(hold)
    sound(ben)
    shot(ben, "hold-to-release")
    press(ben, "Release the hold")
    expect(ben.get_by_role("status")).to_contain_text("released")
    found = lantern_site.wiring.store.hold(hold.rpartition("/")[2])
    assert found is not None
    assert found.released_by == "ann@lantern.example, ben@lantern.example"


def test_a_person_is_shown_to_whoever_says_why_and_that_is_written_down(
    lantern_site: LiveSite, office: BrowserContext
) -> None:
    page, store = office.new_page(), lantern_site.wiring.store
    subject = store.conversations(ConversationFilter(), Stretch(1)).items[0].subject
    assert subject
    page.goto("/console/people")
    page.get_by_label("The id that the product uses").fill(subject)
    press(page, "Look up")
    expect(page.get_by_role("heading", level=1)).to_have_text("Why do you look?")
    sound(page)
    page.get_by_label("Reason").fill("request 17")
    page.get_by_role("button", name="Write it down and look").click()
    expect(page.locator("h1")).to_contain_text(subject)
    sound(page)
    shot(page, "person")
    assert [(one.about, one.reason) for one in store.looks(Stretch(1)).items] == [(subject, "request 17")]


def test_a_reviewer_reads_a_flag_redacted_and_upholds_it(chromium: Browser, lantern_site: LiveSite) -> None:
    context = chromium.new_context(viewport=WIDE, base_url=lantern_site.address)
    lantern_site.enter_as_staff(context, "sam@lantern.example", "safety")
    page = context.new_page()
    page.goto("/console/flags?all=yes")
    sound(page)
    shot(page, "flags")
    store = lantern_site.wiring.store
    flag = next(one for one in store.flags(Stretch(200)).items if one.reversed_at is None)
    page.goto(f"/console/flags/{quote(flag.id, safe='')}")
    sound(page)
    page.get_by_role("link", name="Read it redacted…").click()
    page.get_by_label("Reason").fill("review of the week")
    page.get_by_role("button", name="Write it down and look").click()
    expect(page.locator("main")).to_contain_text("redacted: names, addresses")
    sound(page)
    shot(page, "flag-redacted")
    assert store.accesses(Stretch(1)).items[0].reason == "review of the week"
    page.goto(f"/console/flags/{quote(flag.id, safe='')}")
    sound(page)
    shot(page, "flag")
    page.get_by_label("Why, without quoting content").fill("a threat against a person")
    press(page, "Uphold")
    expect(page.get_by_role("status")).to_contain_text("Upheld")
    context.close()
