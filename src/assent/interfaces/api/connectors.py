"""Connected systems over HTTP: which there are, how they stand, where copies are, and erasing every copy of some."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field, StringConstraints

from assent.connectors.port import Copy, state_of
from assent.domain.copies import CopyState
from assent.domain.errors import AssentError
from assent.interfaces.api.access import Engineer, Works
from assent.interfaces.api.resource import PLAIN, Input, Instant, Output, problems, resource
from assent.interfaces.api.world import World
from assent.services.connect.erase import erase, said
from assent.services.connect.files import NAME
from assent.services.connect.held import held_by_own_ids
from assent.services.connect.ids import formats_of, own_id
from assent.services.connect.standing import Standing, opened, standing, standings

MAX_IDS: Final = 200
"""Conversations that one request may erase; a larger list is sent in pieces, or by `assent connector erase`."""

System = Annotated[str, Path(pattern=f"^{NAME}$", description="The name it is connected under.")]
Id = Annotated[str, StringConstraints(min_length=1, max_length=1_000, pattern=PLAIN)]


class ConnectorOut(Output):
    """A connected system.

    `erasures` counts those that it was asked for by what a look in its data found; `looked_at` is the newest such look.
    `kind` is null where its file cannot be read, and `problem` says why.
    """

    name: str
    kind: str | None
    problem: str | None
    erasures: dict[CopyState, int]
    looked_at: Instant | None


class ConnectorList(Output):
    """Every connected system, by name."""

    connectors: list[ConnectorOut]


class ConnectorDetail(ConnectorOut):
    """A connected system, and in a sentence what it erases there and what it does not reach."""

    formats: list[str] = Field(description="Formats whose conversations it holds copies of, its own first.")
    reach: str
    plans: dict[str, str] = Field(description="What a plan of the system is called in the policies.")


class CopyOut(Output):
    """One copy: what it is in the words of the system, where it lies, and what remains to be done."""

    kind: str
    place: str
    state: CopyState
    note: str


class CopiesOut(Output):
    """What there is of a conversation. No copy: it is nowhere."""

    id: str
    state: CopyState | Literal["nowhere"]
    copies: list[CopyOut]


class EraseIn(Input):
    """Conversations to erase, by the system's own ids or by those of this home.

    With `maintenance` also what needs the system stopped; it is refused while it runs.
    """

    ids: list[Id] = Field(min_length=1, max_length=MAX_IDS)
    maintenance: bool = False


class OutcomeOut(Output):
    """What became of one conversation there; `note` says why it was held or could not be reached."""

    id: str
    state: CopyState | Literal["held"]
    note: str
    copies: list[CopyOut]


class ErasedOut(Output):
    """What was found of each conversation after it was erased. `removed`: every copy of every one is gone."""

    removed: bool
    outcomes: list[OutcomeOut]


def router(world: World) -> APIRouter:
    """Return the routes of connected systems. What they say holds no content; a place names no person."""
    routes = resource("connectors")

    @routes.get("/v1/connectors", responses=problems(403))
    def list_connectors(_caller: Works) -> ConnectorList:
        """List connected systems, and how far each is with what it was asked to erase; none of them is asked now."""
        return ConnectorList(connectors=[_connector(one) for one in standings(world.connectors, world.store)])

    @routes.get("/v1/connectors/{name}", responses=problems(403, 404))
    def read_connector(name: System, _caller: Works) -> ConnectorDetail:
        """Read how a system is connected, what it reaches and what it owes."""
        found = standing(world.connectors, name, world.store)
        connector, product = opened(world.connectors, name)
        return ConnectorDetail(
            **_connector(found).model_dump(),
            formats=list(formats_of(connector, product)),
            reach=product.reach,
            plans=connector.shared.plans,
        )

    @routes.get("/v1/connectors/{name}/copies", responses=problems(403, 404))
    def read_copies(
        name: System,
        _caller: Works,
        conversation: Annotated[Id, Query(description="The system's own id, or that of this home.", alias="id")],
    ) -> CopiesOut:
        """Find every copy of a conversation there; changes nothing."""
        connector, product = opened(world.connectors, name)
        one = own_id(formats_of(connector, product), conversation) or conversation
        try:
            found = product.copies([one]).get(one, ())
        except OSError as problem:
            raise AssentError(f"`{name}` does not answer: {said(problem)}", "try again when it does") from None
        return CopiesOut(id=one, state=state_of(found) if found else "nowhere", copies=_copies(found))

    @routes.post("/v1/connectors/{name}/erase", responses=problems(403, 404, 409))
    def erase_conversations(name: System, what: EraseIn, _caller: Engineer) -> ErasedOut:
        """Erase every copy of conversations there, look again, and say what is left.

        The same again does no harm, and finishes what was stopped. What a hold covers at that moment stays. What this
        home keeps of them stays in it: whoever wants that gone too has them deleted, and the sweep asks every system.
        """
        connector, product = opened(world.connectors, name)
        formats = formats_of(connector, product)
        ids = list(dict.fromkeys(own_id(formats, one) or one for one in what.ids))
        held = held_by_own_ids(world.store, formats, world.now)
        outcomes = [
            OutcomeOut(id=one.id, state=one.state, note=one.note, copies=_copies(one.copies))
            for one in erase(product, ids, held, maintenance=what.maintenance)
        ]
        return ErasedOut(removed=all(one.state == "removed" for one in outcomes), outcomes=outcomes)

    return routes


def _connector(found: Standing) -> ConnectorOut:
    return ConnectorOut(
        name=found.name,
        kind=found.kind or None,
        problem=found.problem or None,
        erasures=dict(found.erasures),
        looked_at=found.looked_at,
    )


def _copies(found: Iterable[Copy]) -> list[CopyOut]:
    return [CopyOut(kind=one.kind, place=one.place, state=one.state, note=one.note) for one in found]
