"""Questions: what a product shows one person, byte for byte, with the token to quote in the answer."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from assent.domain.facts import Scope
from assent.interfaces.api.access import Product
from assent.interfaces.api.asked import About
from assent.interfaces.api.resource import Fresh, Instant, Name, Output, Word, further, problems, resource
from assent.interfaces.api.world import World
from assent.services.campaign.offer import NotAsked, Why
from assent.services.choose.ask import Moment, Question, Wanted, ask
from assent.services.notice.document import Layout, Surface

Locale = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]


_RULES: Final = "The notice has the surface, locale and layout; a campaign asks about everything and says them itself."


class QuestionIn(About):
    """Whom to ask, for what, and where it will be shown."""

    subject: Name
    purpose: Word = Field(default="", description="May be left out where a campaign asks.")
    surface: Surface
    locale: Locale
    client: Name = Field(description="The kind of device, as `desktop`; it stands in the receipt.")
    interactive: bool = Field(description="Whether a person sits there. Without one nothing can be allowed.")
    guardian: Word = Field(default="", description="Who sits there in a child's place, if anybody.")
    campaign: Word = ""
    notice: Word = Field(default="", description="Its digest; the newest one of the policy in force if left out.")
    layout: Layout | Literal[""] = ""


class CampaignSays(Output):
    """What a campaign says besides: after its deadline a person may have to answer before going on."""

    id: str
    defers_left: int
    deadline: Instant
    blocked: bool
    escape: list[str]


class Shown(Output):
    """What the snapshot says was shown, and until when it can be answered. `before` is the standing so far."""

    purpose: str
    scope: Scope
    notice: str
    policy: str
    terms: str
    surface: str
    locale: str
    layout: str
    options: list[str]
    before: str
    may_grant: bool
    issued_at: Instant
    expires_at: Instant


class QuestionOut(Output):
    """The question, or why the person is not asked now.

    Show `body` as it is: `rendering` is its digest and stands in every receipt. Quote `token` with the answer.
    """

    asked: bool
    why: Why | None = None
    until: Instant | None = None
    rendering: str | None = None
    body: str | None = None
    token: str | None = None
    shown: Shown | None = None
    campaign: CampaignSays | None = None


def router(world: World) -> APIRouter:
    """Return the routes of questions."""
    routes = resource("questions")

    @routes.post("/v1/questions", responses=problems(403, 404), openapi_extra=further(_RULES))
    def serve_question(what: QuestionIn, _caller: Product, fresh: Fresh) -> QuestionOut:
        """Draw the question for one person and sign what is about to be shown.

        In a campaign the question counts as shown. Who is not to be asked now is not an error: `asked` is false then.
        """
        scope, target = what.place
        plain = what.model_dump(exclude={"scope", "target"})
        wanted = Wanted(**plain, scope=scope, target=target)
        moment = Moment(world.now(), fresh(), world.chance())
        found = ask(world.store, world.desk, wanted, policies=world.policies, moment=moment)
        if isinstance(found, NotAsked):
            return QuestionOut(asked=False, why=found.why, until=found.until)
        return _out(found)

    return routes


def _out(found: Question) -> QuestionOut:
    said, offer = found.served.snapshot, found.offer
    shown = Shown(
        purpose=said.purpose,
        scope=said.scope,
        notice=said.notice,
        policy=said.policy,
        terms=said.terms,
        surface=said.surface,
        locale=said.locale,
        layout=said.layout,
        options=list(said.options),
        before=said.prior,
        may_grant=said.may_grant,
        issued_at=said.issued_at,
        expires_at=said.expires_at,
    )
    campaign = None
    if offer is not None:
        campaign = CampaignSays(
            id=offer.campaign,
            defers_left=offer.defers_left,
            deadline=offer.deadline,
            blocked=offer.blocked,
            escape=list(offer.escape),
        )
    return QuestionOut(
        asked=True,
        rendering=found.rendering.digest,
        body=found.rendering.body,
        token=found.served.token,
        shown=shown,
        campaign=campaign,
    )
