"""Flags to review, in the order of the queue; text only for whoever says why, redacted until asked for as written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from assent.interfaces.web.console.frame import REVIEWER, SAFETY, may, shown
from assent.interfaces.web.pages import Pages
from assent.pipeline.redact.block import redact
from assent.pipeline.redact.finding import RedactTerms
from assent.services.access import read_for
from assent.services.flag.appeal import decide, life_of, open_appeal
from assent.services.flag.queue import queue
from assent.services.flag.review import Said, review
from assent.services.flag.terms import ReviewTerms

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit
    from assent.services.access import Reading
    from assent.services.flag.appeal import Life
    from assent.store.records import Candidate, Flag, ReviewDecision

pages: Final = Pages()

SAFETY_PURPOSE: Final = "safety"
_SHOWN: Final = 200


class Finding(NamedTuple):
    """What people look at: a flag, or what becomes one only if it is upheld. `kind` is why it is looked at."""

    id: str
    conversation: str
    category: str
    score: float | None
    by: str
    at: datetime
    kind: str
    state: str
    reason: str = ""
    reviewed_at: datetime | None = None
    reversed_at: datetime | None = None


@pages.get("/console/flags", SAFETY)
def listed(visit: Visit) -> Response:
    """List what waits for people, in the order of the queue, as commands and the API do; or all flags, newest first."""
    world = visit.world
    if visit.query.get("all") == "yes":
        listing = world.store.flags(visit.paging(world.settings.list_page))
        found = [_of_flag(flag) for flag in listing.items]
        return shown(visit, "flags.html", "/console/flags", found=found, listing=listing, waiting=None)
    versions = [policy for policy, _ in world.policies]
    waiting = queue(world.store, versions, ReviewTerms(), now=visit.now, limit=world.settings.list_page)
    found = [_of_candidate(one) for one in waiting.waiting]
    return shown(visit, "flags.html", "/console/flags", found=found, listing=None, waiting=waiting)


@pages.get("/console/flags/{flag}", SAFETY)
def one(visit: Visit) -> Response:
    """Show a flag or what may become one, without the text that it was made on."""
    life, found = _known(visit)
    open_ = life.appeal is not None or (life.candidate is not None and life.candidate.settled_at is None)
    return shown(
        visit,
        "flag.html",
        "/console/flags",
        flag=found,
        kept=visit.world.store.conversation(found.conversation) is not None,
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


def _text(visit: Visit, flag: Finding, found: Reading, texts: list[str], *, as_written: bool) -> Response:
    parts = [(part, text) for (part, _), text in zip(found.parts, texts, strict=False)]
    return shown(visit, "flag_text.html", "/console/flags", flag=flag, pieces=parts, found=found, as_written=as_written)


def _read(visit: Visit, page: str) -> tuple[Finding, Reading]:
    """Read for safety, with the reason that was given for this look; the access is recorded first."""
    world, (_, flag) = visit.world, _known(visit)
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
    """Decide the appeal that is open against a flag, or review it; severe ones take two who agree."""
    world, (_, flag) = visit.world, _known(visit)
    said = Said(flag.id, visit.name, decision, visit.form.get("reason", ""))
    here = f"/console/flags/{flag.id}"
    if open_appeal(world.store, flag.id) is not None:
        decide(world.store, said, now=visit.now)
        return visit.redirect(here, done="decided")
    versions = [policy for policy, _ in world.policies]
    settled = review(world.store, versions, said, ReviewTerms(), now=visit.now).settled
    return visit.redirect(here, done="second" if settled is None else "reviewed" if settled == "uphold" else "reversed")


def _known(visit: Visit) -> tuple[Life, Finding]:
    """Find what the address names. Raises `NotFound`."""
    life = life_of(visit.world.store, visit.path["flag"])
    if life.flag is not None:
        return life, _of_flag(life.flag)
    return life, _of_candidate(cast("Candidate", life.candidate))


def _of_flag(flag: Flag) -> Finding:
    state = "reversed" if flag.reversed_at else "upheld" if flag.reviewed_at else "waits"
    return Finding(
        id=flag.id,
        conversation=flag.conversation,
        category=flag.category,
        score=flag.score,
        by=flag.by,
        at=flag.at,
        kind="flagged",
        state=state,
        reason=flag.reason,
        reviewed_at=flag.reviewed_at,
        reversed_at=flag.reversed_at,
    )


def _of_candidate(one: Candidate) -> Finding:
    kind = "random sample" if one.drawn else "flagged" if one.band == "flag" else "uncertain"
    state = "waits" if one.settled_at is None else "found harmless"
    return Finding(
        one.id, one.conversation, one.category or "none", one.score, one.detector, one.queued_at, kind, state
    )
