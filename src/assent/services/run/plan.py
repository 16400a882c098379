"""Plan a run: which cut, which trainer, what it is told; nothing is used yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assent.domain.digests import digest_bytes
from assent.domain.errors import NotFound, Refused
from assent.services.cut.differing import find_cut
from assent.services.erase.derived.port import RUNS
from assent.services.run.state import leaf_of
from assent.store.records import DerivedStore, Run

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from assent.services.run.world import RunWorld

CONFIG: Final = "config.toml"
"""What a run was told, in its folder, as it was given."""


@dataclass(frozen=True, slots=True)
class RunOrder:
    """A run to plan, on the newest number of a cut unless one is named.

    `base` is the digest of the weights that it goes on from, "" from scratch. A run that takes the place of another
    names it as `parent`, and may say why (`reason`, never a name). It may leave out conversations `without` which it
    would train.
    """

    cut: str
    trainer: str
    config: str
    number: int | None = None
    base: str = ""
    parent: str | None = None
    without: Collection[str] = ()
    reason: str = ""


def plan(world: RunWorld, order: RunOrder) -> Run:
    """Keep a run as planned, make its folder, and put there what it was told.

    Raises `NotFound` where there is no such cut, `Refused` for one that is retired or too old to be decided anew.
    """
    cut = find_cut(world.store, order.cut, order.number)
    if cut.retired_at is not None:
        raise Refused(f"cut `{cut.name}` number `{cut.number}` is retired", "take the newest: assent cut show")
    if cut.purpose is None:
        raise Refused(f"nobody knows any more what cut `{cut.name}` number `{cut.number}` was for", "cut again")
    now = world.clock()
    run = Run(
        id=f"{cut.name}-{cut.number}-{world.new_id()[:8]}",
        cut=cut.name,
        number=cut.number,
        manifest=cut.manifest,
        purpose=cut.purpose,
        trainer=order.trainer,
        config=digest_bytes(order.config.encode()),
        code=world.version,
        planned_at=now,
        base=order.base,
        parent=order.parent,
    )
    if all(one.name != RUNS for one in world.store.derived_stores()):
        world.store.register(DerivedStore(RUNS, RUNS, now))
    folder = folder_of(world, run.id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / CONFIG).write_text(order.config, "utf-8")
    world.store.plan_run(
        run, order.without, leaf_of(world, run, "planned", now, left_out=len(order.without), reason=order.reason)
    )
    return run


def folder_of(world: RunWorld, run: str) -> Path:
    """Return the folder of a run: what it was told, its log, its checkpoints, its weights."""
    return world.folder / run


def find_run(world: RunWorld, run: str) -> Run:
    """Find a run by its id, or by a beginning of it that no other has. Raises `NotFound`."""
    found = world.store.run(run)
    if found is not None:
        return found
    begun = sorted(path.name for path in world.folder.glob(f"{run}*")) if run and "/" not in run else []
    if len(begun) == 1 and (only := world.store.run(begun[0])) is not None:
        return only
    fix = f"name one of {', '.join(begun)}" if begun else "list them: assent train list"
    raise NotFound(f"there is no run `{run}`", fix)
