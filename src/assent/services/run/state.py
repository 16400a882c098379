"""The states of a run: it starts only through the gate, ends once, and the ledger says each of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from assent.domain.digests import canonical
from assent.domain.instants import format_instant
from assent.ledger.leaf import commitment
from assent.services.cut.differing import find_cut
from assent.services.ledger.seal import seal
from assent.services.run.gate import decide, verify
from assent.store.records import RunStart, StagedReceipt, Weights

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from assent.services.run.gate import Gate
    from assent.services.run.world import RunWorld
    from assent.store.records import Run, RunState

LEAF: Final = "assent/run/v1"
"""The value of `v` in what the ledger says of a run (spec/manifest.md, runs)."""


def start(world: RunWorld, run: Run) -> Run:
    """Verify the cut, decide every row, and record that the run starts; return it as it is now.

    Where the gate is shut the run is recorded as abandoned, with what the gate found, and `Refused` is raised: nothing
    starts on a cut that is stale, retired or not verified.
    """
    cut = find_cut(world.store, run.cut, run.number)
    without = frozenset(world.store.left_out(run.id))
    gate = decide(world, cut, verify(world, cut, without), without)
    if not gate.open:
        problem = gate.refusal(cut)
        _end(world, run, "abandoned", reason=problem.message, gate=gate)
        raise problem
    begun, gone = _begun(world, run, gate, without)
    said = {"rows": begun.rows, "people": begun.people, "conversations": begun.conversations}
    world.store.start_run(run.id, begun, gone, leaf_of(world, run, "started", gate.at, **said, gate=gate.to_record()))
    _seal(world, gate.at)
    return _again(world, run)


def finish(world: RunWorld, run: Run, weights: str, directory: Path) -> Run:
    """Record that a run is finished, and the digest of what it made, which lies in `directory`."""
    made = Weights(run.id, weights, str(directory.absolute()), world.clock())
    ended = _end(world, run, "finished", made=made)
    parent = None if run.parent is None else world.store.run(run.parent)
    if parent is not None and world.store.weights_of(parent.id) is not None:
        leaf = leaf_of(world, parent, "superseded", made.made_at, superseded_by=run.id)
        world.store.change_weights(parent.id, superseded_by=run.id, leaf=leaf)
        _seal(world, made.made_at)
    return ended


def fail(world: RunWorld, run: Run, reason: str) -> Run:
    """Record that a run failed, in a sentence without content. Its rows stay recorded as used if it had started."""
    return _end(world, run, "failed", reason=reason)


def abandon(world: RunWorld, run: Run, reason: str) -> Run:
    """Record that somebody gave a run up."""
    return _end(world, run, "abandoned", reason=reason)


def retire_weights(world: RunWorld, run: Run) -> None:
    """Record that the weights of a run were destroyed; the first time counts. A run that made none is left alone."""
    made = world.store.weights_of(run.id)
    if made is not None and made.retired_at is None:
        now = world.clock()
        world.store.change_weights(
            run.id, retired_at=now, leaf=leaf_of(world, run, "retired", now, weights=made.digest)
        )
        _seal(world, now)


def leaf_of(world: RunWorld, run: Run, act: str, at: datetime, **said: Any) -> StagedReceipt:
    """Say in the ledger what became of a run: never a person, never a conversation."""
    record = canonical(
        {
            "v": LEAF,
            "act": act,
            "run": run.id,
            "cut": run.cut,
            "number": run.number,
            "manifest": run.manifest,
            "config": run.config,
            "base": run.base,
            "parent": run.parent,
            "at": format_instant(at),
            **said,
        }
    )
    salt = world.salt()
    return StagedReceipt(record.decode(), salt, commitment(salt, record))


def _begun(world: RunWorld, run: Run, gate: Gate, without: frozenset[str]) -> tuple[RunStart, list[str]]:
    """Count what the run may use, and name the conversations of which nothing is kept any more."""
    rows, conversations, people, gone = 0, 0, set[str | None](), list[str]()
    for one in world.store.still_in(run.cut, run.number):
        if not one.rows:
            gone.append(one.conversation)
        elif one.conversation not in without:
            rows, conversations = rows + one.rows, conversations + 1
            people.add(one.subject)
    policies = json.dumps([policy.digest for policy, _ in world.policies])
    found = canonical(gate.to_record()).decode()
    return RunStart(gate.at, policies, rows, conversations, len(people - {None}), found), gone


def _end(
    world: RunWorld,
    run: Run,
    state: RunState,
    *,
    reason: str = "",
    gate: Gate | None = None,
    made: Weights | None = None,
) -> Run:
    now = world.clock() if made is None else made.made_at
    found = "" if gate is None else canonical(gate.to_record()).decode()
    said: dict[str, Any] = {"reason": reason}
    if gate is not None:
        said["gate"] = gate.to_record()
    if made is not None:
        said["weights"] = made.digest
    leaf = leaf_of(world, run, state, now, **said)
    world.store.end_run(run.id, state, now, reason=reason, gate=found, made=made, leaf=leaf)
    _seal(world, now)
    return _again(world, run)


def _seal(world: RunWorld, now: datetime) -> None:
    if world.log is not None:
        seal(world.store, world.log, now=now)


def _again(world: RunWorld, run: Run) -> Run:
    found = world.store.run(run.id)
    assert found is not None, "runs are never removed"  # noqa: S101 - the store promises it
    return found
