"""Staff come from their identity provider: out with a state, a nonce and a digest, back with a code."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from assent.domain.errors import NotFound
from assent.interfaces.api.problems import StatusError
from assent.interfaces.web.audience import ANYBODY
from assent.interfaces.web.cookies import SIGNING_IN
from assent.interfaces.web.pages import Pages
from assent.interfaces.web.sign_in.doors import base_of, enter_staff, set_cookie, tell
from assent.services.session.open_id import Attempt, OpenId, SignInRefused
from assent.services.session.sessions import begin, use

if TYPE_CHECKING:
    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit

pages = Pages()

BACK: Final = "/sign-in/oidc/back"
ATTEMPT_LASTS: Final = timedelta(minutes=10)
"""How long a sign-in may take at the provider."""


@pages.get("/sign-in", ANYBODY)
def show_ways(visit: Visit) -> Response:
    """Show the ways in for staff."""
    provider = visit.world.open_id
    return visit.page("sign_in/start.html", provider=provider and provider.issuer, after=visit.query.get("next", ""))


@pages.get("/sign-in/oidc", ANYBODY)
def go_to_provider(visit: Visit) -> Response:
    """Send the browser to the provider. What its answer must match stays here, and the browser gets the key to it."""
    provider, back = _provider(visit), base_of(visit) + BACK
    attempt = Attempt.of(visit.world.new_key())
    there = provider.begin(attempt, back, now=visit.now)
    note = json.dumps({**asdict(attempt), "next": visit.query.get("next", "")[:500]})
    key, now = visit.world.new_key(), visit.now
    token, _ = begin(visit.world.store, kind="signing in", who="", key=key, now=now, lasts=ATTEMPT_LASTS, note=note)
    response = visit.leave(there)
    set_cookie(response, SIGNING_IN, token, int(ATTEMPT_LASTS.total_seconds()))
    return response


@pages.get(BACK, ANYBODY)
def come_back(visit: Visit) -> Response:
    """Let in whom the provider names, if they are on the list of staff. An answer is good once."""
    provider, back = _provider(visit), base_of(visit) + BACK
    attempt = use(visit.world.store, visit.request.cookies.get(SIGNING_IN, ""), "signing in", now=visit.now)
    try:
        if attempt is None:
            raise SignInRefused("no sign-in under way")  # noqa: TRY301 - told like all others
        note = json.loads(attempt.note)
        after = note.pop("next")
        name = provider.finish(visit.query, Attempt(**note), back, now=visit.now)
    except SignInRefused as problem:
        tell(visit, f"OpenID: {problem.reason}")
        raise StatusError(403, problem.message, problem.fix) from None
    response = enter_staff(visit, name, after=after)
    set_cookie(response, SIGNING_IN, "", 0)
    return response


def _provider(visit: Visit) -> OpenId:
    if visit.world.open_id is None:
        raise NotFound("no identity provider is set up here", "set `oidc_issuer`, or sign in with a link")
    return visit.world.open_id
