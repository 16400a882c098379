"""One person: what holds, what they did, what an act would do, their devices, and who may act for a child."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from assent.domain.facts import Act, Scope
from assent.interfaces.api.access import Officer, Product, Reader
from assent.interfaces.api.asked import About, Subject
from assent.interfaces.api.effects import EffectsOut, effects_out
from assent.interfaces.api.problems import NOT_BLANK
from assent.interfaces.api.resource import Input, Instant, Name, Output, Paged, further, problems, resource
from assent.interfaces.api.stretch import stretch
from assent.interfaces.api.world import World
from assent.services.choose.effects import effects_of
from assent.services.choose.gate import end_guardian, record_guardian
from assent.services.choose.link import link_device
from assent.services.choose.snapshot import check_target
from assent.services.choose.standing import Source, Status, standings
from assent.store.records import Choice, Guardian


class StandingOut(Output):
    """What holds for one purpose and scope, since when, and on whose word."""

    purpose: str
    scope: Scope
    target: str | None
    status: Status
    source: Source
    since: Instant | None
    choice: str | None


class StandingList(Output):
    """One page of a person's standings: every purpose about everything, then what was decided apart."""

    standings: list[StandingOut]
    total: int
    after: str | None


class ActOut(Output):
    """One act, as it was recorded."""

    id: str
    purpose: str
    act: Act
    at: Instant
    scope: Scope
    target: str | None
    surface: str
    recorded_by: str
    locale: str
    layout: str
    options: list[str]
    before: str
    campaign: str
    policy: str
    rendering: str
    receipt: str | None


class ActList(Output):
    """One page of a person's acts, newest first."""

    choices: list[ActOut]
    total: int
    after: str | None


class ConsideredIn(About):
    """An act that a person considers."""

    purpose: Name
    act: Act


class DeviceLinkIn(Input):
    """A device without an account that turned out to be somebody's."""

    device: Name
    subject: Name


class DeviceLinkOut(Output):
    """A link; `carried` are the choices that refuse for the account what had been refused on the device."""

    device: str
    subject: str
    carried: list[str]


class GuardianIn(Input):
    """That somebody was verified as guardian of a child. `method` says how, as `signed form`."""

    subject: Name
    guardian: Name
    method: Name
    verified_at: Instant | None = Field(default=None, description="When it was verified; now if left out.")


class GuardianOut(Output):
    """Who may, or once could, act for a child."""

    subject: str
    guardian: str
    method: str
    recorded_by: str
    verified_at: Instant
    ended_at: Instant | None


class GuardianList(Output):
    """One page of a child's guardians, in the order of their verification."""

    guardians: list[GuardianOut]
    total: int
    after: str | None


NamedHere = Annotated[str, Query(min_length=1, max_length=200, pattern=NOT_BLANK)]


def router(world: World) -> APIRouter:
    """Return the routes of people."""
    routes = resource("people")
    _look(routes, world)
    _act(routes, world)
    return routes


def _look(routes: APIRouter, world: World) -> None:
    policies = [policy for policy, _ in world.policies]

    @routes.get("/v1/people/{subject}/standings")
    def list_standings(subject: Subject, page: Paged, _caller: Reader) -> StandingList:
        """List what holds for a person now. Somebody who is not known has said nothing yet."""
        found = stretch(standings(world.store, policies, subject, world.now()), page)
        items = [StandingOut.model_validate(one, from_attributes=True) for one in found.items]
        return StandingList(standings=items, total=found.total, after=found.after)

    @routes.get("/v1/people/{subject}/choices")
    def list_choices(subject: Subject, page: Paged, _caller: Reader) -> ActList:
        """List what a person did, newest first."""
        found = world.store.newest_choices(subject, page)
        return ActList(choices=[_act_out(one) for one in found.items], total=found.total, after=found.after)

    @routes.post("/v1/people/{subject}/effects", responses=problems(404))
    def weigh_act(subject: Subject, what: ConsideredIn, _caller: Reader) -> EffectsOut:
        """Say what an act would do, without recording it: what ends, what begins, and what it does not reach."""
        scope, target = what.place
        check_target(world.store, subject, scope, target)
        now: datetime = world.now()
        considered = Choice("", subject, what.purpose, what.act, now, "", "", "", now, scope, target)
        return effects_out(effects_of(world.store, policies, considered, now))

    @routes.get("/v1/guardians")
    def list_guardians(subject: NamedHere, page: Paged, _caller: Officer) -> GuardianList:
        """List who may act for a child, and who once could."""
        found = stretch(world.store.guardians_of(subject), page)
        items = [_guardian(one) for one in found.items]
        return GuardianList(guardians=items, total=found.total, after=found.after)


def _act(routes: APIRouter, world: World) -> None:
    @routes.post("/v1/device-links", status_code=201)
    def add_device_link(what: DeviceLinkIn, _caller: Product) -> DeviceLinkOut:
        """Link a device to an account.

        What was refused on the device is refused for the account too, as far as it has not decided; what was allowed
        on it stays with the device: the person is asked.
        """
        carried = link_device(world.store, world.log, what.device, what.subject, now=world.now())
        return DeviceLinkOut(device=what.device, subject=what.subject, carried=[one.choice.id for one in carried])

    @routes.post(
        "/v1/guardians",
        status_code=201,
        openapi_extra=further("Nobody is their own guardian, and nobody was verified in the future."),
    )
    def add_guardian(what: GuardianIn, caller: Officer) -> GuardianOut:
        """Record that somebody was verified as guardian of a child, who may then be asked in the child's place."""
        now = world.now()
        made = Guardian(what.subject, what.guardian, what.method, caller.name, what.verified_at or now)
        record_guardian(world.store, made, now=now)
        return _guardian(made)

    @routes.delete("/v1/guardians", status_code=204, response_model=None, responses=problems(404))
    def remove_guardian(subject: NamedHere, guardian: NamedHere, _caller: Officer) -> None:
        """Record that somebody may no longer act for a child. What they allowed stays until somebody withdraws it."""
        end_guardian(world.store, subject, guardian, now=world.now())


def _guardian(one: Guardian) -> GuardianOut:
    return GuardianOut.model_validate(one, from_attributes=True)


def _act_out(one: Choice) -> ActOut:
    plain = {name: getattr(one, name) for name in ActOut.model_fields if hasattr(one, name)}
    receipt = f"/v1/choices/{one.id}/receipt" if one.terms else None
    return ActOut(**plain | {"options": list(one.options)}, before=one.prior, rendering=one.notice, receipt=receipt)
