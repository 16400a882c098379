"""The blast radius of a plan, or of a policy version that is not in force yet: worked out once, kept as a figure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from assent.domain.digests import canonical
from assent.domain.instants import format_instant, parse_instant
from assent.services.figures.outlook import First
from assent.services.guard.limits import limits_in_force, limits_of
from assent.services.guard.permit import Under, target_of, weigh
from assent.services.guard.radius import Trip, average_day, too_much
from assent.services.plan import make_plan, nominations
from assent.store.answers import Tally, answers
from assent.store.records import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from assent.policy.model import Policy
    from assent.services.guard.limits import Limits
    from assent.settings import Settings
    from assent.store.columns import Columns
    from assent.store.port import Store


@dataclass(frozen=True, slots=True)
class Radius:
    """What would go at `at`: parts by rule, those `newly` due by it alone, some of them by name, and what stops it.

    `digest` is that of the plan, or of the candidate policy. `text` is the candidate's file, empty for a plan.
    """

    digest: str
    at: datetime
    policies: tuple[str, ...]
    due: int
    newly: int
    by_rule: tuple[Tally, ...]
    sample: tuple[First, ...]
    trips: tuple[Trip, ...]
    by: str
    text: str = ""


@dataclass(frozen=True)
class RadiusWorld:
    """What weighing needs. `policies` are those in force with their texts, oldest first."""

    store: Store
    columns: Columns
    policies: Sequence[tuple[Policy, str]]
    settings: Settings
    lead: timedelta

    @property
    def versions(self) -> list[Policy]:
        """The versions in force."""
        return [policy for policy, _ in self.policies]

    def limits(self, now: datetime) -> Limits:
        """Return the limits that count."""
        return limits_in_force(self.store, limits_of(self.settings), now)


def plan_radius(world: RadiusWorld, now: datetime, *, by: str) -> Radius:
    """Make a plan for now, weigh it, and keep what that says under the plan's name."""
    rows = world.settings.batch_rows
    made = make_plan(world.store, world.columns, world.policies, at=now, batch_rows=rows, lead=world.lead)
    plan = world.store.plan(made.digest)
    under = Under(world.versions, world.lead, world.limits(now))
    trips = weigh(world.store, world.columns, plan, under, now).trips if plan is not None else ()
    found = Radius(
        digest=made.digest,
        at=now,
        policies=tuple(name for name, _ in made.policies),
        due=made.due,
        newly=made.newly_due,
        by_rule=made.by_rule,
        sample=tuple(First(one.conversation, one.part, one.rule, one.erase_by) for one in made.sample),
        trips=trips,
        by=by,
    )
    return _keep(world.store, plan_name(made.digest), found)


def candidate_radius(world: RadiusWorld, candidate: Policy, text: str, now: datetime, *, by: str) -> Radius:
    """Say what a version would make due if it came into force beside the others, or in the place of its namesake.

    Nothing is planned and nothing put into force. What it would make due at once is held against the guards.
    """
    versions = sorted(
        [*(one for one in world.versions if one.name != candidate.name), candidate], key=lambda one: one.effective
    )
    store, columns, lead = world.store, world.columns, world.lead
    with answers(store, columns, world.versions, now, nominations(store, world.versions, now), lead=lead) as before:
        before.remember_ripe()
    with answers(store, columns, versions, now, nominations(store, versions, now), lead=lead) as after:
        by_rule, newly = after.due_by_rule(), after.ripe_since()
        first = after.first_to_end(None, now + lead, 5)
    limits, names = world.limits(now), store.names_of([part for part, _, _ in first])
    trips = too_much(newly, store.counts().parts, average_day(store, now), limits)
    if newly > limits.guard_floor_parts:
        trips.append(Trip("policy", f"`{newly:,}` parts would be due only because the policy changed"))
    found = Radius(
        digest=candidate.digest,
        at=now,
        policies=tuple(policy.name for policy in versions),
        due=sum(tally.parts for tally in by_rule),
        newly=newly,
        by_rule=tuple(by_rule),
        sample=tuple(First(*names[part], rule, end) for part, end, rule in first if part in names),
        trips=tuple(trips),
        by=by,
        text=text,
    )
    return _keep(store, candidate_name(candidate.digest), found)


def plan_name(digest: str) -> str:
    """Name the figure of a plan."""
    return f"plan {target_of(digest)}"


def candidate_name(digest: str) -> str:
    """Name the figure of a policy version that is tried."""
    return f"policy {target_of(digest)}"


def kept_radius(store: Store, name: str) -> Radius | None:
    """Read what was worked out; None if nothing was."""
    figure = store.figure(name)
    if figure is None:
        return None
    said = json.loads(figure.document)
    return Radius(
        **{**said, "policies": tuple(said["policies"]), "at": figure.at}
        | {"by_rule": tuple(Tally(**one) for one in said["by_rule"])}
        | {"sample": tuple(First(**{**one, "erase_by": parse_instant(one["erase_by"])}) for one in said["sample"])}
        | {"trips": tuple(_trip(one) for one in said["trips"])}
    )


def _keep(store: Store, name: str, found: Radius) -> Radius:
    store.keep_figure(Figure(name, found.at, canonical(_plain(asdict(found))).decode()))
    return found


def _trip(said: dict[str, Any]) -> Trip:
    until = said["until"]
    return Trip(said["guard"], said["says"], until and parse_instant(until))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return format_instant(value) if hasattr(value, "isoformat") else value
