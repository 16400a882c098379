"""What `<assent-notice>` asks for: JSON for the one person of its session, at the origins that embed it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson
from starlette.responses import Response

from assent.domain.errors import AssentError
from assent.domain.instants import format_instant
from assent.interfaces.web.audience import ANYBODY, ELEMENT
from assent.interfaces.web.limits import LOOKING
from assent.interfaces.web.notice import asking
from assent.interfaces.web.notice import said as say
from assent.interfaces.web.pages import Pages
from assent.interfaces.web.sign_in.doors import tell
from assent.services.campaign.offer import NotAsked
from assent.services.session.sessions import begin
from assent.services.session.subject_token import TokenRefused, read, use_up

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from assent.interfaces.web.catalogue import Words
    from assent.interfaces.web.notice.said import Said
    from assent.interfaces.web.visit import Visit
    from assent.services.choose.ask import Question
    from assent.services.choose.standing import Standing
    from assent.store.records import Session

pages = Pages()

WORDS: Final = (
    "change",
    "change_chat",
    "close",
    "done",
    "failed",
    "full_text",
    "keep",
    "keep_out",
    "loading",
    "more",
    "only_this",
    "receipt",
    "unknown",
)
"""The element's own words; everything else it shows comes from the notice or is said here."""


def _json(what: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(what), status, {"Cache-Control": "no-store"}, "application/json")


@pages.post("/notice/session", ANYBODY, open_form=True, rate=LOOKING)
def start(visit: Visit) -> Response:
    """Exchange the product's word for who is there, good for one use, for a session of the element.

    `first` names what the element asks next; where it can be answered the answer comes along, and one request paints.
    """
    world = visit.world
    try:
        token = read(
            visit.form.get("token", ""),
            world.host_keys,
            issuer=world.settings.host_issuer,
            audience=world.settings.origin,
            now=visit.now,
            skew=timedelta(seconds=world.settings.clock_skew_seconds),
        )
        use_up(world.store, token)
    except TokenRefused as problem:
        tell(visit, f"subject token: {problem.reason}")
        return _json({"problem": problem.message, "fix": problem.fix}, 403)
    lasts = timedelta(minutes=world.settings.person_minutes)
    session, kept = begin(
        world.store,
        kind="element",
        who=token.sub,
        key=world.new_key(),
        now=visit.now,
        lasts=lasts,
        guardian=token.guardian,
        note=token.locale,
    )
    answer: dict[str, Any] = {"session": session, "ends_at": format_instant(kept.ends_at)}
    first = FIRST.get(visit.form.get("first", ""))
    if first is not None:
        # the product's word is used up: what cannot be answered is left to be asked again, and told then
        with suppress(AssentError):
            answer["first"] = first(replace(visit, session=kept, token=session), _asked(kept, visit.form))
    return _json(answer, 201)


@pages.get("/notice/question", ELEMENT)
def question(visit: Visit) -> Response:
    """Return the question as it is to be drawn, with the token that an answer quotes; or why the person is not asked.

    Outside of a campaign it is always returned: a settings page asks at any time.
    """
    return _json(_questioned(visit, _asked(visit.session, visit.query)))


def _questioned(visit: Visit, asked: Mapping[str, str]) -> dict[str, Any]:
    found = asking.question(visit, asked, surface="json")
    purpose = found.served.snapshot.purpose if not isinstance(found, NotAsked) else say.purpose_of(visit, asked)
    said = say.said_in(visit, purpose, asked.get("locale", ""))
    standing = say.standing_of(visit, purpose)
    answer = {**_head(said), "purpose": purpose, **_standing(standing, said)}
    if isinstance(found, NotAsked):
        answer |= {"asked": False, "why": found.why, "until": found.until and format_instant(found.until)}
    else:
        answer |= {"asked": True, **_question(found, said.words)}
    due = say.due_reminder(visit, standing) if asked.get("reminder") else None
    if due is not None:
        say.note_reminder(visit, due)
        text = said.words.text("notice.remind", date=said.words.day(due.at), use=said.use(standing.status, ""))
        answer["remind"] = {"choice": due.id, "said": str(text)}
    return answer


@pages.post("/notice/choice", ELEMENT)
def choice(visit: Visit) -> Response:
    """Take the answer that a person pressed, and say what was recorded."""
    made = asking.answer(visit)
    locale = made.choice.locale
    of = say.page_words(locale)
    return _json(
        {
            "choice": made.choice.id,
            "act": made.choice.act,
            "before": made.before,
            "after": made.after,
            "said": str(of.text(f"notice.said_{made.choice.act}")),
            "when": str(of.text("notice.recorded", at=of.instant(made.choice.at))),
            "left": say.left(visit, made.choice),
        },
        201,
    )


@pages.post("/notice/closed", ELEMENT)
def closed(visit: Visit) -> Response:
    """Log that the question of a campaign was closed unanswered. That is no answer, and records none."""
    asking.note_closed(visit)
    return _json({})


@pages.get("/notice/effects", ELEMENT)
def effects(visit: Visit) -> Response:
    """Return worked examples from the person's own account; nothing of them is kept."""
    asked = _asked(visit.session, visit.query)
    said = say.said_in(visit, say.purpose_of(visit, asked), asked.get("locale", ""))
    counts, dates = say.examples(visit, said)
    pieces = say.preview(visit)
    return _json(
        {
            "counts": counts,
            "dates_title": dates.title,
            "dates": dates.rows,
            "preview_title": str(said.words.text("notice.preview_title")),
            "preview_note": str(said.words.text("notice.preview_note" if pieces else "notice.preview_none")),
            "preview": [list(piece) for piece in pieces],
        }
    )


@pages.get("/notice/standing", ELEMENT)
def standing(visit: Visit) -> Response:
    """Return what holds now, in one sentence, and on whose word."""
    return _json(_stands(visit, _asked(visit.session, visit.query)))


def _stands(visit: Visit, asked: Mapping[str, str]) -> dict[str, Any]:
    said = say.said_in(visit, say.purpose_of(visit, asked), asked.get("locale", ""))
    return {**_head(said), **_standing(say.standing_of(visit, said.purpose), said)}


@pages.get("/notice/lock", ELEMENT)
def lock(visit: Visit) -> Response:
    """Return whether one conversation may be used, why, and when it is erased; and what an old one is to be told."""
    return _json(_locked(visit, _asked(visit.session, visit.query)))


def _locked(visit: Visit, asked: Mapping[str, str]) -> dict[str, Any]:
    said = say.said_in(visit, say.purpose_of(visit, asked), asked.get("locale", ""))
    found = say.lock(visit, said, asked.get("conversation", ""))
    marker = None
    if found.resumes:
        marker = {"out": False, "said": f"{said.words.text('notice.marker')} {said.line('resume')}"}
    elif found.kept_out:
        marker = {"out": True, "said": str(said.words.text("notice.why_kept_out"))}
    return {
        **_head(said),
        "said": said.use("allowed" if found.counts else "declined", ""),
        "reasons": say.reasons(found, said),
        "erased": say.erased(found, said),
        "counts": found.counts,
        "marker": marker,
    }


FIRST: Final[Mapping[str, Callable[[Visit, Mapping[str, str]], dict[str, Any]]]] = {
    "question": _questioned,
    "standing": _stands,
    "lock": _locked,
}
"""What an element can show first, by the last word of its address."""


@pages.get("/notice/receipt/{choice}", ELEMENT)
def receipt(visit: Visit) -> Response:
    """Return the receipt of one of the person's own answers."""
    content = asking.receipt(visit, visit.path["choice"])
    return Response(content, 200, {"Cache-Control": "no-store"}, "application/ld+json")


def _asked(session: Session | None, said: Mapping[str, str]) -> dict[str, str]:
    """Read what the element asks for; the language of the session stands where it names none."""
    note = session.note if session else ""
    return {**said, "locale": said.get("locale", "") or note}


def _head(said: Said) -> dict[str, Any]:
    of = said.words
    return {
        "locale": said.question.locale,
        "direction": said.question.direction,
        "words": {name: str(of.text(f"notice.{name}")) for name in WORDS},
    }


def _standing(found: Standing, said: Said) -> dict[str, Any]:
    return {
        "before": found.status,
        "source": found.source,
        "uses": found.status == "allowed" or (found.source == "default" and found.status != "declined"),
        "said": said.use(found.status, found.source),
        "since": say.since(found, said.words),
    }


def _question(found: Question, of: Words) -> dict[str, Any]:
    shown, offer = found.served.snapshot, found.offer
    escape = offer.escape if offer is not None else ()
    return {
        "body": found.rendering.body,
        "rendering": found.rendering.digest,
        "token": found.served.token,
        "about": shown.target,
        "campaign": shown.campaign,
        "blocked": bool(offer and offer.blocked),
        "escape": [{"way": way, "label": str(of.text(f"notice.escape_{way.replace(' ', '_')}"))} for way in escape],
    }
