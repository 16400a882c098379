"""Contracts: what organisations granted for their own data. Nothing here ever counts for a person's data."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from pydantic import Field, StringConstraints

from assent.domain.errors import Invalid
from assent.interfaces.api.access import Auditor, Officer
from assent.interfaces.api.resource import (
    PLAIN,
    Fresh,
    Input,
    Instant,
    Name,
    Output,
    Paged,
    further,
    problems,
    resource,
)
from assent.interfaces.api.world import World
from assent.store.records import Contract

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


_RULE: Final = "A contract ends after it began."


class ContractIn(Input):
    """What an organisation signed. `terms` is the digest of the signed text, `signed_by` a role, not a name."""

    organisation: Name
    purposes: list[Name] = Field(min_length=1, max_length=50)
    terms: Digest
    signed_by: Name
    starts_at: Instant
    ends_at: Instant | None = None


class ContractEndIn(Input):
    """When a contract ends."""

    at: Instant | None = Field(default=None, description="Now if left out. The earliest end that was told counts.")


class ContractOut(Output):
    """A contract."""

    id: str
    organisation: str
    purposes: list[str]
    terms: str
    signed_by: str
    starts_at: Instant
    recorded_at: Instant
    ends_at: Instant | None


class ContractEnded(Output):
    """A contract that ends."""

    id: str
    ends_at: Instant


class ContractList(Output):
    """One page of contracts, the latest start first."""

    contracts: list[ContractOut]
    total: int
    after: str | None


def router(world: World) -> APIRouter:
    """Return the routes of contracts."""
    routes = resource("contracts")

    @routes.get("/v1/contracts")
    def list_contracts(
        page: Paged,
        _caller: Auditor,
        organisation: Annotated[str | None, Query(min_length=1, max_length=200, pattern=PLAIN)] = None,
    ) -> ContractList:
        """List contracts, of one organisation or all."""
        found = world.store.contracts(page, organisation)
        items = [ContractOut.model_validate(one, from_attributes=True) for one in found.items]
        return ContractList(contracts=items, total=found.total, after=found.after)

    @routes.post("/v1/contracts", status_code=201, openapi_extra=further(_RULE))
    def add_contract(what: ContractIn, _caller: Officer, fresh: Fresh) -> ContractOut:
        """Record what an organisation granted for its own data, by contract.

        It is kept apart from what people choose, and no decision about a person reads it.
        """
        if what.ends_at is not None and what.ends_at <= what.starts_at:
            raise Invalid("the contract ends before it begins", "correct `starts_at` or `ends_at`")
        plain = what.model_dump() | {"purposes": tuple(what.purposes)}
        made = Contract(id=fresh(), recorded_at=world.now(), **plain)
        world.store.add_contract(made)
        return ContractOut.model_validate(made, from_attributes=True)

    @routes.post("/v1/contracts/{contract}/end", responses=problems(404), openapi_extra=further(_RULE))
    def end_contract(
        contract: Annotated[str, Path(min_length=1, max_length=200, pattern=PLAIN)],
        what: ContractEndIn,
        _caller: Officer,
    ) -> ContractEnded:
        """Record when a contract ends."""
        at = what.at or world.now()
        world.store.end_contract(contract, at)
        return ContractEnded(id=contract, ends_at=at)

    return routes
