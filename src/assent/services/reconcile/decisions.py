"""Decide everything that is kept, without the index, and compare: with the index, and with the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.domain.instants import in_utc
from assent.policy.versions import decide_versions, governing
from assent.services.plan import nominations
from assent.services.reconcile.finding import Finding
from assent.store.answers import answers
from assent.store.records import part_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.services.reconcile.world import ReconcileWorld

_REPORT = "report it with what `assent explain` says of the conversation, and sweep nothing until it is understood"


def decisions(world: ReconcileWorld) -> Iterator[Finding]:
    """Find what is overdue, what the index does not nominate though it is ripe, and where evaluators disagree."""
    store, policies, now = world.store, world.policies, world.now
    nominated = nominations(store, policies, now)
    with answers(store, world.columns, policies, now, nominated, lead=world.lead) as found:
        found.remember_ripe()
    with answers(store, world.columns, policies, now, None, lead=world.lead) as found:
        missed = found.ripe_since()
        delays = found.delays(world.lag)
        several = _reference(world)
    if delays.overdue:
        says = f"{delays.overdue:,} parts are here past the instant by which every copy had to be gone"
        yield Finding("overdue", delays.overdue, says, "see why the sweep does not run, and run `assent plan`")
    if missed:
        says = f"{missed:,} parts are ripe and the index does not nominate them"
        yield Finding("drift", missed, says, "report it: no sweep would ever find them")
    if several:
        says = f"the set query and the reference disagree about {len(several)} of {world.sample} parts"
        yield Finding("evaluators", len(several), says, _REPORT, tuple(several[:5]))
    stale = store.stale_clocks()
    if stale:
        says = f"{stale:,} parts carry a clock that is later than the one that decides, or none"
        yield Finding("clocks", stale, says, "report it: the index would nominate them too late")


def _reference(world: ReconcileWorld) -> list[str]:
    """Ask the reference about a sample of what the set query answered; returns parts on which they disagree."""
    query = f"SELECT part::BIGINT AS part, erase_by, held FROM answers ORDER BY hash(part) LIMIT {world.sample}"  # noqa: S608
    asked = {row["part"]: row for row in world.columns.table(query).to_pylist()}
    names = world.store.names_of(list(asked))
    facts = {
        fact.part: fact
        for found in world.store.facts_of_several({conversation for conversation, _ in names.values()}).values()
        for fact in found
    }
    wrong = []
    for key, (conversation, part) in sorted(names.items()):
        fact = facts.get(part_name(conversation, part))
        if fact is None:
            continue  # erased since
        decision = decide_versions(fact, governing(world.policies, fact, world.now), world.now)
        end = asked[key]["erase_by"]
        if (decision.erase_by, decision.held) != (end and in_utc(end), asked[key]["held"]):
            wrong.append(conversation)
    return wrong
