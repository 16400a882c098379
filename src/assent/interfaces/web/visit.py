"""One visit of one page: who came, what they asked, and the ways to answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from anyio import from_thread
from starlette.responses import RedirectResponse, Response

from assent.domain.errors import Invalid
from assent.interfaces.web.catalogue import accepted, best_locale, words
from assent.interfaces.web.loaded import address_of
from assent.interfaces.web.templates import template
from assent.services.choose.choose import quote as quoted
from assent.services.choose.several import Asked
from assent.services.session.sessions import csrf_of
from assent.store.records import Page

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from starlette.requests import Request

    from assent.interfaces.api.choices import Choosing
    from assent.interfaces.api.world import World
    from assent.interfaces.web.catalogue import Words
    from assent.services.choose.choose import Answer, Outcome
    from assent.store.records import Session

FORM_FIELDS: Final = 1_200
"""The most fields one form may have: a page of a list with a box for each row, and some."""

LANGUAGE: Final = "assent-language"
"""The cookie that remembers a language that was picked."""

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""The content security policy of every page (W3C CSP 3, Trusted Types): nothing inline, nothing from elsewhere."""


@dataclass(frozen=True)
class Visit:
    """What a page knows of the request in hand. `token` is the session's; it is shown to nobody."""

    world: World
    request: Request
    session: Session | None
    choosing: Choosing
    now: datetime
    token: str = field(default="", repr=False)

    # -- who ------------------------------------------------------------------------------

    @property
    def subject(self) -> str:
        """The person who came; only where the audience is a person."""
        if self.session is None or self.session.kind not in ("person", "element"):
            raise Invalid("nobody is signed in here", "open this page from the product")
        return self.session.who

    @property
    def name(self) -> str:
        """The member of staff who came; only where the audience is staff."""
        if self.session is None or self.session.kind != "staff":
            raise Invalid("nobody is signed in here", "sign in")
        return self.session.who

    @property
    def role(self) -> str:
        """The role of the member of staff; no letters for others."""
        return self.session.role if self.session else ""

    @property
    def guardian(self) -> str:
        """Who acts in the place of a child; no letters if nobody does."""
        return self.session.guardian if self.session else ""

    # -- what they asked --------------------------------------------------------------------

    @property
    def path(self) -> Mapping[str, str]:
        """The parameters of the address."""
        return self.request.path_params

    @cached_property
    def query(self) -> dict[str, str]:
        """What stands behind the question mark; of a name that comes twice, the last value."""
        return dict(self.request.query_params)

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """The fields of the form in their order. Raises `Invalid` for a body that is no form of ours."""
        kind = self.request.headers.get("content-type", "").partition(";")[0].strip()
        if kind != "application/x-www-form-urlencoded":
            return []
        body: bytes = self.request.scope["state"]["body"]
        try:
            return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FORM_FIELDS, errors="strict")
        except ValueError:
            raise Invalid("the form cannot be read", "go back and send it again") from None

    @cached_property
    def form(self) -> dict[str, str]:
        """The fields of the form; of one that comes twice, the last value."""
        return dict(self.fields)

    def several(self, name: str) -> list[str]:
        """Return every value of a field, as ticked boxes send them."""
        return [value for key, value in self.fields if key == name]

    @cached_property
    def words(self) -> Words:
        """The language: the one picked, else what the browser asks for; for staff English, as the console is."""
        if self.session is not None and self.session.kind == "staff":
            return words("en")
        picked = self.query.get("lang") or self.request.cookies.get(LANGUAGE, "")
        return words(best_locale([picked, *accepted(self.request.headers.get("accept-language", ""))]))

    @property
    def locale(self) -> str:
        """The language of this visit."""
        return self.words.locale

    def paging(self, limit: int) -> Page:
        """Return the stretch of a list that is asked for; `limit` rows unless fewer are."""
        asked = self.query.get("limit", "")
        short = asked.isascii() and asked.isdigit() and len(asked) < 7
        rows = min(int(asked), limit) if short and int(asked) else limit
        return Page(rows, self.query.get("after") or None)

    # -- the ways to answer -------------------------------------------------------------------

    def to(self, path: str, /, **query: object) -> str:
        """Write the address of a page of ours, below whatever prefix we are mounted at."""
        asked = {name: value for name, value in query.items() if value not in (None, "")}
        root: str = self.request.scope.get("root_path", "")
        return root + path + (f"?{urlencode(asked)}" if asked else "")

    def page(self, name: str, /, status: int = 200, **values: Any) -> Response:
        """Draw a page from its template."""
        said = self.query.get("said", "")
        told = words_in(self.words, said)
        body = template(name).render(
            visit=self,
            t=self.words.text,
            to=self.to,
            file=lambda name: self.to(address_of(name)),
            piece=lambda text: quote(text, safe=""),
            csrf=csrf_of(self.token) if self.token else "",
            locale=self.locale,
            direction=self.words.direction,
            day=self.words.day,
            instant=self.words.instant,
            number=self.words.number,
            said=told,
            **values,
        )
        response = Response(body, status, {"Content-Security-Policy": POLICY}, "text/html; charset=utf-8")
        if "lang" in self.query:
            response.set_cookie(LANGUAGE, self.locale, max_age=31_536_000, httponly=True, samesite="lax")
        return response

    def redirect(self, path: str, /, said: str = "", **query: object) -> Response:
        """Send the browser on to another page of ours. `said` is a key of the catalogue, shown there once."""
        return RedirectResponse(self.to(own_path(path), said=said, **query), 303)

    def leave(self, address: str) -> Response:
        """Send the browser to an address elsewhere, which no visitor had a hand in."""
        return RedirectResponse(address, 303)

    def choose(self, answer: Answer) -> Outcome:
        """Take an act of the person together with others that come at this moment. Raises `Rejected`."""
        asked = Asked(answer, quoted(self.world.desk, answer), self.now)
        return from_thread.run(self.choosing.of, asked)


def own_path(text: str) -> str:
    """Return a path of this site; `/` for anything that could lead elsewhere."""
    try:
        split = urlsplit(text)
    except ValueError:  # half a bracket, as in `//[`
        return "/"
    plain = text.isascii() and text.isprintable() and "\\" not in text and " " not in text
    if not plain or split.scheme or split.netloc or not text.startswith("/") or text.startswith("//"):
        return "/"
    return text


def words_in(of: Words, key: str) -> str:
    """Return the message that an address names, as `chats.said.deleted`; no letters for anything else."""
    return str(of.text(key)) if "said" in key.split(".") and key in of else ""
