"""Finding a chromium on this machine, and starting it so that it talks to nobody."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from assent.domain.errors import AssentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.interfaces.browser.drive import Chromium

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""Names under which the browser is installed, the first that is there counts."""

ARGUMENTS: Final = (
    # a container's root has no user namespace to make a sandbox of; the profile is empty and thrown away
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-pings",
    # what is measured must not depend on the machine: no scaling, no theme, no overlay bars
    "--force-device-scale-factor=1",
    "--hide-scrollbars",
)


def find_chromium() -> str | None:
    """Return the path of the browser of this machine, None where there is none."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


@contextmanager
def launched(program: str | None = None) -> Iterator[Chromium]:
    """Start the browser, and end it. `program`: its path; else that of this machine, else the one Playwright brought.

    Raises `AssentError` where Playwright or a browser is missing.
    """
    try:
        from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 - the extra `browser`, if installed

        from assent.interfaces.browser.drive import Chromium  # noqa: PLC0415 - imports it too
    except ImportError:
        raise AssentError("looking at a page needs `playwright`", "pip install 'assent[browser]'") from None
    if program is not None and shutil.which(program) is None:
        raise AssentError(f"there is no program `{program}`", "give the path of a chromium")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=program or find_chromium(), args=list(ARGUMENTS))
        except Error as problem:
            missing = "Executable doesn't exist" in problem.message
            reason = "there is none on this machine" if missing else "it does not start"
            fix = "apt install chromium, or name one with --chromium PATH"
            raise AssentError(f"looking at a page needs a chromium, and {reason}", fix) from None
        try:
            yield Chromium(browser)
        finally:
            browser.close()
