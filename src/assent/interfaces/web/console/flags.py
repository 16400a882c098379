"""Flags to review: the surest first; text only for whoever says why, and redacted until they ask for it as written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assent.domain.errors import NotFound
from assent.interfaces.web.console.frame import REVIEWER, SAFETY, may, shown
from assent.interfaces.web.pages import Pages
from assent.pipeline.redact.block import redact
from assent.pipeline.redact.finding import RedactTerms
from assent.services.access import read_for
from assent.services.flag.appeal import decide, life_of, open_appeal
from assent.services.flag.review import Said, review
from assent.services.flag.terms import ReviewTerms

if TYPE_CHECKING:
    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit
    from assent.services.access import Reading
    from assent.store.records import Flag, ReviewDecision

pages: Final = Pages()

SAFETY_PURPOSE: Final = "safety"
_SHOWN: Final = 200


@pages.get("/console/flags", SAFETY)
def listed(visit: Visit) -> Response:
    """List flags that nobody reviewed, the surest first, or all, the newest first."""
    store, page = visit.world.store, visit.paging(visit.world.settings.list_page)
    every = visit.query.get("all") == "yes"
    listing = store.flags(page) if every else store.open_flags(page)
    found = [(flag, (visit.now - flag.at).days, _state(flag)) for flag in listing.items]
    return shown(visit, "flags.html", "/console/flags", found=found, listing=listing, every=every)


@pages.get("/console/flags/{flag}", SAFETY)
def one(visit: Visit) -> Response:
    """Show a flag, without the text that it was made on."""
    flag = _known(visit)
    store = visit.world.store
    kept = store.conversation(flag.conversation) is not None
    life = life_of(store, flag.id)
    open_ = life.appeal is not None or (life.candidate is not None and life.candidate.settled_at is None)
    return shown(
        visit,
        "flag.html",
        "/console/flags",
        flag=flag,
        state=_state(flag),
        kept=kept,
        life=life,
        decides=open_ and may(visit, REVIEWER),
        reviews=may(visit, REVIEWER),
    )


@pages.get("/console/flags/{flag}/redacted", REVIEWER, sensitive="flag")
def redacted(visit: Visit) -> Response:
    """Show the text with personal data replaced."""
    flag, found = _read(visit, "/console/flags/{flag}/redacted")
    texts = [text for _, text in found.parts[:_SHOWN]]
    replaced = redact(texts, visit.world.new_key(), flag.conversation, RedactTerms()).texts
    return _text(visit, flag, found, list(replaced), as_written=False)


@pages.get("/console/flags/{flag}/text", REVIEWER, sensitive="flag")
def as_written(visit: Visit) -> Response:
    """Show the text as it was written."""
    flag, found = _read(visit, "/console/flags/{flag}/text")
    return _text(visit, flag, found, [text for _, text in found.parts[:_SHOWN]], as_written=True)


@pages.post("/console/flags/{flag}/uphold", REVIEWER)
def uphold(visit: Visit) -> Response:
    """Write down that a person looked and finds that it is harmful."""
    return _decided(visit, "uphold")


@pages.post("/console/flags/{flag}/reverse", REVIEWER)
def reverse(visit: Visit) -> Response:
    """Write down that a person looked and finds that it is harmless; the flag's clock ends."""
    return _decided(visit, "reverse")


def _text(visit: Visit, flag: Flag, found: Reading, texts: list[str], *, as_written: bool) -> Response:
    parts = [(part, text) for (part, _), text in zip(found.parts, texts, strict=False)]
    return shown(visit, "flag_text.html", "/console/flags", flag=flag, pieces=parts, found=found, as_written=as_written)


def _read(visit: Visit, page: str) -> tuple[Flag, Reading]:
    """Read for safety, with the reason that was given for this look; the access is recorded first."""
    flag, world = _known(visit), visit.world
    look = world.store.last_look(visit.name, page, flag.id)
    versions = [policy for policy, _ in world.policies]
    reason = look.reason if look is not None else ""
    found = read_for(
        world.store,
        versions,
        flag.conversation,
        purpose=SAFETY_PURPOSE,
        by=visit.name,
        reason=reason,
        now=visit.now,
    )
    return flag, found


def _decided(visit: Visit, decision: ReviewDecision) -> Response:
    """Decide the appeal that is open against a flag, or review the flag; severe ones take two who agree."""
    flag, world = _known(visit), visit.world
    said = Said(flag.id, visit.name, decision, visit.form.get("reason", ""))
    here = f"/console/flags/{flag.id}"
    if open_appeal(world.store, flag.id) is not None:
        decide(world.store, said, now=visit.now)
        return visit.redirect(here, done="decided")
    versions = [policy for policy, _ in world.policies]
    settled = review(world.store, versions, said, ReviewTerms(), now=visit.now).settled
    return visit.redirect(here, done="second" if settled is None else "reviewed" if settled == "uphold" else "reversed")


def _state(flag: Flag) -> str:
    return "reversed" if flag.reversed_at else "upheld" if flag.reviewed_at else "waits"


def _known(visit: Visit) -> Flag:
    found = visit.world.store.flag(visit.path["flag"])
    if found is None:
        raise NotFound("there is no such flag", "look at the list")
    return found
