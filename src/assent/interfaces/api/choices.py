"""Choices: one act of one person on what they were shown, what it does, and the receipt of it."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated, Any, Final, Literal

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from assent.domain.facts import Act, Scope
from assent.interfaces.api.access import Officer, Product, Reader
from assent.interfaces.api.asked import ChoiceId, OfPerson
from assent.interfaces.api.effects import EffectsOut, effects_out
from assent.interfaces.api.problems import StatusError
from assent.interfaces.api.resource import Instant, Output, Word, problems, resource
from assent.interfaces.api.world import World
from assent.ledger.receipt import encode_receipt
from assent.services.choose.choose import Answer, Outcome, quote
from assent.services.choose.effects import effects_of
from assent.services.choose.request import WrittenRequest, choose_on_request
from assent.services.choose.several import Asked, choose_several
from assent.services.choose.snapshot import MAX_TOKEN_CHARACTERS
from assent.services.ledger.prove import prove
from assent.services.ledger.queue import GroupQueue, OwnThread
from assent.services.receipts.issue import html, kantara_of, receipt_of
from assent.services.receipts.shown import shown_terms
from assent.store.records import Choice

CHOICES: Final = "/v1/choices"

Form = Literal["json", "html", "kantara"]

_MEDIA: Final[dict[Form, str]] = {
    "json": "application/ld+json",
    "html": "text/html; charset=utf-8",
    "kantara": "application/json",
}
_PAGE: Final = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}


class ChoiceIn(OfPerson):
    """What a person did, on which question. The rest must be what the question was served for."""

    act: Act
    token: str = Field(max_length=MAX_TOKEN_CHARACTERS, description="As it came with the question.")
    guardian: Word = Field(default="", description="Who acts in a child's place, if anybody.")
    explain: bool = Field(default=True, description="Whether to work out what the act does.")


class WrittenIn(OfPerson):
    """What a person asked for in writing: a refusal. There is no such way to allow."""

    act: Act
    reference: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$",
        description="What names the letter or ticket; no name of a person.",
    )


class Receipts(Output):
    """Where the receipt is, in each form. Of a choice without terms, such as an imported one, there is none."""

    json_ld: str = Field(alias="json")
    html: str
    kantara: str | None


class ChoiceOut(Output):
    """An act that was taken: its leaf in the ledger, the standing before and after, and what it does."""

    id: str
    purpose: str
    act: Act
    scope: Scope
    target: str | None
    at: Instant
    leaf: int
    before: str
    after: str
    effects: EffectsOut | None
    receipt: Receipts | None


class WrittenOut(Output):
    """A refusal that was recorded, and its leaf in the ledger."""

    id: str
    purpose: str
    act: Act
    scope: Scope
    target: str | None
    at: Instant
    leaf: int
    before: str


def router(world: World) -> APIRouter:
    """Return the routes of choices."""
    routes = resource("choices")

    @routes.post(CHOICES, status_code=201, responses=problems(404))
    async def record_choice(what: ChoiceIn, request: Request, _caller: Product) -> ChoiceOut:
        """Record what a person did on the question that they were shown.

        The act is in the ledger when this answers. The same act on the same token again is the same choice; another
        act on it is refused, as is everything that the person was not shown. What is refused leaves nothing behind.
        """
        return await take(world, request.app.state.choosing, what)

    @routes.post("/v1/written-requests", status_code=201, responses=problems(404))
    def record_written_request(what: WrittenIn, caller: Officer) -> WrittenOut:
        """Record that a person declined, or took a permission back, in writing.

        The same request under the same reference again changes nothing. Nobody allows for somebody else: that is
        refused, whoever asks.
        """
        scope, target = what.place
        request = WrittenRequest(
            subject=what.subject,
            purpose=what.purpose,
            act=what.act,
            role=caller.role,
            reference=what.reference,
            scope=scope,
            target=target,
        )
        made = choose_on_request(world.store, world.log, request, now=world.now())
        return WrittenOut(**_told(made.choice), leaf=made.number, before=made.choice.prior)

    @routes.get("/v1/choices/{choice}/receipt", response_class=Response, responses=_RECEIPT | problems(404, 406, 409))
    def read_receipt(
        request: Request,
        choice: ChoiceId,
        _caller: Reader,
        form: Annotated[Form | None, Query(alias="format", description="Without it, what `Accept` asks for.")] = None,
    ) -> Response:
        """Read the receipt of a choice with a proof of today: JSON-LD, a page to print, or the Kantara 1.1 form.

        Give it to the person: anybody can check it without this server. Kantara's form knows given consent only.
        """
        kind = form or _accepted(request.headers.get("accept", ""))
        proven = prove(world.store, world.log, choice)
        terms = shown_terms(world.store, proven.choice)
        if kind == "html":
            return Response(html(proven, terms), headers=_PAGE, media_type=_MEDIA[kind])
        if kind == "kantara":
            text = json.dumps(kantara_of(proven, terms), ensure_ascii=False, indent=2) + "\n"
            return Response(text, media_type=_MEDIA[kind])
        return Response(encode_receipt(receipt_of(proven, terms)), media_type=_MEDIA[kind])

    return routes


Choosing = GroupQueue[Asked, Outcome]


def in_a_thread(world: World) -> OwnThread[Asked, Outcome]:
    """Return what takes the acts of many people together, in a thread of this process."""
    policies = [policy for policy, _ in world.policies]
    return OwnThread(partial(choose_several, world.store, world.desk, enter=world.append, policies=policies))


async def take(world: World, together: Choosing, what: ChoiceIn) -> ChoiceOut:
    """Take an act, with others that come at this moment, and say what became of it."""
    scope, target = what.place
    answer = Answer(
        subject=what.subject,
        purpose=what.purpose,
        act=what.act,
        token=what.token,
        scope=scope,
        target=target,
        guardian=what.guardian,
        explain=False,
    )
    now = world.now()
    made = await together.of(Asked(answer, quote(world.desk, answer), now))
    choice = made.choice
    effects = None
    if what.explain:
        policies = [policy for policy, _ in world.policies]
        # it may take a while for somebody with many conversations, so nobody waits for it but them
        effects = effects_out(await to_thread.run_sync(effects_of, world.store, policies, choice, now))
    return ChoiceOut(
        **_told(choice),
        leaf=made.appended.number,
        before=made.before,
        after=made.after,
        effects=effects,
        receipt=_receipts(choice),
    )


_RECEIPT: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The receipt.",
        "content": {
            "application/ld+json": {"schema": {"type": "object"}},
            "application/json": {"schema": {"type": "object"}},
            "text/html": {"schema": {"type": "string"}},
        },
    }
}


def _told(choice: Choice) -> dict[str, Any]:
    return {name: getattr(choice, name) for name in ("id", "purpose", "act", "scope", "target", "at")}


def _receipts(choice: Choice) -> Receipts | None:
    if not choice.terms:
        return None
    place = f"/v1/choices/{choice.id}/receipt?format="
    kantara = f"{place}kantara" if choice.act == "allow" else None
    return Receipts(json=f"{place}json", html=f"{place}html", kantara=kantara)


def _accepted(header: str) -> Form:
    """Choose the form that an `Accept` header asks for (RFC 9110, section 12.5.1), JSON-LD where it leaves it open."""
    best: tuple[float, Form] | None = None
    for piece in header.split(",") if header.strip() else ["*/*"]:
        name, *parameters = (part.strip().lower() for part in piece.split(";"))
        form = _FORMS.get(name)
        weight = next((_weight(one[2:]) for one in parameters if one.startswith("q=")), 1.0)
        if form is not None and weight > 0 and (best is None or weight > best[0]):
            best = weight, form
    if best is None:
        raise StatusError(406, "a receipt has no such form", "accept application/ld+json or text/html")
    return best[1]


_FORMS: Final[dict[str, Form]] = {
    "application/ld+json": "json",
    "application/json": "json",
    "text/html": "html",
    "*/*": "json",
    "application/*": "json",
    "text/*": "html",
}


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
