"""A person comes from the product: it signed a token that says who they are, good for minutes and for one use."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from assent.interfaces.api.problems import StatusError
from assent.interfaces.web.audience import ANYBODY
from assent.interfaces.web.limits import LOOKING
from assent.interfaces.web.pages import Pages
from assent.interfaces.web.sign_in.doors import base_of, enter_person, tell
from assent.interfaces.web.visit import LANGUAGE
from assent.services.session.subject_token import TokenRefused, read, use_up

if TYPE_CHECKING:
    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit

pages = Pages()


@pages.get("/me/enter", ANYBODY)
def show_door(visit: Visit) -> Response:
    """Show a button. Whatever follows links by itself, as a scanner of mail does, uses no token up."""
    token, after = visit.query.get("token", ""), visit.query.get("next", "")
    return visit.page("sign_in/enter.html", token=token, after=after)


@pages.post("/me/enter", ANYBODY, open_form=True, rate=LOOKING)
def enter(visit: Visit) -> Response:
    """Let the person in whom the token names."""
    base_of(visit)
    settings = visit.world.settings
    try:
        token = read(
            visit.form.get("token", ""),
            visit.world.host_keys,
            issuer=settings.host_issuer,
            audience=settings.origin,
            now=visit.now,
            skew=timedelta(seconds=settings.clock_skew_seconds),
        )
        use_up(visit.world.store, token)
    except TokenRefused as problem:
        tell(visit, f"subject token: {problem.reason}")
        raise StatusError(403, problem.message, problem.fix) from None
    response = enter_person(visit, token.sub, guardian=token.guardian, after=visit.form.get("next", ""))
    if token.locale and LANGUAGE not in visit.request.cookies:
        response.set_cookie(LANGUAGE, token.locale, httponly=True, samesite="lax", secure=True)
    return response
