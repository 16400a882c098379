"""A real browser and a loopback web server for the tests of this folder.

Every test here is marked `enable_socket`. While the browser is open, `asyncio.run` does not work in this thread
(Playwright's synchronous interface keeps a loop in it): so the browser closes when the last test of this folder is
done, and a server that needs a loop runs in a thread or a process of its own.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, sync_playwright

from assent.interfaces.browser.chromium import ARGUMENTS, find_chromium
from assent.wiring import Wiring
from tests.browser.sites import LAST, LiveSite, copy_of, serving
from tests.lantern import lantern

HERE = Path(__file__).parent
STOP_S = 10

Serve = Callable[[Path], str]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let every test of this folder reach its own machine; `--disable-socket` holds everywhere else."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.enable_socket)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A launched chromium, the same for all tests here: open a context of your own, and close it."""
    path = find_chromium()
    if path is None:
        raise RuntimeError("there is no chromium for the tests in a browser: run `make programs`")
    here = psutil.Process()
    before = set(here.children(recursive=True))
    started: set[psutil.Process] = set()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
            started = set(here.children(recursive=True)) - before
            try:
                yield browser
            finally:
                browser.close()
    finally:
        _reap(started)


@pytest.fixture(scope="package")
def pages() -> Iterator[Serve]:
    """Serve a folder on loopback; returns its address without a slash at the end. A folder is served once."""
    served: dict[Path, str] = {}
    with ExitStack() as stack:

        def serve(folder: Path) -> str:
            if folder not in served:
                served[folder] = stack.enter_context(_serving(folder))
            return served[folder]

        yield serve


class _Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing: the test says what went wrong."""

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _reap(started: set[psutil.Process]) -> None:
    """End what is left of these processes, each by its own id: a driver that failed leaves its browser behind."""
    for process in started:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(started, timeout=STOP_S)


@pytest.fixture(scope="session")
def seeded_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a made-up provider at the end of its story: copy it (`sites.copy_of`) before you change it."""
    told = lantern(tmp_path_factory)
    assert told.said.status == 0, told.said.err
    return told.folder / "home"


@pytest.fixture(scope="module")
def lantern_site(seeded_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """The whole site, served on loopback from a copy of that home that the tests of one module share."""
    home = copy_of(seeded_home, tmp_path_factory.mktemp("site"))
    wiring = Wiring().running_from(LAST, home)
    with serving(wiring) as site:
        yield site
    wiring.store.close()
