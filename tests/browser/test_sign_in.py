"""People come in and go out in a real browser: through a real identity provider, from the product, with a link."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from joserfc import jwt
from joserfc.jwk import OKPKey
from playwright.sync_api import Browser, BrowserContext, Page, expect

from assent.interfaces.cli.init import make_home
from assent.interfaces.web.cookies import COOKIE, SIGNING_IN
from assent.services.session.staff import add_member, person_link, staff_link
from assent.wiring import Wiring
from tests.browser.sites import LiveSite, serving
from tests.servers.identity import CLIENT, SECRET, Identity, provider

ADA = "ada@provider.example"
KEY = OKPKey.generate_key("Ed25519")
PRODUCT = "https://chat.example"


@pytest.fixture(scope="module")
def identity() -> Iterator[Identity]:
    with provider() as running:
        verified = {"email": "Ada@provider.example", "email_verified": True}
        running.tell(people={"ada": verified, "eve": {**verified, "email_verified": False}})
        yield running


@pytest.fixture(scope="module")
def site(identity: Identity, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    home = tmp_path_factory.mktemp("sign-in") / "home"
    made = make_home(Wiring(), home, ("anthropic/2025-10-08",))
    made.store.close()
    (home / "keys" / "oidc.secret").write_text(SECRET)
    (home / "keys" / "oidc.secret").chmod(0o600)
    (home / "keys" / "host").mkdir()
    (home / "keys" / "host" / "spring.pem").write_bytes(KEY.as_pem(private=False))
    with (home / "assent.toml").open("a") as settings:
        settings.write(f'\noidc_issuer = "{identity.issuer}"\noidc_client = "{CLIENT}"\nhost_issuer = "{PRODUCT}"\n')
    wiring = Wiring(home)
    with serving(wiring) as running:
        identity.know(running.address)
        yield running
    wiring.store.close()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context()
    # the provider's page asks for a font from far away
    context.route("**/*", lambda route: route.continue_() if "//127.0.0.1:" in route.request.url else route.abort())
    yield context
    context.close()


@pytest.fixture
def page(browser: BrowserContext) -> Page:
    return browser.new_page()


def through_the_provider(page: Page, site: LiveSite, login: str, path: str = "/sign-in") -> None:
    """Sign in at the provider's own pages: name, password, yes."""
    page.goto(site.address + path)
    page.get_by_role("link", name="identity provider").click()
    page.get_by_placeholder("Enter any login").fill(login)
    page.get_by_placeholder("and password").fill("whatever")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


def cookie(browser: BrowserContext, name: str = COOKIE) -> dict | None:
    return next((one for one in browser.cookies() if one["name"] == name), None)


def test_a_member_of_staff_signs_in_at_the_providers_pages_and_lands_where_they_wanted(
    site: LiveSite, browser: BrowserContext, page: Page
) -> None:
    add_member(site.wiring.store, ADA, "auditor", by="a test", now=site.wiring.now())
    page.goto(f"{site.address}/console/staff")
    assert page.url == f"{site.address}/sign-in?next=%2Fconsole%2Fstaff"
    through_the_provider(page, site, "ada", "/sign-in?next=%2Fconsole%2Fstaff")
    assert page.url == f"{site.address}/console/staff"
    kept = cookie(browser)
    assert (kept["httpOnly"], kept["secure"], kept["sameSite"], kept["path"]) == (True, True, "Lax", "/")
    assert kept["expires"] == -1, "it ends with the browser"
    assert cookie(browser, SIGNING_IN) is None
    assert page.evaluate("document.cookie") == ""


def test_removal_ends_a_session_with_the_next_request(site: LiveSite, browser: BrowserContext, page: Page) -> None:
    add_member(site.wiring.store, ADA, "auditor", by="a test", now=site.wiring.now())
    through_the_provider(page, site, "ada")
    assert page.goto(f"{site.address}/sign-in/sessions").status == 200
    site.wiring.store.drop_staff(ADA)
    assert page.goto(f"{site.address}/sign-in/sessions").status == 401


def test_somebody_who_is_not_on_the_list_is_told_so_by_name(
    site: LiveSite, browser: BrowserContext, page: Page
) -> None:
    through_the_provider(page, site, "mallory")
    expect(page.get_by_text("`mallory` may not sign in here")).to_be_visible()
    assert cookie(browser) is None


def test_an_address_that_the_provider_did_not_verify_is_nobodys(
    site: LiveSite, browser: BrowserContext, page: Page
) -> None:
    add_member(site.wiring.store, ADA, "officer", by="a test", now=site.wiring.now())
    through_the_provider(page, site, "eve")
    expect(page.get_by_text("`eve` may not sign in here")).to_be_visible()
    assert cookie(browser) is None


def test_whoever_says_no_at_the_provider_is_not_in(site: LiveSite, browser: BrowserContext, page: Page) -> None:
    page.goto(f"{site.address}/sign-in")
    page.get_by_role("link", name="identity provider").click()
    page.get_by_text("Cancel").click()
    expect(page.get_by_text("The sign-in did not work")).to_be_visible()
    assert cookie(browser) is None


def test_the_providers_keys_change_and_people_still_come_in(
    site: LiveSite, identity: Identity, browser: BrowserContext, page: Page
) -> None:
    add_member(site.wiring.store, ADA, "engineer", by="a test", now=site.wiring.now())
    identity.tell(rotate=True)
    through_the_provider(page, site, "ada")
    assert cookie(browser) is not None


def test_an_answer_of_the_provider_is_good_once_and_in_the_browser_that_asked(
    site: LiveSite, chromium: Browser, browser: BrowserContext, page: Page
) -> None:
    add_member(site.wiring.store, ADA, "engineer", by="a test", now=site.wiring.now())
    answers: list[str] = []
    page.on("request", lambda one: answers.append(one.url) if "/oidc/back?" in one.url else None)
    through_the_provider(page, site, "ada")
    (answer,) = answers
    assert page.goto(answer).status == 403, "a second time"
    stranger = chromium.new_context()
    assert stranger.new_page().goto(answer).status == 403, "from elsewhere"
    assert cookie(stranger) is None
    stranger.close()


def test_the_first_member_of_staff_comes_in_with_a_link_that_looking_at_does_not_use_up(
    site: LiveSite, browser: BrowserContext, page: Page
) -> None:
    wiring = site.wiring
    add_member(wiring.store, "first@provider.example", "officer", by="a test", now=wiring.now())
    token = staff_link(wiring.store, "first@provider.example", key=wiring.new_key(), now=wiring.now())
    address = f"{site.address}/sign-in/link/{token}"
    for _ in range(3):
        page.goto(address)
    page.get_by_role("button").click()
    assert page.url == f"{site.address}/console"
    assert cookie(browser) is not None
    before = cookie(browser)["value"]
    page.goto(address)
    page.get_by_role("button").click()
    expect(page.get_by_text("not good any more")).to_be_visible()
    assert cookie(browser)["value"] == before


def test_a_link_can_be_pasted(site: LiveSite, browser: BrowserContext, page: Page) -> None:
    wiring = site.wiring
    add_member(wiring.store, "second@provider.example", "officer", by="a test", now=wiring.now())
    token = staff_link(wiring.store, "second@provider.example", key=wiring.new_key(), now=wiring.now())
    page.goto(f"{site.address}/sign-in")
    page.get_by_label("One-time link").fill(f"  https://privacy.example/sign-in/link/{token}/ ")
    page.get_by_role("button", name="with the link").click()
    assert page.url == f"{site.address}/console"


def subject_token(site: LiveSite, subject: str = "p-17", **claims: object) -> str:
    now = int(site.wiring.now().timestamp())
    jti = site.wiring.new_id()
    told = {
        "iss": PRODUCT,
        "aud": site.wiring.settings.origin,
        "sub": subject,
        "iat": now,
        "exp": now + 300,
        "jti": jti,
    }
    return jwt.encode({"alg": "Ed25519", "kid": "spring"}, {**told, **claims}, KEY, algorithms=["Ed25519"])


def test_a_person_comes_from_the_product_with_one_click_and_a_token_is_good_once(
    site: LiveSite, browser: BrowserContext, page: Page
) -> None:
    token = subject_token(site, locale="de")
    page.goto(f"{site.address}/me/enter?token={token}&next=/me/chats")
    page.get_by_role("button").click()
    assert page.url == f"{site.address}/me/chats"
    assert page.locator("html").get_attribute("lang") == "de"
    first = cookie(browser)["value"]
    page.goto(f"{site.address}/me/enter?token={token}")
    page.get_by_role("button").click()
    expect(page.get_by_text("not good any more")).to_be_visible()
    assert cookie(browser)["value"] == first


@contextmanager
def product(action: str, fields: dict[str, str]) -> Iterator[str]:
    """A page of another origin with a form that goes to us."""
    inputs = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in fields.items())
    body = f'<form method="post" action="{action}">{inputs}<button>Privacy</button></form>'.encode()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        # another site to the browser, the same machine to us
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_form_of_another_site_signs_nobody_in(site: LiveSite, chromium: Browser) -> None:
    context = chromium.new_context()
    page = context.new_page()
    with product(f"{site.address}/me/enter", {"token": subject_token(site)}) as elsewhere:
        page.goto(elsewhere)
        page.get_by_role("button").click()
        expect(page.get_by_text("sent from a page of another site")).to_be_visible()
    assert cookie(context) is None
    context.close()


def test_a_sign_in_makes_a_new_session_and_ends_the_one_before(
    site: LiveSite, browser: BrowserContext, page: Page
) -> None:
    site.enter_as_person(browser, "p-17")
    planted = cookie(browser)["value"]
    page.goto(f"{site.address}/me/enter?token={subject_token(site, 'p-18')}")
    page.get_by_role("button").click()
    assert cookie(browser)["value"] != planted
    answer = httpx.get(f"{site.address}/sign-in/sessions", headers={"cookie": f"{COOKIE}={planted}"})
    assert answer.status_code == 401


def test_somebody_sees_their_sessions_and_ends_them(site: LiveSite, chromium: Browser) -> None:
    here, there = chromium.new_context(), chromium.new_context()
    for context in (here, there):
        site.enter_as_person(context, "p-20")
    site.token("person", "p-21")
    page = here.new_page()
    page.goto(f"{site.address}/sign-in/sessions")
    assert page.locator("tbody tr").count() == 2
    assert page.get_by_text("This browser").count() == 1
    page.locator("tbody tr", has_not_text="This browser").get_by_role("button").click()
    assert page.locator("tbody tr").count() == 1
    assert there.new_page().goto(f"{site.address}/sign-in/sessions").status == 401
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    assert cookie(here) is None
    assert page.goto(f"{site.address}/sign-in/sessions").status == 401
    for context in (here, there):
        context.close()


def test_an_officer_lets_a_person_in_and_that_is_written_down(
    site: LiveSite, browser: BrowserContext, page: Page
) -> None:
    wiring = site.wiring
    made = person_link(
        wiring.store, "p-30", by="grace@provider.example", reason="by phone", key=wiring.new_key(), now=wiring.now()
    )
    page.goto(f"{site.address}/sign-in/link/{made}")
    page.get_by_role("button").click()
    assert page.url == f"{site.address}/me"
    look = wiring.store.last_look("grace@provider.example", "person-link", "p-30")
    assert look.reason == "by phone"


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_everybody_can_use_the_ways_in(
    site: LiveSite, chromium: Browser, language: str, scheme: str, width: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    for path in ("/sign-in", "/sign-in/link/x", "/me/enter", "/me/enter?token=x", "/sign-out", "/sign-in/sessions"):
        if path.endswith("sessions"):
            site.enter_as_person(context, "p-40")
        page.goto(f"{site.address}{path}{'&' if '?' in path else '?'}lang={language}")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    context.close()
