"""Training runs over HTTP: a trainer elsewhere starts one through the gate, and says how it ended."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path as Folder
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import Field

from assent.domain.errors import Invalid, NotFound
from assent.interfaces.api.access import Engineer, Reader
from assent.interfaces.api.access import Staff as Reading
from assent.interfaces.api.asked import Subject
from assent.interfaces.api.effects import RunNotReached
from assent.interfaces.api.resource import PLAIN, Fresh, Input, Instant, Name, Output, Paged, problems, resource
from assent.interfaces.api.world import World
from assent.services.run.plan import RunOrder, plan
from assent.services.run.reach import reached
from assent.services.run.state import abandon, fail, finish, start
from assent.store.records import Run, Weights

MAX_CONFIG = 100_000
DIGEST = r"^sha256:[0-9a-f]{64}$"
RunId = Annotated[str, Path(min_length=1, max_length=100, pattern=PLAIN)]


class RunIn(Input):
    """A run to start on a cut, its newest number unless one is named.

    `config` is what the trainer is told, as text: its digest is kept. `base` is the digest of the weights that the run
    goes on from.
    """

    cut: Name
    number: int | None = Field(default=None, ge=1, le=2**31 - 1)
    trainer: Name
    config: str = Field(default="", max_length=MAX_CONFIG)
    base: str | None = Field(default=None, pattern=DIGEST)


class EndIn(Input):
    """How a run ended. `weights` is the digest of what it made, `directory` where that lies; both where it finished."""

    state: Literal["finished", "failed", "abandoned"]
    reason: str = Field(default="", max_length=1_000, pattern=PLAIN)
    weights: str | None = Field(default=None, pattern=DIGEST)
    directory: str | None = Field(default=None, min_length=1, max_length=4_096, pattern=PLAIN)


class WeightsOut(Output):
    """What a run made, and what has become of it. `claim` is how far it may be said to be from the people in it."""

    digest: str
    made_at: Instant
    claim: str
    superseded_by: str | None
    retired_at: Instant | None


class RunOut(Output):
    """A run. From its start on `rows`, `conversations` and `people` say what it may use; `gate` is what was found."""

    id: str
    cut: str
    number: int
    manifest: str
    purpose: str
    trainer: str
    config: str
    code: str
    base: str | None
    parent: str | None
    state: Literal["planned", "started", "finished", "failed", "abandoned"]
    planned_at: Instant
    started_at: Instant | None
    ended_at: Instant | None
    policies: list[str]
    rows: int
    conversations: int
    people: int
    gate: dict[str, Any]
    reason: str
    weights: WeightsOut | None


class RunList(Output):
    """One page of runs, the one planned last first."""

    runs: list[RunOut]
    total: int
    after: str | None


class ReachedList(Output):
    """The training runs that used anything of a person, and those that went on from their models, by start."""

    runs: list[RunNotReached]


def router(world: World) -> APIRouter:
    """Return the routes of runs. They hold no content and nobody's id but that of the person who is asked about."""
    routes = resource("runs")

    def out(run: Run) -> RunOut:
        return _run(world, run)

    def known(name: str) -> Run:
        found = world.store.run(name)
        if found is None:
            raise NotFound(f"there is no run `{name}`", "list the runs")
        return found

    @routes.get("/v1/runs", responses=problems(403))
    def list_runs(_caller: Reading, page: Paged) -> RunList:
        """List runs, the one planned last first."""
        found = world.store.runs(page)
        return RunList(runs=[out(run) for run in found.items], total=found.total, after=found.after)

    @routes.get("/v1/runs/{run}", responses=problems(403, 404))
    def read_run(_caller: Reading, run: RunId) -> RunOut:
        """Read a run: on what it started, what the gate found, what it made."""
        return out(known(run))

    @routes.post("/v1/runs", status_code=201, responses=problems(403, 404, 409))
    def start_run(what: RunIn, _caller: Engineer, fresh: Fresh) -> RunOut:
        """Start a run of a trainer elsewhere.

        The cut is verified, then the clock is read, then every row is decided anew. Where the gate is shut the run is
        kept as abandoned with what was found, and the answer is 409: refresh the cut.
        """
        runs = replace(world.runs(), new_id=fresh)
        order = RunOrder(what.cut, what.trainer, what.config, what.number, what.base or "")
        run = plan(runs, order)
        kept = known(run.id)
        return out(start(runs, run) if kept.state == "planned" else kept)

    @routes.post("/v1/runs/{run}/end", responses=problems(403, 404, 409, 422))
    def end_run(run: RunId, what: EndIn, _caller: Engineer) -> RunOut:
        """Record how a run ended; the same end again changes nothing."""
        runs, found = world.runs(), known(run)
        if found.state == what.state:
            return out(found)
        if what.state != "finished":
            return out((fail if what.state == "failed" else abandon)(runs, found, what.reason))
        if what.weights is None or what.directory is None:
            raise Invalid("the weights of a finished run are not named", "send `weights` and `directory`")
        return out(finish(runs, found, what.weights, Folder(what.directory)))

    @routes.get("/v1/people/{subject}/runs", responses=problems(403))
    def list_reached(subject: Subject, _caller: Reader) -> ReachedList:
        """List the training runs that used anything of a person; a withdrawal does not undo them."""
        found = reached(world.store, subjects=[subject])
        return ReachedList(runs=[RunNotReached.model_validate(one.to_record()) for one in found])

    return routes


def _run(world: World, run: Run) -> RunOut:
    made = world.store.weights_of(run.id)
    told = {name: getattr(run, name) for name in RunOut.model_fields if name in Run.__dataclass_fields__}
    told |= {"base": run.base or None, "policies": json.loads(run.policies), "gate": json.loads(run.gate)}
    return RunOut(**told, weights=None if made is None else _weights(made))


def _weights(made: Weights) -> WeightsOut:
    return WeightsOut(
        digest=made.digest,
        made_at=made.made_at,
        claim=made.claim,
        superseded_by=made.superseded_by or None,
        retired_at=made.retired_at,
    )
