"""`assent notice audit`: look at anybody's consent page with a real browser."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assent.domain.errors import NotFound
from assent.interfaces.cli.app import echo_json, echo_line

if TYPE_CHECKING:
    from assent.services.notice.audit.audit import Report


@click.command()
@click.argument("pages", metavar="URL|FILE...", nargs=-1, required=True)
@click.option("--allow", metavar="SELECTOR", default="", help="CSS selector of what allows, where it is not found.")
@click.option("--decline", metavar="SELECTOR", default="", help="CSS selector of what declines.")
@click.option("--chromium", metavar="PATH", help="The browser; the default is the chromium of this machine.")
@click.option(
    "--screenshot",
    "pictures",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep what each window showed.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per page instead of text.")
def audit(
    pages: tuple[str, ...],
    allow: str,
    decline: str,
    chromium: str | None,
    pictures: Path | None,
    *,
    as_json: bool,
) -> int:
    """Open a page that asks for consent in a real browser, try it, and say what is unfair about it.

    Works on anybody's page, at 1280x800 and at 390x844: size, font and contrast of both answers, steps and time to
    each, presets, focus, what Enter, Escape, scrolling, closing, leaving and a minute of waiting do, keyboard,
    200 % zoom, less motion, no scripts, and the words (docs/how-to/audit-a-notice.md). Findings are errors, warnings,
    and what could not be looked at (unchecked).

    Only the page and what it needs to be drawn is loaded, into a fresh temporary profile. No answer is ever sent: every
    request that is not a GET, and every GET that carries an answer, is noted and stopped on this machine.

    It does not see: text in pictures, misleading words that are on no list, what a screen reader says, friction that
    depends on who asks or how often, what a server does with an answer, pages within pages. A page that looks for
    robots can behave well for this one. Without findings a page is not proven fair; with errors it is not.

    Exit status: 0 no errors, 2 errors, 1 broken, 3 no such file or no question found, 4 the page does not open.

    \b
    Examples:
      assent notice audit https://example.com/
      assent notice audit notice.html --screenshot shots
      assent notice audit page.html --allow '#yes' --decline '#no' --json
    """
    from assent.interfaces.browser.chromium import launched
    from assent.services.notice.audit.audit import audit as audited
    from assent.services.notice.audit.port import Page

    for page in pages:
        if "://" not in page and not Path(page).is_file():
            raise NotFound(f"no page `{page}`", "give a file, or an address that begins with https://")
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
    fair = True
    with launched(chromium) as browser:
        for page in pages:
            echo_line(f"looking at {page} ...", err=True)
            report = audited(browser, Page(page, allow, decline), pictures=pictures)
            if as_json:
                echo_json(report.to_record())
            else:
                _show(report)
            fair = fair and report.fair
    return 0 if fair else 2


def _show(report: Report) -> None:
    for finding in report.findings:
        echo_line(f"{report.page}: {finding.viewport}: {finding.level} {finding.requirement}: {finding.measured}")
        place = f" at `{finding.where}`" if finding.where else ""
        echo_line(f"  allowed: {finding.allowed}{place}")
    counts = Counter(finding.level for finding in report.findings)
    said = f"{counts['error']} errors, {counts['warning']} warnings, {counts['unchecked']} not checked"
    echo_line(f"{report.page}: {said}")
