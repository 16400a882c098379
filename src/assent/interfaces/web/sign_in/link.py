"""A one-time link: for the first member of staff, for a day without the identity provider, for a support desk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from assent.interfaces.api.problems import StatusError
from assent.interfaces.web.audience import ANYBODY
from assent.interfaces.web.pages import Pages
from assent.interfaces.web.sign_in.doors import base_of, enter_person, enter_staff, tell
from assent.services.session.sessions import use

if TYPE_CHECKING:
    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit

pages = Pages()


@pages.get("/sign-in/link/{token}", ANYBODY)
def show_link(visit: Visit) -> Response:
    """Show a button, the same for a good link and a bad one. Whatever follows links by itself uses none up."""
    return visit.page("sign_in/link.html", token=visit.path["token"])


@pages.post("/sign-in/link/{token}", ANYBODY, open_form=True)
def use_link(visit: Visit) -> Response:
    """Let in whom the link is for."""
    return _enter(visit, visit.path["token"])


@pages.post("/sign-in/link", ANYBODY, open_form=True)
def paste_link(visit: Visit) -> Response:
    """Let in whom a link is for that was pasted, whole or its last part."""
    return _enter(visit, visit.form.get("link", "").strip().rstrip("/").rpartition("/")[2])


def _enter(visit: Visit, token: str) -> Response:
    base_of(visit)
    invitation = use(visit.world.store, token, "invitation", now=visit.now)
    if invitation is None:
        tell(visit, "link")
        fix = "a link works once and for 15 minutes: ask for another one"
        raise StatusError(403, "this way in is not good, or not good any more", fix)
    if json.loads(invitation.note)["as"] == "staff":
        return enter_staff(visit, invitation.who)
    return enter_person(visit, invitation.who)
