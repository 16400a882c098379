"""Every page of the site: a new module of pages is added here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assent.interfaces.web import reasons
from assent.interfaces.web.centre import addresses as centre
from assent.interfaces.web.console import addresses as console
from assent.interfaces.web.notice import element, twin
from assent.interfaces.web.sign_in import link, person, provider, sessions
from assent.interfaces.web.site import Site

if TYPE_CHECKING:
    from starlette.datastructures import State

    from assent.interfaces.api.world import World

MODULES: Final = (
    reasons.pages,
    element.pages,
    twin.pages,
    *centre.ALL,
    *console.ALL,
    provider.pages,
    link.pages,
    person.pages,
    sessions.pages,
)


def create_site(world: World, state: State) -> Site:
    """Put the pages together on the ports of `world`; `state` is the API's."""
    return Site(world, state, MODULES)
