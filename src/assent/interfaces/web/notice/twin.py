"""The question without scripts: the same bytes as in a product's page, and a form around them."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from markupsafe import Markup
from starlette.responses import Response

from assent.interfaces.web.audience import PERSON
from assent.interfaces.web.notice import asking
from assent.interfaces.web.notice import said as say
from assent.interfaces.web.pages import Pages
from assent.interfaces.web.visit import POLICY
from assent.services.campaign.offer import NotAsked
from assent.services.notice.as_html import STYLE

if TYPE_CHECKING:
    from assent.interfaces.web.visit import Visit

pages = Pages()

STYLED: Final = f"style-src 'self' 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'"
"""The only style that may stand inside a page: the question's own, which is part of what was shown."""

_NAMES: Final = ("purpose", "campaign", "conversation", "locale")


@pages.get("/notice/ask", PERSON)
def ask(visit: Visit) -> Response:
    """Put the question, or say what holds where the person is not to be asked now."""
    asked = {"client": "browser", **visit.query}
    found = asking.question(visit, asked, surface="fragment")
    if isinstance(found, NotAsked):
        said = say.said_in(visit, say.purpose_of(visit, asked), asked.get("locale", ""))
        holds = say.standing_of(visit, said.purpose)
        told, since = said.use(holds.status, holds.source), say.since(holds, said.words)
        return visit.page("notice/not_asked.html", purpose=said.purpose, holds=told, since=since)
    shown = found.served.snapshot
    holds = say.standing_of(visit, shown.purpose)
    said = say.said_in(visit, shown.purpose, shown.locale)
    response = visit.page(
        "notice/ask.html",
        fragment=Markup(found.rendering.body),  # noqa: S704 - drawn by `services.notice`, which escapes what it says
        rendering=found.rendering.digest,
        token=found.served.token,
        purpose=shown.purpose,
        conversation=shown.target if shown.scope == "conversation" else "",
        project=shown.target if shown.scope == "project" else "",
        shown_in=shown.locale,
        holds=said.use(holds.status, holds.source) if holds.choice else "",
        since=say.since(holds, said.words),
    )
    # what was shown is quoted by its digest, so its style is not taken out; it is allowed by its own
    response.headers["Content-Security-Policy"] = POLICY.replace("style-src 'self'", STYLED)
    return response


@pages.post("/notice/ask", PERSON)
def answered(visit: Visit) -> Response:
    """Take the answer that was pressed."""
    made = asking.answer(visit)
    return visit.redirect(f"/notice/answered/{made.choice.id}")


@pages.get("/notice/answered/{choice}", PERSON)
def confirmation(visit: Visit) -> Response:
    """Say what was recorded, with the receipt and the way back."""
    made = say.own_choice(visit, visit.path["choice"])
    of = say.page_words(made.locale or visit.locale)
    shown = visit.world.store.rendering(made.notice)
    said = say.said_in(visit, made.purpose, made.locale, shown.deadline if shown else None)
    sides = [{"allow": "allow", "defer": "silence"}.get(made.act, "decline")]
    if made.prior == "allowed" and sides == ["decline"]:
        sides += ["back", "undo"]
    return visit.page(
        "notice/answered.html",
        made=made,
        title=of.text(f"notice.said_{made.act}"),
        when=of.text("notice.recorded", at=of.instant(made.at)),
        left=say.left(visit, made),
        sections=[one for one in said.question.sections if one.id in sides],
        conversation=made.target if made.scope == "conversation" else "",
        project=made.target if made.scope == "project" else "",
    )


@pages.get("/notice/answered/{choice}/receipt", PERSON)
def receipt(visit: Visit) -> Response:
    """Give the receipt as a file."""
    content = asking.receipt(visit, visit.path["choice"])
    headers = {"Content-Disposition": 'attachment; filename="receipt.json"', "Cache-Control": "no-store"}
    return Response(content, 200, headers, "application/ld+json")


@pages.get("/notice/examples", PERSON)
def examples(visit: Visit) -> Response:
    """Show worked examples from the person's own account; nothing of them is kept."""
    said = say.said_in(visit, say.purpose_of(visit, visit.query), visit.query.get("locale", ""))
    asked = {name: visit.query[name] for name in _NAMES if name in visit.query}
    counts, dates = say.examples(visit, said)
    return visit.page(
        "notice/examples.html",
        counts=counts,
        dates=dates,
        pieces=say.preview(visit),
        words=said.words,
        asked=asked,
    )
