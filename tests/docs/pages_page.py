"""Every page in a browser, its address, who may open it and its picture: docs/reference/pages.md, from the tables.

The pictures themselves are taken by `make pictures` (tests/browser/pictures.py).
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from assent.interfaces.web.addresses import MODULES

if TYPE_CHECKING:
    from assent.interfaces.web.audience import Audience
    from assent.interfaces.web.pages import Entry

TITLES: Final = {
    "/me": "Your data",
    "/me/chats": "Conversations",
    "/me/chat": "One conversation",
    "/me/projects": "Projects",
    "/me/choices": "Your answers",
    "/me/training-sets": "Training sets",
    "/me/flags": "Flags",
    "/me/requests": "Requests",
    "/me/erased": "What was erased",
    "/me/download": "Download",
    "/me/download/{link}": "The file",
    "/me/delete-everything": "Delete everything",
    "/notice/ask": "The question",
    "/notice/answered/{choice}": "Answered",
    "/notice/examples": "Worked examples",
    "/console": "Overview",
    "/console/campaigns": "Campaigns",
    "/console/campaigns/{campaign}": "One campaign",
    "/console/campaigns/{campaign}/notice": "Its notice",
    "/console/campaigns/{campaign}/{step}": "A step of a campaign",
    "/console/policy": "Policies",
    "/console/policy/diff": "What changes between two versions",
    "/console/policy/version/{digest}": "One version",
    "/console/policy/try/{digest}": "What a version would do",
    "/console/plans": "Plans",
    "/console/plans/{plan}": "One plan",
    "/console/approvals": "Approvals",
    "/console/approvals/{approval}": "One approval",
    "/console/erasing": "Erasing",
    "/console/sweeps/{sweep}": "One sweep",
    "/console/forecast": "Forecast",
    "/console/conversations/{conversation:path}": "A conversation, explained",
    "/console/connectors": "Systems",
    "/console/connectors/{system}": "One system",
    "/console/holds": "Holds",
    "/console/holds/new/{scope}": "A new hold",
    "/console/holds/{hold}": "One hold",
    "/console/requests": "Requests to the office",
    "/console/requests/{request}": "One request",
    "/console/people": "People",
    "/console/people/{subject:path}": "One person",
    "/console/flags": "Flags to review",
    "/console/flags/{flag}": "One flag",
    "/console/flags/{flag}/redacted": "A flag, redacted",
    "/console/flags/{flag}/text": "A flag, as written",
    "/console/cuts": "Cuts",
    "/console/cuts/{name}/{number}": "One cut",
    "/console/cuts/{name}/{number}/from/{other}": "Who joined and who left",
    "/console/runs": "Runs",
    "/console/runs/{run}": "One run",
    "/console/ledger": "Ledger",
    "/console/receipts": "Receipts",
    "/console/receipts/{choice:path}": "One receipt",
    "/console/staff": "Staff",
    "/console/looks": "Looks",
    "/console/evidence": "Evidence",
    "/sign-in": "Sign in",
    "/sign-in/link/{token}": "A one-time link",
    "/sign-in/sessions": "Where you are signed in",
    "/sign-out": "Signed out",
    "/me/enter": "The door from the product",
}
"""Each page by its address."""

FILES: Final = {
    "/notice/question": "JSON, for the notice element",
    "/notice/effects": "JSON, for the notice element",
    "/notice/standing": "JSON, for the notice element",
    "/notice/lock": "JSON, for the notice element",
    "/notice/receipt/{choice}": "a receipt, for the notice element",
    "/notice/answered/{choice}/receipt": "a receipt",
    "/me/choices/receipt": "a receipt, as a page to print, as data or as a bare proof",
    "/me/erased/proof": "a proof",
    "/me/download/{link}/file": "a ZIP archive",
    "/console/campaigns/{campaign}/funnel.svg": "a chart",
    "/console/campaigns/{campaign}/preview": "the question as people see it, inside the page of its notice",
    "/console/forecast.svg": "a chart",
    "/console/cuts/{name}/{number}/lineage.svg": "a chart",
    "/console/evidence/{archive}": "a ZIP archive",
    "/sign-in/oidc": "the way to your identity provider",
    "/sign-in/oidc/back": "the way back from it",
}
"""What answers at an address and is no page, with what it is instead."""


class View(NamedTuple):
    """A page as somebody else sees it: in the dark, on a telephone, from right to left, or in the middle of an act."""

    file: str
    title: str
    says: str


VIEWS: Final = (
    View("me-dark-phone", "Your data, in the dark on a telephone", "The colours follow what the device is set to."),
    View("me-arabic-phone", "Your data, from right to left", "In Arabic; ten languages are spoken."),
    View("me-chats-phone", "Conversations on a telephone", "Tables become cards."),
    View("me-chats-confirm", "Before something is deleted", "What it does, and until when it can be undone."),
    View("notice-ask-phone", "The question on a telephone", "Both answers are equally large and both are in view."),
    View("notice-element", "The question in a page of a product", "As an element that takes over the page's colours."),
    View("console-dark", "Overview, in the dark", "The console follows the device too."),
    View("console-plans-plan-phone", "A plan on a telephone", "An approval can be given on the way."),
    View("console-reason", "Why do you look?", "Pages about one person ask first, and write the answer down."),
)
"""Pictures beside the one of each page."""

GROUPS: Final = {
    "The privacy centre": "/me",
    "The question without scripts": "/notice",
    "The console": "/console",
    "Coming and going": "/sign",
}

_HEAD: Final = """# Pages

{made}

What `assent serve` shows in a browser: each page with its address, who may open it, and its picture. The data is made
up: it is the provider of `assent demo`. `make pictures` takes the pictures again. How people and staff come in is said
in [sign in](../how-to/sign-in.md); what a person does here in [your data](../tutorials/your-data.md), an officer in
[an officer's day](../tutorials/an-officers-day.md).
"""


def entries() -> list[Entry]:
    """Give every address that can be opened, in the order of the tables."""
    return [entry for pages in MODULES for entry in pages if entry.method == "GET"]


def picture_of(path: str) -> str:
    """Name the picture of the page at an address."""
    return re.sub(r"\{(\w+)(:path)?\}", r"\1", path).strip("/").replace("/", "-") + ".webp"


def pictures() -> set[str]:
    """Name every picture that there has to be."""
    return {picture_of(path) for path in TITLES} | {f"{view.file}.webp" for view in VIEWS}


def pages_page(made: str) -> str:
    """Write the page."""
    found = {entry.path: entry for entry in entries()}
    sections = [_HEAD.format(made=made).rstrip()]
    for group, first in GROUPS.items():
        sections.append(f"## {group}")
        sections += [_section(found[path], TITLES[path]) for path in TITLES if _group(path) == first]
    sections.append("## The same pages elsewhere")
    sections += [f"### {view.title}\n\n{view.says}\n\n{_shown(view.title, f'{view.file}.webp')}" for view in VIEWS]
    rows = [f"| `{path}` | {what} | {_who(found[path].audience)} |" for path, what in FILES.items()]
    sections.append("## Addresses that are no pages\n\n| address | is | for |\n|---|---|---|\n" + "\n".join(rows))
    return "\n\n".join(sections) + "\n"


def _group(path: str) -> str:
    if path == "/me/enter":
        return "/sign"
    return next(first for first in GROUPS.values() if path.startswith(first))


def _section(entry: Entry, title: str) -> str:
    says = (inspect.getdoc(entry.handler) or "").split("\n\n")[0].replace("\n", " ")
    reason = " A reason is asked first, and written down." if entry.sensitive else ""
    about = f"`{entry.path}`, for {_who(entry.audience)}. {says}{reason}"
    return f"### {title}\n\n{about}\n\n{_shown(title, picture_of(entry.path))}"


def _shown(title: str, file: str) -> str:
    return f"![{title}](../pictures/{file})"


def _who(audience: Audience) -> str:
    if audience.kind is None:
        return "anybody"
    if audience.kind == "staff":
        return ", ".join(sorted(audience.roles))
    if audience.other is not None:
        return "whoever is signed in"
    return {"person": "the person", "element": "the notice element, for its person"}[audience.kind]
