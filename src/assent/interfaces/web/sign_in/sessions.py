"""Whoever is in sees where they are signed in, and ends it: here, there or everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.domain.errors import NotFound
from assent.interfaces.web.audience import ANYBODY, SIGNED_IN
from assent.interfaces.web.cookies import COOKIE
from assent.interfaces.web.pages import Pages
from assent.interfaces.web.sign_in.doors import set_cookie
from assent.services.session.sessions import end

if TYPE_CHECKING:
    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit
    from assent.store.records import Session

pages = Pages()


@pages.get("/sign-in/sessions", SIGNED_IN)
def show_sessions(visit: Visit) -> Response:
    """List the sessions of whoever looks."""
    return visit.page("sign_in/sessions.html", sessions=_own(visit), name_of=_name_of)


@pages.get("/sign-out", ANYBODY)
def show_out(visit: Visit) -> Response:
    """Say that somebody is signed out."""
    return visit.page("sign_in/out.html")


@pages.post("/sign-out", SIGNED_IN)
def sign_out(visit: Visit) -> Response:
    """End this session."""
    end(visit.world.store, visit.token)
    return _out(visit)


@pages.post("/sign-out/everywhere", SIGNED_IN)
def sign_out_everywhere(visit: Visit) -> Response:
    """End every session of whoever asks, this one too."""
    for session in _own(visit):
        visit.world.store.end_session(session.digest)
    return _out(visit)


@pages.post("/sign-out/one", SIGNED_IN)
def sign_out_one(visit: Visit) -> Response:
    """End one session of whoever asks."""
    chosen = [one for one in _own(visit) if _name_of(one) == visit.form.get("session")]
    if not chosen:
        raise NotFound("you have no such session", "look at the list again")
    visit.world.store.end_session(chosen[0].digest)
    return _out(visit) if chosen[0] == visit.session else visit.redirect("/sign-in/sessions")


def _own(visit: Visit) -> list[Session]:
    """Return the live sessions of whoever asks; somebody of the same name and another kind is somebody else."""
    me = visit.session
    if me is None:
        return []
    return [one for one in visit.world.store.sessions_of(me.who) if one.kind == me.kind and one.ends_at > visit.now]


def _name_of(session: Session) -> str:
    """Return what a form calls a session: enough to tell it from others, and nothing that opens it."""
    return session.digest[:16]


def _out(visit: Visit) -> Response:
    response = visit.redirect("/sign-out")
    set_cookie(response, COOKIE, "", 0)
    return response
