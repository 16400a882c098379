"""What every way in does at its end: a new session, the old one ended, one cookie; and a word in the record."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import orjson

from assent.domain.errors import Refused
from assent.domain.instants import format_instant
from assent.interfaces.api.problems import StatusError
from assent.interfaces.web.cookies import COOKIE
from assent.interfaces.web.visit import own_path
from assent.services.session.open_id import is_safe
from assent.services.session.sessions import begin, end

if TYPE_CHECKING:
    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit
    from assent.store.records import StaffMember

STAFF_START: Final = "/console"
PERSON_START: Final = "/me"


def enter_person(visit: Visit, subject: str, *, guardian: str = "", after: str = "") -> Response:
    """Let a person in, and send them on to a page of the privacy centre."""
    lasts = timedelta(minutes=visit.world.settings.person_minutes)
    key = visit.world.new_key()
    token, _ = begin(
        visit.world.store, kind="person", who=subject, guardian=guardian, key=key, now=visit.now, lasts=lasts
    )
    return _through(visit, token, _below(PERSON_START, after))


def enter_staff(visit: Visit, name: str, *, after: str = "") -> Response:
    """Let a member of staff in, in the role that the table of staff gives them. Raises for everybody else."""
    member = visit.world.store.staff_member(name)
    if member is None:
        tell(visit, "no member of staff")
        fix = "ask whoever runs this server to add you: `assent staff add`"
        raise StatusError(403, f"`{name}` may not sign in here", fix)
    return _through(visit, _staff_session(visit, member), _below(STAFF_START, after))


def _staff_session(visit: Visit, member: StaffMember) -> str:
    lasts = timedelta(hours=visit.world.settings.session_hours)
    key, now = visit.world.new_key(), visit.now
    store = visit.world.store
    return begin(store, kind="staff", who=member.name, role=member.role, key=key, now=now, lasts=lasts)[0]


def _through(visit: Visit, token: str, path: str) -> Response:
    """Set the cookie of a fresh session; what the browser came with opens nothing from now on."""
    if visit.token:
        end(visit.world.store, visit.token)
    response = visit.redirect(path)
    set_cookie(response, COOKIE, token)
    return response


def set_cookie(response: Response, name: str, value: str, seconds: int | None = None) -> None:
    """Set a cookie that no script reads and that goes to this host over https alone; 0 seconds take it away.

    `Lax`, not `Strict`: whoever comes from the product or from the identity provider comes from another site.
    """
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")


def base_of(visit: Visit) -> str:
    """Return the address of the site as browsers see it, without a slash at the end.

    It is the setting `address`; without one, only a browser on this machine is let in, by the address that it asked.
    What a request says of its host leads nobody elsewhere. Raises `Refused` where a browser would not keep the cookie.
    """
    told = visit.world.settings.address
    if not told:
        request = visit.request
        told = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"
        if urlsplit(told).scheme == "https" or not is_safe(told):
            raise Refused("this server does not know its own address", "set `address` in its settings file")
    if not is_safe(told):
        fix = "reach it by https; plain http is for the machine itself (127.0.0.1), where nobody listens in between"
        raise Refused("nobody signs in over plain http: whoever listens on the way could take the session", fix)
    return told.rstrip("/")


def tell(visit: Visit, why: str) -> None:
    """Write a refusal down: the word for why, and neither token nor name."""
    line = {
        "at": format_instant(visit.now),
        "request": visit.request.scope["state"]["request"],
        "refused": why,
        "route": visit.request.scope["route"].path,
    }
    visit.world.say(orjson.dumps(line).decode())


def _below(start: str, path: str) -> str:
    """Return a page below `start` to go on to; `start` itself for any other address."""
    own = own_path(path)
    asked = urlsplit(own).path
    plain = "/." not in asked and "//" not in asked and "%" not in asked
    return own if plain and (asked == start or asked.startswith(f"{start}/")) else start
