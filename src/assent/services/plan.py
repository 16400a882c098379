"""Plan: what a sweep would do, with a digest that names exactly that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from itertools import combinations
from typing import TYPE_CHECKING, Final

from assent.domain.decision import NO_LEAD
from assent.domain.digests import canonical, digest
from assent.domain.instants import format_instant, in_utc
from assent.policy.nominate import nominate_versions
from assent.policy.standing import UNKNOWN
from assent.store.answers import answers
from assent.store.records import Page, Plan, PlanItem, PolicyText

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    import pyarrow as pa

    from assent.policy.model import Policy
    from assent.policy.nominate import Bound
    from assent.store.answers import Answers, Tally
    from assent.store.columns import Columns
    from assent.store.port import FactColumns, Plans, Policies, Resting, Store
    from assent.store.records import RetentionClass

PARTS_AT_ONCE: Final = 500
"""Parts that come to rest in one transaction, for which other writers wait: some 20 ms."""

SOON: Final = timedelta(days=30)
"""What ends that soon does not come to rest: writing its row would cost as much as looking at it a few times."""

PEOPLE_AT_ONCE: Final = 100
"""People whose parts are woken in one transaction. A person may have very many."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One part that a plan names, so that a person can look: where, by which rule, since when."""

    conversation: str
    part: str
    rule: str
    erase_by: datetime


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What a sweep at `at` would erase: what is ripe. `looked_at` parts were nominated by the index and decided.

    `newly_due` counts the parts that the newest plan for this instant or an earlier one did not name.
    """

    digest: str
    at: datetime
    policies: tuple[tuple[str, str], ...]
    looked_at: int
    due: int
    newly_due: int
    by_rule: tuple[Tally, ...]
    sample: tuple[Sample, ...]


def make_plan(
    store: Store,
    columns: Columns,
    policies: Sequence[tuple[Policy, str]],
    *,
    at: datetime,
    batch_rows: int,
    lead: timedelta = NO_LEAD,
    now: datetime | None = None,
) -> PlanReport:
    """Decide what the index nominates, keep the plan under its digest and say what it holds.

    `policies` are (policy, its text), oldest first. `lead` is how long before their `erase_by` parts are ripe
    (`Decision.ripe_at`). The same store, policies, instant and lead give the same digest. `now` is when somebody
    asks, if that is not the instant planned for. What was looked at in vain, because a choice keeps
    it, comes to rest: the next plan does not look at it.
    """
    versions = [policy for policy, _ in policies]
    keep_policies(store, policies, now or at)
    before = _newest_until(store, at)
    while store.wake(PEOPLE_AT_ONCE):
        pass
    with answers(store, columns, versions, at, nominations(store, versions, at), lead=lead) as found:
        by_rule = found.due_by_rule()
        looked_at = sum(tally.parts for tally in found.standing())
        name, due = _digest(found, (versions, at, lead), batch_rows)
        newly = due - _named_before(store, before, found, batch_rows) if before else due
        counts = {tally.label: tally.parts for tally in by_rule}
        store.save_plan(
            Plan(name, tuple(policy.digest for policy in versions), at, counts, at), _items(found, batch_rows)
        )
        _rest(store, versions, found, until=at + lead + SOON)
    return PlanReport(
        digest=name,
        at=at,
        policies=tuple((policy.name, policy.digest) for policy in versions),
        looked_at=looked_at,
        due=due,
        newly_due=newly,
        by_rule=tuple(by_rule),
        sample=_sample(store, name),
    )


def keep_policies(store: Policies, policies: Sequence[tuple[Policy, str]], now: datetime) -> None:
    """Keep the texts of the policies that decide, and of what tombstones of several versions name together."""
    for policy, text in policies:
        store.add_policy(PolicyText(policy.digest, policy.name, text, now))
    for (old, old_text), (new, new_text) in combinations(policies, 2):
        both = digest([old.digest, new.digest])
        store.add_policy(PolicyText(both, f"{old.name} + {new.name}", f"{old_text}\n{new_text}", now))


def nominations(store: FactColumns, versions: Sequence[Policy], at: datetime) -> dict[int, tuple[Bound, ...] | None]:
    """Say for each retention class from where on the index must look: where any version may find a part due at `at`."""
    return {found.id: _bounds(versions, found, at) for found in store.retention_classes()}


def _bounds(versions: Sequence[Policy], found: RetentionClass, at: datetime) -> tuple[Bound, ...] | None:
    # before the newest of the acts it rests on, what a class permits was not permitted
    known = found.since is None or found.since <= at
    return nominate_versions(versions, found.state, found.permitted if known else UNKNOWN)


def _rest(store: Resting, versions: Sequence[Policy], found: Answers, *, until: datetime) -> None:
    def worth(into: RetentionClass) -> bool:
        return nominate_versions(versions, into.state, into.permitted) != nominate_versions(versions, into.state)

    for batch in found.staying(until, PARTS_AT_ONCE):
        store.rest(batch.column("part").to_pylist(), worth)


def _items(found: Answers, batch_rows: int) -> Iterator[PlanItem]:
    for batch in found.due(batch_rows):
        for row in batch.to_pylist():
            yield PlanItem(row["part"], in_utc(row["erase_by"]), row["rule"])


def _digest(found: Answers, under: tuple[Sequence[Policy], datetime, timedelta], batch_rows: int) -> tuple[str, int]:
    """Name the plan by policies, instant, lead and every item, and count the items."""
    versions, at, lead = under
    led = [int(lead.total_seconds())] if lead else []
    names = sha256(canonical([[policy.digest for policy in versions], format_instant(at), *led]))
    parts, ends, rules = sha256(), sha256(), sha256()
    due = 0
    for batch in found.due(batch_rows):
        parts.update(_numbers(batch.column("part")))
        ends.update(_numbers(batch.column("erase_by")))
        rules.update("".join(f"{rule}\n" for rule in batch.column("rule").to_pylist()).encode())
        due += batch.num_rows
    for column in (parts, ends, rules):
        names.update(column.digest())
    return "sha256:" + names.hexdigest(), due


def _numbers(column: pa.Array) -> memoryview:
    """Return the 64-bit numbers of a column without missing values as they lie in memory, lowest byte first."""
    return memoryview(column.buffers()[1])[8 * column.offset : 8 * (column.offset + len(column))]


def _newest_until(store: Plans, at: datetime) -> Plan | None:
    """Find the plan before this one: a plan that looked further ahead than `at` is none."""
    page: str | None = None
    while True:
        listing = store.plans(Page(limit=200, after=page))
        earlier = next((plan for plan in listing.items if plan.at <= at), None)
        page = listing.after
        if earlier is not None or page is None:
            return earlier


def _named_before(store: Plans, before: Plan, found: Answers, batch_rows: int) -> int:
    """Count the parts due now that an earlier plan named; both come in the order of part keys."""

    def earlier() -> Iterator[int]:
        after = 0
        while items := store.plan_items(before.digest, after, batch_rows):
            yield from (item.part for item in items)
            after = items[-1].part

    known = earlier()
    candidate = next(known, None)
    count = 0
    for batch in found.due(batch_rows):
        for part in batch.column("part").to_pylist():
            while candidate is not None and candidate < part:
                candidate = next(known, None)
            count += candidate == part
    return count


def _sample(store: Store, plan: str, size: int = 5, among: int = 1_000) -> tuple[Sample, ...]:
    """Pick one part of each of the first conversations among the plan's first items."""
    items = {item.part: item for item in store.plan_items(plan, after=0, limit=among)}
    picked: dict[str, Sample] = {}
    for key, (conversation, part) in sorted(store.names_of(list(items)).items()):
        picked.setdefault(conversation, Sample(conversation, part, items[key].rule, items[key].erase_by))
        if len(picked) == size:
            break
    return tuple(picked.values())
