"""Cuts over HTTP: which there are, and whether everything in one may still be used."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from assent.domain.errors import NotFound
from assent.interfaces.api.access import Staff as Reading
from assent.interfaces.api.resource import Instant, Output, problems, resource
from assent.interfaces.api.world import World
from assent.policy.versions import by_date
from assent.services.cut.differing import find_cut
from assent.services.cut.freshness import freshness
from assent.services.cut.watch import live_cuts
from assent.store.records import Cut


class CutEntry(Output):
    """A cut. `manifest` is its digest; `at` the instant at which it was decided."""

    name: str
    number: int
    purpose: str
    at: Instant | None
    manifest: str


class CutList(Output):
    """Every cut that is not retired, newest first."""

    cuts: list[CutEntry]


class CutState(CutEntry):
    """How a cut stands: rows as written, rows erased since, and rows that may not be used any more, by reason."""

    checked_at: Instant
    rows: int
    erased: int
    stale: dict[str, int] = Field(description="Rows by what stops them; empty if every row may be used.")
    fresh: bool


def router(world: World) -> APIRouter:
    """Return the cuts' routes. They hold no content and nobody's id, and are for those who take cuts or watch them."""
    routes = resource("cuts")

    @routes.get("/v1/cuts", responses=problems(403))
    def list_cuts(_caller: Reading) -> CutList:
        """List cuts that are not retired, newest first."""
        return CutList(cuts=[_entry(cut) for cut in live_cuts(world.store)])

    @routes.get("/v1/cuts/{name}/{number}", responses=problems(403, 404, 409))
    def read_cut(
        _caller: Reading,
        name: Annotated[str, Path(max_length=64)],
        number: Annotated[int, Path(ge=1, le=2**31 - 1)],
    ) -> CutState:
        """Say whether everything in a cut may still be used, decided anew for each of its rows."""
        cut = find_cut(world.store, name, number)
        if cut.retired_at is not None:
            raise NotFound(f"cut `{name}` number `{number}` is retired", "list the cuts to see the others")
        policies = by_date([policy for policy, _ in world.policies])
        found = freshness(world.store, world.new_columns(), policies, cut, world.now())
        return CutState(
            **_entry(cut).model_dump(),
            checked_at=found.at,
            rows=found.rows,
            erased=found.erased,
            stale=dict(found.stale),
            fresh=found.fresh,
        )

    return routes


def _entry(cut: Cut) -> CutEntry:
    purpose = cut.purpose or ""
    return CutEntry(name=cut.name, number=cut.number, purpose=purpose, at=cut.decided_at, manifest=cut.manifest)
