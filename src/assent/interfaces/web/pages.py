"""The table of addresses, and the one choke point that every visit passes.

    pages = Pages()

    @pages.get("/me/chats", PERSON)
    def chats(visit: Visit) -> Response: ...

Before a page is asked, `Site` has looked the session up, compared it with the page's audience,
and, for a form, has seen that it was sent from a page of ours by the browser that holds the
session. A page can forget none of it, because it can do none of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from starlette.responses import Response

from assent.interfaces.web.audience import ELEMENT, Audience
from assent.interfaces.web.limits import Rate
from assent.interfaces.web.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Iterator

Handler: TypeAlias = Callable[[Visit], Response]
Method = Literal["GET", "POST"]

READ_ONLY: Final = "auditor"
"""The role that may open pages and change nothing."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One address. `sensitive` names the part of the path that says about whom a sensitive page is.

    `open_form` is a form that takes no session's proof, because what it brings is the proof: a way in. `rate` is how
    often one visitor may ask, where that is not what is usual: many people may come from one address.
    """

    method: Method
    path: str
    audience: Audience
    handler: Handler
    sensitive: str = ""
    open_form: bool = False
    rate: Rate | None = None


class Pages:
    """The addresses of one module."""

    def __init__(self) -> None:
        """Begin without any."""
        self.entries: list[Entry] = []

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def get(self, path: str, audience: Audience, *, sensitive: str = "") -> Callable[[Handler], Handler]:
        """Show something at an address. What it shows changes nothing."""
        return self._keep(partial(Entry, "GET", path, audience, sensitive=sensitive))

    def post(
        self,
        path: str,
        audience: Audience,
        *,
        sensitive: str = "",
        open_form: bool = False,
        rate: Rate | None = None,
    ) -> Callable[[Handler], Handler]:
        """Do something at an address. A role that only reads may not be in its audience."""
        if READ_ONLY in audience.roles:  # `staff()` names it; an audience without roles says that nothing is changed
            raise ValueError(path)
        if (audience.kind is None) is not open_form:
            # a form of somebody who is signed in always takes the session's proof
            raise ValueError(path)
        unproven = open_form or audience is ELEMENT
        return self._keep(partial(Entry, "POST", path, audience, sensitive=sensitive, open_form=unproven, rate=rate))

    def _keep(self, entry: Callable[[Handler], Entry]) -> Callable[[Handler], Handler]:
        def keep(handler: Handler) -> Handler:
            self.entries.append(entry(handler))
            return handler

        return keep
