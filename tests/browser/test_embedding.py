"""assent inside a product, and beside it behind a proxy: every page works below a path, in a real browser."""

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, expect
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from assent.asgi import Application, application
from assent.interfaces.cli.init import make_home
from assent.services.session.staff import add_member, person_link, staff_link
from assent.services.tokens import add_token
from assent.wiring import Wiring
from tests.browser.sites import _wait_until_started

NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location / {{ return 200 "the product"; }}
    location /privacy/ {{
      proxy_pass {there}/;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
    }}
  }}
}}
"""


STYLED = "[...document.querySelectorAll('link[rel=stylesheet]')].every(one => one.sheet.cssRules.length)"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = make_home(Wiring(), tmp_path / "home", ("anthropic/2025-10-08",))
    made.store.close()
    return tmp_path / "home"


@contextmanager
def served(app: object) -> Iterator[str]:
    """Serve a product on a free port, in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=5))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            _wait_until_started(server, thread)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def walk_through(chromium: Browser, home: Path, address: str) -> None:
    """Come in with a link, look at every page that the first one leads to, and go out: all of it below `address`."""
    wiring = Wiring(home)
    try:
        person = person_link(
            wiring.store, "p-1", by="a test", reason="to look around", key=wiring.new_key(), now=wiring.now()
        )
        add_member(wiring.store, "ada", "officer", by="a test", now=wiring.now())
        officer = staff_link(wiring.store, "ada", key=wiring.new_key(), now=wiring.now())
    finally:
        wiring.store.close()
    for token, start in ((person, "/me"), (officer, "/console")):
        context = chromium.new_context()
        page = context.new_page()
        failed: list[str] = []
        page.on("response", lambda one, failed=failed: failed.append(one.url) if one.status >= 400 else None)
        page.goto(f"{address}/sign-in/link/{token}")
        page.get_by_role("button").click()
        assert page.url == address + start
        links = page.eval_on_selector_all("a[href]", "all => all.map(one => one.href)")
        own = sorted({link.partition("#")[0] for link in links if "127.0.0.1" in link})
        assert len(own) > 3
        assert [link for link in own if not link.startswith(f"{address}/")] == []
        for link in own:
            if "lang=" in link:
                continue
            page.goto(link)
            assert page.evaluate(STYLED), link
        page.goto(f"{address}/sign-in/sessions")
        page.get_by_role("button", name="Sign out", exact=True).click()
        expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
        assert page.url == f"{address}/sign-out"
        assert failed == []
        context.close()


def test_a_fastapi_product_mounts_it_and_opens_it_with_its_own_lifespan(chromium: Browser, home: Path) -> None:
    privacy = application(home)
    product = FastAPI(lifespan=privacy.lifespan)
    product.mount("/privacy", privacy)
    product.add_api_route("/", lambda: "the product")
    token = _token(home)
    with served(product) as address:
        assert httpx.get(address).json() == "the product"
        assert httpx.get(f"{address}/privacy/healthz").json() == {"well": True}
        walk_through(chromium, home, f"{address}/privacy")
        _ask_the_api(f"{address}/privacy", token)
    assert privacy.open is False


def test_a_starlette_product_that_forgot_the_lifespan_still_works(chromium: Browser, home: Path) -> None:
    privacy = application(home)
    product = Starlette(routes=[Route("/", lambda _: PlainTextResponse("the product")), Mount("/privacy", privacy)])
    with served(product) as address:
        walk_through(chromium, home, f"{address}/privacy")
        assert privacy.open is True
    assert privacy.open is False


def test_a_product_keeps_its_own_lifespan_and_its_own_number_of_threads(home: Path) -> None:
    from anyio import to_thread

    privacy: Application = application(home)
    seen: list[float] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> Iterator[None]:
        before = to_thread.current_default_thread_limiter().total_tokens
        async with privacy.lifespan(app):
            seen.extend((before, to_thread.current_default_thread_limiter().total_tokens))
            yield

    product = FastAPI(lifespan=lifespan)
    product.mount("/privacy", privacy)
    with served(product) as address:
        assert httpx.get(f"{address}/privacy/healthz").status_code == 200
    assert seen[0] == seen[1]


def test_it_is_served_by_itself_too(home: Path) -> None:
    privacy = application(home)
    with served(privacy) as address:
        assert privacy.open is True
        assert httpx.get(f"{address}/healthz").json() == {"well": True}
    assert privacy.open is False


@contextmanager
def beside(home: Path, *options: str) -> Iterator[str]:
    """Run `assent serve` as an operator does."""
    command = [sys.executable, "-m", "assent", "serve", "--port", "0", *options]
    environment = {**os.environ, "ASSENT_HOME": str(home)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()
            process.wait(timeout=20)


@contextmanager
def nginx(folder: Path, there: str) -> Iterator[str]:
    """Run nginx in front, which shows what is there below /privacy."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("no nginx: run `make programs`")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder.mkdir()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, there=there))
    with subprocess.Popen([program, "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            transport = httpx.HTTPTransport(retries=20)
            with httpx.Client(transport=transport) as client:
                assert client.get(address).text == "the product"
            yield address
        finally:
            process.terminate()
            process.wait(timeout=20)


def test_beside_a_product_behind_nginx_under_a_path(chromium: Browser, home: Path, tmp_path: Path) -> None:
    token = _token(home)
    with beside(home, "--root-path", "/privacy") as there, nginx(tmp_path / "nginx", there) as address:
        walk_through(chromium, home, f"{address}/privacy")
        _ask_the_api(f"{address}/privacy", token)


def _token(home: Path) -> str:
    wiring = Wiring(home)
    token = add_token(wiring.store, "product", "product", key=wiring.new_key(), now=wiring.now())
    wiring.store.close()
    return token


def _ask_the_api(address: str, token: str) -> None:
    """Ask the API below the same path."""
    answer = httpx.get(f"{address}/v1/people/p-1/standings", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    assert httpx.get(f"{address}/openapi.json").json()["openapi"] == "3.1.0"
    assert httpx.get(f"{address}/v1/people/p-1/standings").status_code == 401
